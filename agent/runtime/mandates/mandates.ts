import type { MandateConfig } from "../../config/mandates.ts";
import type { Instant } from "../../core/time.ts";
import { after, milliseconds, since } from "../../core/time.ts";
import type {
  MandateDelayNews,
  MandateEffect,
  MandateEvent,
  MandateState,
  WithdrawalReason,
} from "../../core/vrrp/mandate.ts";
import { GRACE, INITIAL_MANDATE } from "../../core/vrrp/mandate.ts";
import {
  mandateDeadline,
  mandateEpoch,
  mandateLimit,
  stepMandate,
} from "../../core/vrrp/mandate-step.ts";
import type { MandateSnapshot } from "../../core/vrrp/snapshot.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Handlers } from "../execute.ts";
import { execute } from "../execute.ts";
import type { LogLevel, MandateMessage, MandateWish } from "../ipc.ts";
import type { Router } from "../router.ts";
import type { Schedule, Slot } from "../schedule.ts";
import { mandateSnapshot } from "./mandate-snapshot.ts";

/** A deadline that is met later than this was slept over: a renewal may wait in the channel. */
const STALL = milliseconds(2);
/** So long it is waited for: what waits in a channel is read in the next turn of the event loop. */
const READING = milliseconds(5);

/** What mandates need, and whom they tell. */
export interface MandatesParts {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly member: (name: string) => Router | undefined;
  /** Says to the witness process what is wanted. */
  readonly say: (wish: MandateWish) => void;
  readonly tellGroup: (
    mandate: string,
    event: Extract<MandateEffect, { readonly kind: "tell-group" }>["event"],
  ) => void;
  /** All BFD sessions that these routers track are up, and there is one. */
  readonly sessionsUp: (members: readonly string[]) => boolean;
  /** Until when the gates of these may be open is new. */
  readonly limited: (routers: readonly Router[]) => void;
  /** Resolves when nothing reaches the addresses of a router that has left `active`. */
  readonly whenShut: (router: Router) => Promise<void>;
  readonly tell: (level: LogLevel, mandate: string, message: string) => void;
}

interface Mandate {
  config: MandateConfig;
  state: MandateState;
  readonly slot: Slot;
  /** A deadline was slept over, and acts when what waits in the channel is read. */
  reading: boolean;
}

/** What the groups of this node want of the witness process, and what came of it. */
export class Mandates {
  readonly #parts: MandatesParts;
  readonly #mandates = new Map<string, Mandate>();
  readonly #byMember = new Map<string, Mandate>();
  readonly #handlers: Handlers<Mandate, MandateEffect>;
  /** Wishes that are given up once gates are shut. */
  readonly #returning = new Set<Promise<void>>();

  constructor(parts: MandatesParts) {
    this.#parts = parts;
    this.#handlers = {
      say: ({ config: { name: mandate } }, { what, wish: { serial, fence } }) =>
        parts.say(
          what === "mandate-wanted"
            ? { kind: what, mandate, serial, fence }
            : { kind: what, mandate, serial },
        ),
      "tell-group": ({ config }, { event }) => parts.tellGroup(config.name, event),
      limit: ({ config }) => parts.limited(this.#routersOf(config)),
      "await-shut": (mandate, { serial }) => this.#awaitShut(mandate, serial),
      withdrawn: ({ config }, { because, delay }) =>
        parts.tell(
          "error",
          config.name,
          `its mandate is over: ${WITHDRAWN[because]}${because === "unanswered" ? nextStep(delay) : ""}`,
        ),
      grace: ({ config }, { begins }) =>
        parts.tell("info", config.name, begins ? GRACE_BEGINS : GRACE_ENDS),
      failsafe: ({ config }, { begins }) =>
        parts.tell("warn", config.name, begins ? FAILSAFE_BEGINS : FAILSAFE_ENDS),
    };
  }

