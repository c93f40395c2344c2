import type { Failure } from "../lab/crash/failure.ts";
import { FAILURES } from "../lab/crash/failures.ts";
import type { Figures } from "../lab/crash/measure.ts";
import { measure } from "../lab/crash/measure.ts";
import { Programs } from "../lab/crash/programs.ts";
import type { Props } from "../lab/crash/scene.ts";
import { castOf, stage } from "../lab/crash/scene.ts";
import { shortfalls } from "../lab/crash/shortfalls.ts";
import { etcd } from "../lab/stores/etcd.ts";
import type { Package, ProgramName } from "./program.ts";

/** One failure of one node, before another one. */
export interface Try {
  readonly failure: Failure;
  readonly failing: ProgramName;
  readonly other: ProgramName;
  /** Seconds. */
  readonly interval: number;
  /** The share of an interval that has passed since an advertisement when it fails. */
  readonly phase: number;
  /** How long to wait for an address that stays. */
  readonly staleMs?: number;
}

export interface Outcome {
  readonly tried: Try;
  readonly figures: Figures;
  /** In what it was less than Holdfast promises. */
  readonly shortfalls: readonly string[];
}

export function failureNamed(name: string): Failure {
  const failure = FAILURES.find((one) => one.name === name);
  if (failure === undefined) throw new TypeError(`there is no failure ${name}`);
  return failure;
}

/** Each in a network of its own, some at the same time: they wait more than they work. */
export async function tryAll(
  tries: readonly Try[],
  from: Package,
  atOnce: number,
): Promise<readonly Outcome[]> {
  const isAsked = tries.some(({ failure }) => failure.witness !== undefined);
  const props = { programs: new Programs(), store: isAsked ? await etcd(1) : undefined };
  const outcomes: Outcome[] = [];
  const waiting = [...tries.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, tried] = next;
      const again = (error: unknown): Promise<Outcome> => {
        process.stdout.write(`\nonce more: ${error instanceof Error ? error.message : error}\n`);
        return tryOnce(tried, props, from);
      };
      outcomes[at] = await tryOnce(tried, props, from).catch(again);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, work));
  } finally {
    props.programs.dispose();
    for (const server of props.store?.servers ?? []) await server.dispose();
  }
  return outcomes;
}

function tryOnce(tried: Try, props: Props, from: Package): Promise<Outcome> {
  const { failure, failing, other, interval, phase, staleMs } = tried;
  const cast = castOf(failure, failing, other, interval);
  const course = staleMs === undefined ? { phase } : { phase, staleMs };
  return stage(cast, props, from, async (scene) => {
    const figures = await measure(scene, failure, course);
    return { tried, figures, shortfalls: shortfalls(scene, failure, figures) };
  });
}
