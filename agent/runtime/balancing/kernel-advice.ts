import type { BalancingNode, UnfitSetting } from "../../config/kernel-settings.ts";
import { unfitSettings } from "../../config/kernel-settings.ts";
import type { Clock } from "../../ports/clock.ts";
import { KernelError } from "../../ports/error.ts";
import type { ReadKernelSettings } from "../../ports/kernel-settings.ts";
import type { EventReport } from "../ipc.ts";

export interface KernelAdviceWorld {
  readonly clock: Clock;
  readonly read: ReadKernelSettings;
  readonly event: (report: EventReport) => void;
}

/** Says which of the kernel's settings go against the configuration: once, and when others do. */
export class KernelAdvice {
  readonly #world: KernelAdviceWorld;
  #said = "";

  constructor(world: KernelAdviceWorld) {
    this.#world = world;
  }

  /** To be called when ip_vs is open, and with each configuration after that. */
  look(node: BalancingNode): void {
    const { clock, read, event } = this.#world;
    const settings = read(node.balancing.ipvsNamespace);
    // Where the namespace cannot be entered, ip_vs cannot either, which is said.
    if (settings === undefined || settings instanceof KernelError) return;
    const unfit = unfitSettings(node, settings);
    const said = unfit.map(({ message }) => message).join("\n");
    if (said === this.#said) return;
    this.#said = said;
    if (unfit.length > 0) event({ at: clock.wallClock(), ...warning(unfit) });
  }
}

function warning(unfit: readonly UnfitSetting[]): Omit<EventReport, "at"> {
  const [only] = unfit;
  const names = unfit.map(({ setting, value }) => `${setting} is ${value}`).join(", ");
  const message =
    unfit.length === 1 && only !== undefined
      ? `${only.message}; ${only.mend} mends it`
      : `settings of this host go against its virtual servers (${names}): holdfast check says how`;
  const settings = unfit.map(({ setting, value, mend }) => ({ setting, value, mend }));
  return { kind: "balancing", level: "warn", subject: "ip_vs", message, detail: { settings } };
}
