import type { FenceProblem } from "../core/witness/mandate.ts";
import type { StoreReport } from "../core/witness/store-report.ts";
import type { AcceptedConfig } from "./accepted.ts";
import type {
  FenceRequest,
  FromWitness,
  MandateMessage,
  MandateWish,
  ToVrrp,
  ToWitness,
  WitnessProcessSettings,
} from "./ipc.ts";

const OF_MANDATES = ["mandate", "witness-ready", "fence", "store"] as const;
type Heard = Extract<FromWitness, { readonly kind: (typeof OF_MANDATES)[number] }>;

/** What a witness process says that is not said by every process. */
export const isOfMandates = (message: FromWitness): message is Heard =>
  OF_MANDATES.some((kind) => kind === message.kind);

/** Runs devices by their names. Answers why nobody may rely on it; `undefined`: done. */
type Fence = (devices: readonly string[]) => Promise<FenceProblem | undefined>;

/** What the witness process must know; `undefined`: there is nothing for it to do. */
export function witnessSettings(
  { config, settings }: Pick<AcceptedConfig, "config" | "settings">,
  tag: string,
): WitnessProcessSettings | undefined {
  const { global, mandates } = config;
  if (mandates.length === 0) return undefined;
  return {
    scheduling: global.vrrpScheduling,
    netNamespace: global.netNamespace,
    holder: `${global.routerId}/${tag}`,
    mandates,
    store: settings.witness,
    secrets: settings.secrets,
  };
}

/** Between the vrrp process, which wants mandates, and the witness process, which seeks them. */
export class WitnessClient {
  readonly #tellWitness: (message: ToWitness) => void;
  readonly #tellVrrp: (message: ToVrrp) => void;
  readonly #fence: Fence;
  /** Serials of what is granted, by mandate. */
  readonly #granted = new Map<string, number>();
  /** What of a new configuration the vrrp process said before the witness process has it. */
  #held: MandateWish[] | undefined;
  #store: StoreReport | undefined;

  constructor(
    tellWitness: (message: ToWitness) => void,
    tellVrrp: (message: ToVrrp) => void,
    fence: Fence,
  ) {
    this.#tellWitness = tellWitness;
    this.#tellVrrp = tellVrrp;
    this.#fence = fence;
  }

  /** What the witness process that runs now says of the store. */
  get store(): StoreReport | undefined {
    return this.#store;
  }

  /** The witness process has. */
  ended(): void {
    this.#store = undefined;
  }

  configure(settings: WitnessProcessSettings): void {
    this.#tellWitness({ kind: "configure", settings });
    this.goOn();
  }

  /** The vrrp process gets a configuration, which the witness process has later: wishes wait for that. */
  hold(): void {
    this.#held ??= [];
  }

  /** The configuration is the one of before, or is known to both. */
  goOn(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const wish of held) this.wish(wish);
  }

  wish(wish: MandateWish): void {
    if (this.#held !== undefined) {
      this.#held.push(wish);
      return;
    }
    const granted = this.#granted.get(wish.mandate) === wish.serial;
    if (wish.kind === "mandate-wanted" && granted) {
      // Said again to a witness process that does not know: whoever was to be fenced has been.
      this.#tellWitness({ ...wish, fence: false });
      return;
    }
    this.#granted.delete(wish.mandate);
    this.#tellWitness(wish);
  }

  hear(message: Heard): void {
    if (message.kind === "witness-ready") this.#tellVrrp({ kind: "witness-lost" });
    else if (message.kind === "mandate") this.#pass(message);
    else if (message.kind === "store") this.#store = message.report ?? undefined;
    else void this.#haveFenced(message);
  }

  /** The vrrp process is gone, with all that it held. */
  nobodyWants(): void {
    this.#granted.clear();
    if (this.#held !== undefined) this.#held = [];
    this.#tellWitness({ kind: "nobody-wants" });
  }

  async #haveFenced({ id, devices }: FenceRequest): Promise<void> {
    const problem = await this.#fence(devices);
    this.#tellWitness({ kind: "fenced", id, problem: problem ?? null });
  }

  #pass(message: MandateMessage): void {
    const { mandate, serial, news } = message;
    if (news.kind === "granted") this.#granted.set(mandate, serial);
    if (news.kind === "withdrawn") this.#granted.delete(mandate);
    this.#tellVrrp(message);
  }
}
