import type { Instant } from "../../agent/core/time.ts";
import { instant, micros } from "../../agent/core/time.ts";
import type {
  MandateEvent as VrrpEvent,
  MandateState as VrrpState,
} from "../../agent/core/vrrp/mandate.ts";
import { INITIAL_MANDATE } from "../../agent/core/vrrp/mandate.ts";
import { mandateDeadline, mandateLimit } from "../../agent/core/vrrp/mandate-step.ts";
import type { LeaseAnswer } from "../../agent/core/witness/lease-answer.ts";
import type { MandateEvent, MandateRules, MandateState } from "../../agent/core/witness/mandate.ts";
import { initialMandate } from "../../agent/core/witness/mandate.ts";
import { mandateDeadline as witnessDeadline } from "../../agent/core/witness/step-mandate.ts";
import type { RequestKind } from "../../agent/core/witness/witness.ts";
import { CLOCK_RATE_BOUND } from "../../agent/core/witness/witness.ts";
import type { SimulatedMachine } from "../sim/machine.ts";
import type { Space } from "./search.ts";

/** Time goes in ticks: the margin by which a gate may shut late. */
const TICK = 250_000;
const NOW: Instant = instant(1_000 * TICK);

/** How long the store keeps a lease, in ticks: so that a renewal may go unanswered once. */
const TTL = 4;

/** All times of the machines fall on ticks: of the ttl the drift is made up for. */
const RULES: MandateRules = {
  lease: {
    mode: "required",
    ttl: micros(Math.ceil((TTL * TICK) / (1 - CLOCK_RATE_BOUND))),
    renewEvery: micros(TICK),
    requestTime: micros(TICK),
    margin: micros(TICK),
    patience: micros(0),
    failsafe: false,
  },
  fences: false,
};

/** On its way to the store, or its answer on the way back. */
interface Request {
  readonly kind: RequestKind;
  readonly id: number;
  readonly sentAt: Instant;
  readonly token: number;
  readonly answer: LeaseAnswer | undefined;
}

/** Two processes of a host, and its kernel. Whatever else the vrrp process does, it wants a mandate or does not. */
interface Host {
  readonly vrrp: VrrpState;
  readonly witness: MandateState;
  readonly token: number;
  /** Letters on their way to the vrrp process; the other way they take no time. */
  readonly toVrrp: readonly VrrpEvent[];
  /** At the most one is under way. */
  readonly request: Request | null;
  /** Ticks until the kernel shuts the gate. */
  readonly gate: number;
}

/** Everything there is. Plain JSON. */
export interface MandateWorld {
  readonly hosts: readonly Host[];
  /** Ticks that the store keeps it. */
  readonly held: { readonly token: number; readonly left: number; readonly epoch: number } | null;
}

/** What happens next: to a host, or that time passes in which nobody does anything. */
export interface MandateChoice {
  readonly host: number;
  readonly what:
    | "a tick"
    | "the time of a lease"
    | "wants"
    | "wants no more"
    | "gates are shut"
    | "vrrp hears"
    | "vrrp wakes"
    | "witness wakes"
    | "the store hears"
    | "the store answers"
    | "a packet is lost";
}

/** So many letters are under way at the most. */
const LETTERS = 2;

const host = (): Host => ({
  vrrp: INITIAL_MANDATE,
  witness: initialMandate(0),
  token: 0,
  toVrrp: [],
  request: null,
  gate: 0,
});

export const mandateBeginning = (): MandateWorld => ({ hosts: [host(), host()], held: null });

export const gatesOpen = ({ hosts }: MandateWorld): number =>
  hosts.filter(({ gate }) => gate > 0).length;

const due = (at: Instant | undefined): boolean => at !== undefined && at <= NOW;

export function mandateChoices({ hosts }: MandateWorld): readonly MandateChoice[] {
  const choices: MandateChoice[] = [
    { host: 0, what: "a tick" },
    { host: 0, what: "the time of a lease" },
  ];
  for (const [at, { vrrp, witness, toVrrp, request }] of hosts.entries()) {
    const add = (is: boolean, what: MandateChoice["what"]): void => {
      if (is) choices.push({ host: at, what });
    };
    const { kind } = vrrp.phase;
    // Whoever does something has room for what comes of it.
    const room = toVrrp.length < LETTERS && request === null;
    add(room && kind === "none", "wants");
    add(room && (kind === "sought" || kind === "granted"), "wants no more");
    add(room && kind === "returning", "gates are shut");
    add(toVrrp.length > 0 && request === null, "vrrp hears");
    add(room && due(mandateDeadline(vrrp)), "vrrp wakes");
    add(room && due(witnessDeadline(witness)), "witness wakes");
    add(request !== null && request.answer === undefined, "the store hears");
    add(request?.answer !== undefined && toVrrp.length < LETTERS, "the store answers");
    add(request !== null, "a packet is lost");
  }
  return choices;
}

