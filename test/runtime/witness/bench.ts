import type {
  LeaseConfig,
  MandateConfig,
  WitnessSettings,
} from "../../../agent/config/mandates.ts";
import { milliseconds, seconds } from "../../../agent/core/time.ts";
import type { FenceProblem } from "../../../agent/core/witness/mandate.ts";
import type { MandateNews } from "../../../agent/core/witness/mandate-news.ts";
import type { FromWitness, ToWitness, WitnessProcessSettings } from "../../../agent/runtime/ipc.ts";
import { WitnessProcess } from "../../../agent/runtime/witness/witness-process.ts";
import { settle, VirtualTime } from "../virtual-time.ts";
import { FakeStore } from "./fake-store.ts";

const POSITION = { file: "x", line: 1, column: 1 };

export const STORE: WitnessSettings = {
  position: POSITION,
  store: "etcd",
  endpoints: ["http://192.0.2.9:2379"],
  ttl: seconds(5),
  renewEvery: seconds(1),
  requestTime: seconds(1),
  margin: milliseconds(200),
  patience: seconds(2),
  user: undefined,
  passwordSecret: undefined,
  tokenSecret: undefined,
  caFile: undefined,
  certFile: undefined,
  keyFile: undefined,
  serverName: undefined,
  prefix: undefined,
  namespace: undefined,
  datacenter: undefined,
  database: undefined,
};

export const mandateOf = (
  lease: Partial<LeaseConfig> | undefined = {},
  fences: readonly string[] = [],
  name = "V",
): MandateConfig => ({
  name,
  members: [name],
  lease: lease && { mode: "required", key: "v", failsafe: false, ...lease },
  fences,
});

/** How a fencing ends: why nobody may rely on it, or well. */
type Outcome = FenceProblem | null;

/** A witness process in a world of fakes, and all that a test may turn or look at. */
export class Bench {
  readonly time = new VirtualTime();
  readonly store = new FakeStore();
  /** The store at each other endpoint. */
  readonly others = new Map<string, FakeStore>();
  readonly said: FromWitness[] = [];
  readonly exits: number[] = [];
  /** Devices that were to be fenced with, each time. */
  readonly fenced: (readonly string[])[] = [];
  /** How the next fencings end; without one they run on. */
  readonly outcomes: Outcome[] = [];
  fingerprint = "a";
  #settings: WitnessProcessSettings;
  readonly #hear: (message: ToWitness) => void;
  readonly #lose: () => void;

  constructor(mandates: readonly MandateConfig[], change: Partial<WitnessProcessSettings> = {}) {
    this.#settings = {
      scheduling: {
        nice: undefined,
        realtimePriority: undefined,
        realtimeLimit: undefined,
        cpuAffinity: undefined,
        noSwap: false,
      },
      netNamespace: undefined,
      holder: "a/1",
      mandates,
      store: STORE,
      secrets: {},
      ...change,
    };
    const channel: { hear?: (message: unknown) => void; lost?: () => void } = {};
    new WitnessProcess(
      {
        send: (message) => this.#heardOf(message as FromWitness),
        listen: (hear, lost) => Object.assign(channel, { hear, lost }),
      },
      {
        clock: { ...this.time.clock, onHost: (at) => at },
        openTimer: this.time.openTimer,
        prepare: () => [],
        readStore: ({ endpoints: [endpoint] }) => ({
          fingerprint: this.fingerprint,
          open: () => (this.others.get(endpoint) ?? this.store).open(),
        }),
        seed: 7,
        exit: (status) => this.exits.push(status),
      },
    );
    this.#hear = (message) => channel.hear?.(message);
    this.#lose = () => channel.lost?.();
    this.configure();
  }

  /** Serial 1 unless another is named. */
  async want(fence = false, serial = 1, mandate = "V"): Promise<void> {
    await this.tell({ kind: "mandate-wanted", mandate, serial, fence });
  }

  async unwant(serial = 1, mandate = "V"): Promise<void> {
    await this.tell({ kind: "mandate-unwanted", mandate, serial });
  }

  configure(change: Partial<WitnessProcessSettings> = {}): void {
    this.#settings = { ...this.#settings, ...change };
    this.#hear({ kind: "configure", settings: this.#settings });
  }

  async tell(message: ToWitness): Promise<void> {
    this.#hear(message);
    await settle();
  }

  lose(): void {
    this.#lose();
  }

  /** The fencing that was asked for last ends. */
  async end(problem: Outcome): Promise<void> {
    const id = this.said.findLast((one) => one.kind === "fence")?.id ?? 0;
    await this.tell({ kind: "fenced", id, problem });
  }

  get news(): readonly MandateNews[] {
    return this.said.flatMap((message) => (message.kind === "mandate" ? [message.news] : []));
  }

  /** In short, since the last call. */
  heard(): readonly string[] {
    const words = this.said.flatMap((message) => {
      if (message.kind !== "mandate") return [];
      const { news, serial } = message;
      const which = "because" in news ? ` ${news.because}` : "";
      return [`${serial} ${news.kind}${which}`];
    });
    const fresh = words.slice(this.#heard);
    this.#heard = words.length;
    return fresh;
  }

  #heard = 0;

  get logs(): readonly string[] {
    return this.said.flatMap((said) => {
      if (said.kind === "log") return [`${said.level} ${said.message}`];
      return said.kind === "event" ? [`${said.report.level} ${said.report.message}`] : [];
    });
  }

  #heardOf(message: FromWitness): void {
    this.said.push(message);
    if (message.kind !== "fence") return;
    this.fenced.push(message.devices);
    const problem = this.outcomes.shift();
    if (problem === undefined) return;
    queueMicrotask(() => this.#hear({ kind: "fenced", id: message.id, problem }));
  }
}
