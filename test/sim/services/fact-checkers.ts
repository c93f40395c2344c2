import type { DestinationKey } from "../../../agent/core/ipvs/service.ts";
import { destinationKey } from "../../../agent/core/ipvs/service.ts";
import type { PoolEffect } from "../../../agent/core/virtual-server/pool.ts";
import { Violation } from "../checker.ts";
import type { MakeWatch } from "./trial.ts";
import { detectionTime, isHeld } from "./truth.ts";
import { nameOf } from "./world.ts";

/** Every change is told once: up and down alternate, of servers and of the quorum. */
const alternate: MakeWatch = ({ world }) => {
  /** By virtual server, then by real server. */
  const last = new Map<string, Map<string, boolean>>();
  const hear = (name: string, subject: string, up: boolean): void => {
    const known = last.get(name) ?? new Map<string, boolean>();
    last.set(name, known);
    if (known.get(subject) === up) {
      throw new Violation("alternate", world.now, `${subject} of ${name} is ${word(up)} twice`);
    }
    known.set(subject, up);
  };
  const forget = (name: string): void => {
    const there = world.states.get(name)?.servers ?? {};
    const known = last.get(name);
    for (const subject of known?.keys() ?? []) {
      if (subject !== QUORUM && !(subject in there)) known?.delete(subject);
    }
  };
  return {
    started: () => last.clear(),
    effects(name, effects) {
      // One that was there before may be there anew.
      if (effects.some((one) => one.kind === "quorum" && one.start)) last.delete(name);
      for (const one of effects) {
        if (one.kind === "quorum") hear(name, QUORUM, one.up);
        if (one.kind === "server") hear(name, one.server, one.up);
      }
      // Who is configured again later is another one.
      forget(name);
    },
  };
};

const QUORUM = "the quorum";

const word = (up: boolean): string => (up ? "up" : "down");

/** The quorum is lost and won where its rule says. */
const quorumRule: MakeWatch = ({ world }) => ({
  effects(name, effects) {
    const service = world.service(name);
    for (const one of effects) {
      if (one.kind !== "quorum" || service === undefined) continue;
      const { quorum, hysteresis } = service;
      const { up, start, weight } = one;
      const least = up || start ? quorum + hysteresis : quorum - hysteresis;
      if (up === (weight > 0 && weight >= least)) continue;
      const message = `${name} is ${word(up)} with weight ${weight} at ${quorum} ± ${hysteresis}`;
      throw new Violation("quorum-rule", world.now, message);
    }
  },
});

type ServerFact = Extract<PoolEffect, { readonly kind: "server" }>;

/** Nobody is told down who answers as he should, nor up who does not. */
const noSlander: MakeWatch = ({ world }) => {
  const look = (name: string, { server, up, reason }: ServerFact): void => {
    const service = world.service(name);
    const real = service?.realServers.find((each) => destinationKey(each) === server);
    if (service === undefined || real === undefined) return;
    const refused = world.claims.get(nameOf(service, server))?.kind === "down";
    const failed = real.checks.some((check) => world.hosts.misses(check) > check.timing.retries);
    if (!up && !failed && !refused) {
      const message = `${server} of ${name} is told down (${reason}) and has answered`;
      throw new Violation("no-slander", world.now, message);
    }
    const anew = world.now < Math.max(world.forcedAt, world.disturbedAt) + detectionTime(real);
    if (!up || !failed || refused || anew || isHeld(world, name, server)) return;
    const message = `${server} of ${name} is told up and has not answered`;
    throw new Violation("no-slander", world.now, message);
  };
  return {
    effects(name, effects) {
      // Whom the guard has held it lets fall when it ends, whatever they have come to meanwhile.
      if (effects.some(({ kind }) => kind === "panic")) return;
      for (const one of effects) {
        if (one.kind === "server" && !one.start && one.reason !== "removed") look(name, one);
      }
    },
  };
};

/** Whoever listens hears of each change, of the servers first and then of the quorum. */
const tellings: MakeWatch = ({ world }) => {
  let due: string[] = [];
  const over = (): void => {
    const [first] = due;
    if (first === undefined) return;
    throw new Violation("tellings", world.now, `nobody was told ${first}`);
  };
  return {
    started: () => {
      due = [];
    },
    effects(name, effects) {
      over();
      const lines = effects.flatMap((one) => lineOf(name, one));
      // The rule, whatever order the machine has.
      due = [...lines.filter((line) => line.startsWith("RS")), ...lines.filter(isOfService)];
    },
    told(_, lines) {
      // An end of its own: omega.
      if (world.stopping) return;
      for (const line of lines) {
        const first = due.shift();
        if (line === first) continue;
        throw new Violation("tellings", world.now, `told ${line} in place of ${first}`);
      }
    },
    settled: over,
  };
};

const isOfService = (line: string): boolean => line.startsWith("VS");

function lineOf(name: string, effect: PoolEffect): readonly string[] {
  if (effect.kind === "quorum") return [`VS ${name} ${effect.up ? "UP" : "DOWN"}`];
  if (effect.kind !== "server" || effect.start) return [];
  return [`RS ${realName(effect.server)} ${name} ${effect.up ? "UP" : "DOWN"}`];
}

/** As keepalived writes it. */
const realName = (server: DestinationKey): string =>
  `[${server.slice(0, server.lastIndexOf(":"))}]:tcp:${server.slice(server.lastIndexOf(":") + 1)}`;

/** The guard holds only where at least two fell and too few are left. */
const guardRule: MakeWatch = ({ world }) => ({
  effects(name, effects) {
    const service = world.service(name);
    for (const one of effects) {
      if (one.kind !== "panic" || one.held === 0) continue;
      const threshold = service?.panicThreshold ?? 0;
      if (one.held >= 2 && one.up * 100 < threshold * (one.up + one.held)) continue;
      const message = `${name} holds ${one.held} with ${one.up} left at ${threshold} percent`;
      throw new Violation("guard-rule", world.now, message);
    }
  },
});

export const FACT_CHECKERS: readonly MakeWatch[] = [
  alternate,
  quorumRule,
  noSlander,
  tellings,
  guardRule,
];