/** One thing that happens, on the production machines or a mutant of them. */
export class MandateStep {
  readonly #machine: SimulatedMachine;
  #hosts: Host[] = [];
  #held: MandateWorld["held"] = null;

  constructor(machine: SimulatedMachine) {
    this.#machine = machine;
  }

  run(world: MandateWorld, { host: at, what }: MandateChoice): MandateWorld {
    this.#hosts = [...world.hosts];
    this.#held = world.held;
    if (what === "a tick") return canonical(oneTickOn(world));
    if (what === "the time of a lease") return canonical(ticksOn(world, TTL));
    const { vrrp, toVrrp, request } = this.#host(at);
    const [letter] = toVrrp;
    if (what === "wants") this.#vrrp(at, { kind: "sought", fence: false });
    if (what === "wants no more") this.#vrrp(at, { kind: "returned" });
    if (what === "gates are shut" && vrrp.phase.kind === "returning") {
      this.#put(at, { gate: 0 });
      this.#vrrp(at, { kind: "gates-shut", serial: vrrp.phase.wish.serial });
    }
    if (what === "vrrp hears" && letter !== undefined) {
      this.#put(at, { toVrrp: toVrrp.slice(1) });
      this.#vrrp(at, letter);
    }
    if (what === "vrrp wakes") this.#vrrp(at, { kind: "tick" });
    if (what === "witness wakes") this.#witness(at, { kind: "tick" });
    if (request !== null) this.#carry(at, request, what);
    return canonical({ hosts: this.#hosts, held: this.#held });
  }

  #carry(at: number, request: Request, what: MandateChoice["what"]): void {
    if (what === "the store hears") {
      this.#put(at, { request: { ...request, answer: this.#ask(request) } });
    }
    if (what === "a packet is lost") this.#put(at, { request: null });
    if (what !== "the store answers" || request.answer === undefined) return;
    this.#put(at, { request: null });
    const { kind, id, sentAt, answer } = request;
    this.#witness(
      at,
      kind === "release" ? { kind: "released", id } : { kind: "answer", id, sentAt, answer },
    );
  }

  #ask({ kind, token }: Request): LeaseAnswer {
    const held = this.#held;
    const ours = held?.token === token;
    if (kind === "release") {
      if (ours) this.#held = null;
      return { kind: "lost" };
    }
    if (ours) {
      this.#held = { ...held, left: TTL };
      return { kind: "held", epoch: `${held.epoch}` };
    }
    if (kind === "renew") return { kind: "lost" };
    if (held !== null) return { kind: "taken", holder: undefined };
    // No epoch that anybody knows is as high.
    this.#held = { token, left: TTL, epoch: 1_000 };
    return { kind: "held", epoch: "1000" };
  }

  #vrrp(at: number, event: VrrpEvent): void {
    const surroundings = { failsafe: false, lease: "required" } as const;
    const { state, effects } = this.#machine.mandate(surroundings, this.#host(at).vrrp, event, NOW);
    this.#put(at, { vrrp: state });
    for (const effect of effects) {
      if (effect.kind === "say") {
        const { serial, fence } = effect.wish;
        const wanted = effect.what === "mandate-wanted";
        this.#witness(
          at,
          wanted ? { kind: "wanted", serial, fence } : { kind: "unwanted", serial },
        );
      }
      // Routers advertise all the while: nothing but the mandate ends the lease, as late as the kernel may.
      if (effect.kind === "limit") this.#open(at, mandateLimit(state));
    }
  }

  #open(at: number, limit: Instant | undefined): void {
    if (limit === undefined || limit <= NOW) return;
    this.#put(at, { gate: Math.ceil((limit - NOW) / TICK) + 1 });
  }

  #witness(at: number, event: MandateEvent): void {
    const { state, effects } = this.#machine.witness(RULES, this.#host(at).witness, event, NOW);
    this.#put(at, { witness: state });
    for (const effect of effects) {
      const { toVrrp, token } = this.#host(at);
      if (effect.kind === "tell") {
        const { serial, news } = effect;
        this.#put(at, { toVrrp: [...toVrrp, { kind: "news", serial, news }] });
      } else if (effect.kind !== "fence") {
        // A number of its own for each holding.
        const own = token === 0 ? 1_000 + at : token;
        const { kind, id } = effect;
        const request = { kind, id, sentAt: NOW, token: own, answer: undefined };
        this.#put(at, { token: kind === "release" ? 0 : own, request });
      }
    }
  }

  #host(at: number): Host {
    return this.#hosts[at] ?? host();
  }

  #put(at: number, change: Partial<Host>): void {
    this.#hosts[at] = { ...this.#host(at), ...change };
  }
}

