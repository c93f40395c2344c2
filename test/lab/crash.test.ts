import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProgramName } from "../bench/program.ts";
import { PROGRAMS } from "../bench/program.ts";
import { PROGRAM } from "./agent.ts";
import { skip } from "./cluster.ts";
import { Cage } from "./crash/cage.ts";
import type { Failure } from "./crash/failure.ts";
import { FAILURES } from "./crash/failures.ts";
import { measure, phaseOf } from "./crash/measure.ts";
import { Programs } from "./crash/programs.ts";
import type { Cast } from "./crash/scene.ts";
import { castOf, stage } from "./crash/scene.ts";
import { figuresText, shortfalls } from "./crash/shortfalls.ts";
import { nothingLeft } from "./leftovers.ts";
import type { Ensemble } from "./stores/ensemble.ts";
import { etcd } from "./stores/etcd.ts";

/* The node that has the address fails, in every way that there is. */

const lacking = skip === false ? (Cage.lacks() ?? false) : skip;
const AT_ONCE = Number(process.env["HOLDFAST_LAB_CRASHES"] ?? 6);
const INTERVALS = [1, 0.1];
const ONLY = new RegExp(process.env["HOLDFAST_LAB_CRASH"] ?? "");

interface Cell {
  readonly name: string;
  readonly failure: Failure;
  readonly cast: Cast;
}

/**
 * Each failure at each interval, or at one of them where that is enough, and before each program where it
 * makes a difference, else before one of them. `npm run bench -- crash all` has all combinations, and
 * repeats them.
 */
function cells(): readonly Cell[] {
  const all = INTERVALS.flatMap((interval, i) =>
    FAILURES.flatMap((failure, f): readonly Cell[] => {
      const { tested, beside: possible = PROGRAMS } = failure;
      if (typeof tested === "number" && tested !== interval) return [];
      const one = possible[(f + i) % possible.length];
      const chosen = tested === "everywhere" ? possible : possible.filter((other) => other === one);
      return chosen.map((other) => cellOf(failure, other, interval));
    }),
  );
  const killed = FAILURES.filter(({ name }) => name === "SIGKILL of everything at once");
  const six = killed.flatMap((failure) =>
    PROGRAMS.map((other) => cellOf(failure, other, 0.1, "ipv6")),
  );
  return [...all, ...six];
}

function cellOf(
  failure: Failure,
  other: ProgramName,
  interval: number,
  family?: Cast["family"],
): Cell {
  const name = [failure.name, `${interval} s`, family, `beside ${other}`]
    .filter(Boolean)
    .join(", ");
  return { name, failure, cast: castOf(failure, "holdfast", other, interval, family) };
}

describe("failures of the node that has the address", {
  skip: lacking,
  concurrency: AT_ONCE,
  timeout: 300_000,
}, () => {
  let programs: Programs;
  let store: Ensemble;
  before(async () => {
    programs = new Programs();
    store = await etcd(1);
  });
  after(async () => {
    programs.dispose();
    for (const server of store.servers) await server.dispose();
    return nothingLeft();
  });

  for (const [at, { failure, cast, name }] of cells().entries()) {
    if (!ONLY.test(name)) continue;
    test(name, async (t) => {
      await stage(cast, { programs, store }, { program: PROGRAM }, async (scene) => {
        const figures = await measure(scene, failure, { phase: phaseOf(at) });
        t.diagnostic(`${name}: ${figuresText(figures)}`);
        assert.deepEqual(shortfalls(scene, failure, figures), []);
      });
    });
  }
});
