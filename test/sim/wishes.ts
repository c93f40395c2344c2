import type { Instant } from "../../agent/core/time.ts";
import { KERNEL_LATENESS } from "../../agent/core/vrrp/lease.ts";
import type {
  GrantedPhase,
  MandateEffect,
  MandateEvent,
  MandateState,
} from "../../agent/core/vrrp/mandate.ts";
import { GRACE, INITIAL_MANDATE } from "../../agent/core/vrrp/mandate.ts";
import { mandateDeadline } from "../../agent/core/vrrp/mandate-step.ts";
import type { SyncGroupEvent } from "../../agent/core/vrrp/sync-group.ts";
import { memberStatus } from "../../agent/core/vrrp/sync-group-step.ts";
import { MANDATE_GATE_MARGIN } from "../../agent/core/witness/gate-margin.ts";
import type { MandateRules } from "../../agent/core/witness/mandate.ts";
import type { SimulatedMachine } from "./machine.ts";
import type { Node } from "./node.ts";
import type { Store } from "./store.ts";
import { WitnessProcess } from "./witness-process.ts";
import type { World } from "./world.ts";

/** Between two processes of a host, microseconds. */
const MAIL = 500;

/** The kernel has shut a gate by then, microseconds, unless another program has its packet filter. */
export const SHUT = 3_000;

/** A host that needs nobody's leave. */
const NOTHING: MandateRules = { lease: undefined, fences: false };

/** Of whoever needs a lease since a reload the gate is shut by then, if it has none: by its own clock. */
const LATEST = GRACE + MANDATE_GATE_MARGIN + 2 * KERNEL_LATENESS;

/** What is around the wishes of one host. */
export interface WishesParts {
  readonly world: World;
  readonly machine: SimulatedMachine;
  /** The first of its routers stands for all. */
  readonly host: Node;
  readonly store: Store;
  readonly rules: MandateRules;
  readonly tellGroup: (event: SyncGroupEvent) => void;
}

/** The mandate of one host: what its vrrp process wishes, and the witness process that it wishes it of. */
export class Wishes {
  readonly witness: WitnessProcess;
  /** As they were drawn, which reloads change. */
  readonly drawn: MandateRules;
  /** What the vrrp process goes by; the witness process hears of them later. */
  rules: MandateRules;
  readonly store: Store;
  state: MandateState = INITIAL_MANDATE;
  /** By the host's clock: when the last lease ended that it did not go on without. */
  deadline = 0;
  /** Since when it has needed a lease; `undefined`: it needs none. */
  #leasedSince: number | undefined = Number.NEGATIVE_INFINITY;
  /** When a reload asked its active members for leave, in true time; `undefined`: the store has answered since. */
  kept: number | undefined;
  /** It was failsafe, or active from before a reload, when it was last granted. */
  wentWithout = false;
  /** The last time through, in true time, that the store said that somebody else has it. */
  taken: { readonly since: number; readonly until: number; readonly still: boolean } | undefined;
  /** How often it began to go on without the store. */
  failsafes = 0;
  /** The longest time of a letter; longer when the supervisor, which carries it, is busy. */
  mailMax = MAIL;
  /** The longest time that the kernel takes to shut a gate. */
  shutMax = SHUT;
  readonly #parts: WishesParts;
  readonly #mail: MandateEvent[] = [];
  #timer = 0;
  /** Letters arrive in the order in which they were sent. */
  #lastToWitness = 0;
  #lastToVrrp = 0;

  constructor(parts: WishesParts) {
    this.#parts = parts;
    this.drawn = parts.rules;
    this.rules = parts.rules;
    this.store = parts.store;
    this.witness = new WitnessProcess({
      ...parts,
      tell: (serial, news) => this.#toVrrp({ kind: "news", serial, news }),
    });
  }

  /** The last letter to the vrrp process has arrived by then, in true time. */
  get mailUntil(): number {
    return this.#lastToVrrp;
  }

  /** It goes on without the store. */
  get failsafe(): boolean {
    const { phase } = this.state;
    return this.#parts.host.alive && phase.kind === "granted" && phase.failsafe;
  }

  /** It needs leave of somebody. */
  get mandated(): boolean {
    return this.rules.lease !== undefined || this.rules.fences;
  }

  /** It needs a lease, and has for so long that its gate is not open without. */
  isBound(time: number): boolean {
    const since = this.rules.lease?.mode === "required" ? this.#leasedSince : undefined;
    return since !== undefined && (time - since) * this.#parts.host.clockRate > LATEST;
  }

  /** Until when gates may be open. */
  get limit(): Instant | undefined {
    if (!this.mandated) return undefined;
    return this.#parts.machine.limit(this.state);
  }

  /** The vrrp process starts. */
  reset(): void {
    this.state = INITIAL_MANDATE;
    this.#unlearn();
    this.#timer += 1;
    this.#mail.length = 0;
    this.witness.start();
    // What the process before it wanted is given up first: its last will was waited for.
    this.nobodyWants();
  }

  /** What its members need is another thing. An agent that stands still reads no configuration. */
  configure(wanted: MandateRules | undefined): void {
    const { host, world, tellGroup } = this.#parts;
    if (host.paused) return;
    const before = this.rules;
    const free = !this.mandated;
    const rules = wanted ?? NOTHING;
    if (wanted === undefined) this.hear({ kind: "returned" });
    this.rules = rules;
    if (rules.lease?.mode !== "required") this.#leasedSince = undefined;
    else if (before.lease?.mode !== "required") this.#leasedSince = world.now;
    if (wanted === undefined) this.#forget();
    else this.#rule(wanted);
    const active = host.alive && host.mates.every(({ state }) => state.kind === "active");
    this.kept = wanted !== undefined && free && active ? world.now : undefined;
    const members = host.mates.map(({ router, state }) => [router.name, memberStatus(state)]);
    if (host.alive) tellGroup({ kind: "configured", members: Object.fromEntries(members), free });
  }