/** Deadlines that are over are alike; so are moments after which any lease is. */
const DEADLINES = new Set(["deadlineAt", "askAt", "limitAt", "openUntil"]);
const BEGINNINGS = new Set(["askedAt", "sentAt"]);
const LONG_AGO = NOW - TTL * TICK;

/** The same, with all moments a tick nearer. */
function oneTickOn({ hosts, held }: MandateWorld): MandateWorld {
  const nearer = (key: string, value: unknown): unknown => {
    if (typeof value !== "number") return value;
    if (DEADLINES.has(key)) return Math.max(value - TICK, NOW);
    return BEGINNINGS.has(key) ? Math.max(value - TICK, LONG_AGO) : value;
  };
  const moved = JSON.parse(JSON.stringify(hosts), nearer) as Host[];
  return {
    hosts: moved.map((one) => ({ ...one, gate: Math.max(0, one.gate - 1) })),
    held: held === null || held.left <= 1 ? null : { ...held, left: held.left - 1 },
  };
}

const ticksOn = (world: MandateWorld, ticks: number): MandateWorld =>
  ticks === 0 ? world : ticksOn(oneTickOn(world), ticks - 1);

/** What only people are told, or spreads requests, is left out; so is what was said, unless it is not to be repeated. */
function essence(one: Host): Host {
  const { told, witness } = one.witness;
  const { openUntil, askAt } = witness;
  const asked = askAt === undefined ? undefined : Math.ceil((askAt - NOW) / TICK) * TICK + NOW;
  return {
    ...one,
    vrrp: { ...one.vrrp, serial: 0 },
    witness: {
      ...one.witness,
      told: told?.kind === "waiting" ? told : undefined,
      witness: {
        ...witness,
        ...{ answer: undefined, failures: 0, seed: 0, nextId: 10 },
        askAt: asked === undefined ? undefined : instant(asked),
        openUntil: openUntil === undefined || openUntil <= NOW ? undefined : openUntil,
      },
    },
  };
}

/** Numbers that only tell one thing from another count from 1, and which host is the first does not matter. */
function canonical({ hosts, held }: MandateWorld): MandateWorld {
  const plain = hosts.map(essence);
  const [first, second] = [plain, plain.toReversed()].map((order) =>
    JSON.stringify({ hosts: order, held }, new Numbers().tidy),
  );
  const [a = "", b = ""] = [first, second];
  return JSON.parse(a < b ? a : b) as MandateWorld;
}

class Numbers {
  readonly #known = new Map<string, number>();
  #host = -1;

  /** Of JSON.stringify. */
  readonly tidy = (key: string, value: unknown): unknown => {
    if (key === "vrrp") this.#host += 1;
    if (value === null || value === 0) return value;
    if (key === "token") return this.#number("token", value);
    if (key === "epoch") {
      const number = this.#number("epoch", value);
      return typeof value === "string" ? `${number}` : number;
    }
    return key === "id" || (key === "serial" && value !== undefined)
      ? this.#number(`${key} ${this.#host}`, value)
      : value;
  };

  #number(kind: string, value: unknown): number {
    const name = `${kind} ${value}`;
    const number = this.#known.get(name) ?? 1 + this.#count(kind);
    this.#known.set(name, number);
    return number;
  }

  #count(kind: string): number {
    return [...this.#known.keys()].filter((name) => name.startsWith(`${kind} `)).length;
  }
}

/** What may become of two hosts that want one lease, on the given machines. */
export function mandateSpace(machine: SimulatedMachine): Space<MandateWorld, MandateChoice> {
  const step = new MandateStep(machine);
  return {
    beginning: mandateBeginning(),
    choices: mandateChoices,
    next: (world, choice) => step.run(world, choice),
    reachable: gatesOpen,
  };
}
