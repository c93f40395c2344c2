import type { Micros } from "../../../core/time.ts";
import { milliseconds, seconds } from "../../../core/time.ts";
import { KERNEL_LATENESS, leaseOf, shortestCertainInterval } from "../../../core/vrrp/lease.ts";
import { lifetimeAlone } from "../../../core/vrrp/lifetime.ts";
import { OWNER_PRIORITY } from "../../../core/vrrp/virtual-router.ts";
import type { FencingMode } from "../../fencing.ts";
import { FENCING_MODES } from "../../fencing.ts";
import type { Statement } from "../tree.ts";
import type { Inherited } from "./inherited.ts";
import type { InstanceDraft } from "./instance-draft.ts";
import type { Lowering, Said } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { MandateDraft } from "./mandates.ts";
import { firstWord, reportValue } from "./values.ts";

export function readFencing(
  statement: Statement,
  lowering: Lowering,
): Said<FencingMode> | undefined {
  const word = firstWord(statement, lowering);
  if (word === undefined) return undefined;
  const value = FENCING_MODES.find((mode) => mode === word.text);
  if (value !== undefined) return { value, at: word };
  reportValue(statement, word, FENCING_MODES.join(", "), lowering);
  return undefined;
}

/**
 * The instance's own word, else that of global_defs. `auto` is `gate` where a lease is required: without
 * a gate nothing would end with it, so that a kernel that has none is a fault.
 */
export function fencingMode(
  { fencing }: InstanceDraft,
  inherited: Inherited,
  mandate: MandateDraft | undefined,
): FencingMode {
  const mode = fencing?.value ?? inherited.fencing;
  return mode === "auto" && mandate?.witness?.mode === "required" ? "gate" : mode;
}

/** What a lease goes by. */
export interface FencedRouter {
  readonly priority: number;
  readonly advertisementInterval: Micros;
  readonly downTimerAdverts: number;
}

/** Whether the addresses are to be behind the gate, where the kernel has one. */
export function completeFenced(
  { fencing: said, name }: InstanceDraft,
  mode: FencingMode,
  { priority, advertisementInterval, downTimerAdverts }: FencedRouter,
  lowering: Lowering,
): boolean {
  // Its addresses are this machine's own: the gate would cut it off.
  if (priority === OWNER_PRIORITY) return false;
  const at = said?.at ?? name;
  if (mode === "lifetime" && lifetimeAlone(advertisementInterval, downTimerAdverts) === undefined) {
    report(
      lowering,
      "fencing-impossible",
      at,
      `a backup of ${name.text} takes over before the kernel has surely removed the addresses here: that takes 2.25 s`,
      "write holdfast_fencing auto; or advert_int 1 and down_timer_adverts 3, or more, on every node",
    );
  }
  if (mode !== "auto" && mode !== "gate") return false;
  const lease = leaseOf(advertisementInterval, downTimerAdverts);
  if (lease === undefined) {
    report(
      lowering,
      "fencing-impossible",
      at,
      `with down_timer_adverts ${downTimerAdverts} a lease would run out between two advertisements of ${name.text}: there is no gate`,
      "write down_timer_adverts 2 or more, on every node",
    );
  } else if (!lease.certain) {
    report(
      lowering,
      "fencing-late",
      at,
      `at advert_int ${advertisementInterval / seconds(1)} a backup of ${name.text} that does not wait for the gate, as keepalived does not, may answer before it has shut: a busy kernel is up to ${KERNEL_LATENESS / milliseconds(1)} ms late`,
      `write advert_int ${shortestCertainInterval(downTimerAdverts) / seconds(1)} or more, on every node`,
    );
  }
  return lease !== undefined;
}