  #rule(rules: MandateRules): void {
    this.#toWitness(() => {
      this.witness.rules = rules;
    });
    this.hear({ kind: "configured" });
  }

  /** Nobody asks any more what became of its wish. */
  #forget(): void {
    this.state = { serial: this.state.serial, phase: { kind: "none" } };
    this.#unlearn();
    this.#timer += 1;
    this.nobodyWants();
  }

  resume(): void {
    for (const event of this.#mail.splice(0)) this.hear(event);
    this.hear({ kind: "tick" });
  }

  /** The vrrp process died, and its last will was carried out. */
  nobodyWants(): void {
    this.#toWitness(() => this.witness.hear({ kind: "nobody-wants" }));
  }

  /** The witness process died; another one comes, and knows nothing. */
  witnessStarted(): void {
    if (this.witness.alive) return;
    this.witness.start();
    this.#toVrrp({ kind: "witness-lost" });
  }

  hear(event: MandateEvent, now?: Instant): void {
    const { host, machine, world } = this.#parts;
    if (!host.alive || !this.mandated) return;
    if (host.paused) {
      this.#mail.push(event);
      return;
    }
    const at = now ?? host.local(world.now);
    const failsafe = this.rules.lease?.failsafe === true && world.sessions?.allUp(host) === true;
    const surroundings = { failsafe, lease: this.rules.lease?.mode };
    const { state, effects } = machine.mandate(surroundings, this.state, event, at);
    this.#note(event);
    this.state = state;
    for (const effect of effects) this.#execute(effect);
    this.#schedule();
  }

  /** What it was before this event. */
  #note(event: MandateEvent): void {
    const { phase } = this.state;
    if (phase.kind === "granted") this.#noteGranted(phase);
    // What is said of a wish of before a reload says nothing of this one.
    if (event.kind !== "news" || !("wish" in phase) || phase.wish.serial !== event.serial) return;
    if (event.news.kind !== "waiting") this.kept = undefined;
    const { now } = this.#parts.world;
    const still = this.taken?.still === true;
    if (event.news.kind === "taken") {
      this.taken = { since: still ? (this.taken?.since ?? now) : now, until: now, still: true };
    } else if (still && this.taken !== undefined) {
      this.taken = { ...this.taken, until: now, still: false };
    }
  }

  #noteGranted({ failsafe, grace, deadlineAt }: GrantedPhase): void {
    this.wentWithout = failsafe || grace;
    if (!failsafe) this.deadline = grace ? 0 : (deadlineAt ?? 0);
  }

  /** What the store said is of another life, or another need. */
  #unlearn(): void {
    if (this.taken !== undefined) this.taken = { ...this.taken, still: false };
  }

  heal(): void {
    this.mailMax = MAIL;
    this.shutMax = SHUT;
  }

  isSteady(holds: boolean): boolean {
    if (!this.mandated) return false;
    const { phase } = this.state;
    const rests = holds
      ? phase.kind === "granted" && phase.delay === undefined
      : phase.kind === "none";
    return rests && this.mailMax === MAIL && this.shutMax === SHUT && this.witness.isSteady(holds);
  }

  #execute(effect: MandateEffect): void {
    const { world, host } = this.#parts;
    if (effect.kind === "say") this.#say(effect);
    if (effect.kind === "failsafe") this.failsafes += effect.begins ? 1 : 0;
    if (effect.kind === "tell-group") this.#parts.tellGroup({ kind: effect.event });
    if (effect.kind === "limit") for (const mate of host.mates) world.limitGate(mate);
    if (effect.kind === "await-shut") {
      const { serial } = effect;
      // By then its members were told to leave: nothing opens a gate again for this wish.
      const last = Math.max(world.now, ...host.mates.map(({ gate }) => gate.shutAt));
      world.travel(last - world.now + SHUT, () => this.hear({ kind: "gates-shut", serial }));
    }
  }

  #say({ what, wish }: Extract<MandateEffect, { readonly kind: "say" }>): void {
    const { serial, fence } = wish;
    this.#toWitness(() =>
      this.witness.hear(
        what === "mandate-wanted"
          ? { kind: "wanted", serial, fence }
          : { kind: "unwanted", serial },
      ),
    );
  }

  #toWitness(arrive: () => void): void {
    const { world } = this.#parts;
    const at = Math.max(world.now + this.#delay(), this.#lastToWitness);
    this.#lastToWitness = at;
    world.travel(at - world.now, arrive);
  }

  #toVrrp(event: MandateEvent): void {
    const { world } = this.#parts;
    const at = Math.max(world.now + this.#delay(), this.#lastToVrrp);
    this.#lastToVrrp = at;
    world.travel(at - world.now, () => this.hear(event));
  }

  #delay(): number {
    const { calm, prng } = this.#parts.world;
    if (calm) return MAIL / 2;
    return prng.next() * this.mailMax;
  }

  #schedule(): void {
    const { world, host } = this.#parts;
    this.#timer += 1;
    const number = this.#timer;
    const at = mandateDeadline(this.state);
    if (at === undefined) return;
    world.after(Math.max(0, host.global(at) - world.now) + world.jitter(), () => {
      if (number === this.#timer && host.running) this.hear({ kind: "tick" });
    });
  }
}