  /** To be called while the routers of before are known, and before their groups are configured. */
  configure(configs: readonly MandateConfig[]): void {
    const wanted = new Map(configs.map((config) => [config.name, config]));
    for (const [name, mandate] of [...this.#mandates]) {
      if (!wanted.has(name)) this.#drop(mandate);
    }
    this.#byMember.clear();
    for (const config of configs) {
      const mandate = this.#mandates.get(config.name) ?? this.#add(config);
      mandate.config = config;
      for (const member of config.members) this.#byMember.set(member, mandate);
      this.#step(mandate, { kind: "configured" });
    }
  }

  sought(name: string, fence: boolean): void {
    this.#stepNamed(name, { kind: "sought", fence });
  }

  /** The same of a group that is active, and was before it needed one. */
  kept(name: string): void {
    this.#stepNamed(name, { kind: "kept" });
  }

  returned(name: string): void {
    this.#stepNamed(name, { kind: "returned" });
  }

  heard({ mandate, serial, news }: MandateMessage): void {
    this.#stepNamed(mandate, { kind: "news", serial, news });
  }

  /** Another witness process knows nothing of us. */
  witnessLost(): void {
    this.#stepAll({ kind: "witness-lost" });
  }

  /** Of what was granted before the machine slept nothing counts. */
  suspended(): void {
    this.#stepAll({ kind: "suspended" });
  }

  /** A BFD session is up that was not, or the other way round. */
  sessionsChanged(): void {
    this.#stepAll({ kind: "tick" });
  }

  /** Until when gates of this router may be open; `undefined`: nobody has a say in it. */
  limitOf({ name }: Router): Instant | undefined {
    const mandate = this.#byMember.get(name);
    return mandate === undefined ? undefined : mandateLimit(mandate.state);
  }

  /** Of the lease under which it is active, or was a moment ago. */
  epochOf({ name }: Router): string | null {
    return epochOf(this.#byMember.get(name));
  }

  /** The same of a whole group. */
  epoch(mandate: string): string | null {
    return epochOf(this.#mandates.get(mandate));
  }

  snapshot({ name }: Router): MandateSnapshot | null {
    const mandate = this.#byMember.get(name);
    return mandate === undefined
      ? null
      : mandateSnapshot(mandate.config, mandate.state, this.#parts.clock.now());
  }

  /** Resolves when what was wanted of the witness process is given up, as far as gates are shut. */
  async settled(): Promise<void> {
    while (this.#returning.size > 0) await Promise.all(this.#returning);
  }

  #add(config: MandateConfig): Mandate {
    const slot = this.#parts.schedule.slot((now) => this.#due(mandate, now));
    const mandate: Mandate = { config, state: INITIAL_MANDATE, slot, reading: false };
    this.#mandates.set(config.name, mandate);
    return mandate;
  }

  /** Whoever goes on without it needs nobody's leave any more. */
  #drop(mandate: Mandate): void {
    this.#step(mandate, { kind: "returned" });
    mandate.slot.set(undefined);
    this.#mandates.delete(mandate.config.name);
  }

  /** Of what was granted. The gate has shut by itself; whether to leave is still to be decided. */
  #due(mandate: Mandate, now: Instant): void {
    const deadline = mandateDeadline(mandate.state);
    const slept = deadline !== undefined && since(deadline, now) > STALL;
    if (!slept || mandate.reading) {
      this.#step(mandate, { kind: "tick" });
      return;
    }
    mandate.reading = true;
    mandate.slot.set(after(now, READING));
  }

  #stepNamed(name: string, event: MandateEvent): void {
    const mandate = this.#mandates.get(name);
    if (mandate !== undefined) this.#step(mandate, event);
  }

  #stepAll(event: MandateEvent): void {
    for (const mandate of [...this.#mandates.values()]) this.#step(mandate, event);
  }

  #step(mandate: Mandate, event: MandateEvent): void {
    const { lease, members } = mandate.config;
    const failsafe = lease?.failsafe === true && this.#parts.sessionsUp(members);
    const now = this.#parts.clock.now();
    const { state, effects } = stepMandate(
      { failsafe, lease: lease?.mode },
      mandate.state,
      event,
      now,
    );
    mandate.state = state;
    mandate.reading = false;
    mandate.slot.set(mandateDeadline(state));
    execute(this.#handlers, mandate, effects);
  }

  /** After this turn, when members that leave have left. */
  #awaitShut(mandate: Mandate, serial: number): void {
    const routers = this.#routersOf(mandate.config);
    const shut = Promise.resolve()
      .then(() => Promise.all(routers.filter(hasLeft).map(this.#parts.whenShut)))
      .then(() => {
        this.#returning.delete(shut);
        this.#step(mandate, { kind: "gates-shut", serial });
      });
    this.#returning.add(shut);
  }

  #routersOf({ members }: MandateConfig): readonly Router[] {
    return members.flatMap((name) => this.#parts.member(name) ?? []);
  }
}

const epochOf = (mandate: Mandate | undefined): string | null =>
  mandate === undefined ? null : mandateEpoch(mandate.state);

/** One that a reload has freed of its mandate is active still. */
const hasLeft = ({ state }: Router): boolean => state.kind !== "active";

const GRACE_S = GRACE / 1_000_000;

const WITHDRAWN: Readonly<Record<WithdrawalReason, string>> = {
  lapsed: "no renewal of the lease came in time",
  lost: "the store says that the lease is not ours any more",
  taken: "somebody else has the lease",
  "session-down": "the store cannot be reached, and a BFD session is down",
  unanswered: `no lease came in the ${GRACE_S} s since a reload asks for one`,
  suspended: "the machine was suspended, and what was granted before counts no more",
};

const nextStep = (delay: MandateDelayNews | undefined): string =>
  delay === undefined
    ? "; see what the log says of the witness process"
    : ` (${delay.reason})${delay.remedy === null ? "" : `; ${delay.remedy}`}`;

const GRACE_BEGINS = `a reload asks for a lease: it stays active while it asks the store for that, for ${GRACE_S} s at the most`;
const GRACE_ENDS = "it has what the reload asks for, and stays active";
const FAILSAFE_BEGINS =
  "the store cannot be reached: it goes on without a lease while all BFD sessions are up";
const FAILSAFE_ENDS = "it does not go on without its lease any more";
