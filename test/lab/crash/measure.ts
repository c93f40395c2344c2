import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../eventually.ts";
import type { Client, Connected, Heard } from "./client.ts";
import { wallClock } from "./client.ts";
import type { Failure } from "./failure.ts";
import type { Scene } from "./scene.ts";
import { timingOf, untilPhase } from "./scene.ts";

/** What a client saw by one way of asking. Milliseconds. */
export interface Seen {
  /** The longest time without an answer from anybody. */
  readonly outage: number;
  /**
   * From when both had answered once until one of them answered for the last time; 0 where they took
   * turns as often as is right, and one never answered between two answers of the other one. Connections count by
   * when they were begun: what a service that stood still says later, to whom it had accepted, no gate
   * can take for something else.
   */
  readonly both: number;
  /** MAC of who answered last. */
  readonly last: string | undefined;
  /** When that was, from the failure on. */
  readonly until: number;
}

export interface Figures {
  readonly who: Seen;
  readonly tcp: Seen;
  /** How long the failing node had the address; `undefined`: to the end of the measurement. */
  readonly stale: number | undefined;
  /** When the client heard from the failing node for the last time, whatever it was. */
  readonly heardUntil: number;
  /** That was measured. */
  readonly lasted: number;
  /** For how long programs that had something to do waited for a processor meanwhile. */
  readonly noise: number;
  /** How often the rightful owner announced the address after the failure was healed. */
  readonly announcedAfter: number;
}

/** Enough answers that it is no chance. */
const ANSWERS = 20;
/** Beyond what is expected, for those of whom nothing is expected. */
const PATIENCE_MS = 4_000;
/** Before the failure, so that a gap that begins with it is seen. */
const BEFORE_MS = 100;
const HEALED_MS = 1_500;
/** After it the rightful owner announces itself once nothing was heard of the other one for 3.5 intervals. */
const ANNOUNCED_INTERVALS = 4;
const UNHEALED_MS = 500;
/** A split is looked at for so long before it is healed. */
const SPLIT_MS = 1_000;

/** Those who have a part in a hand-over besides the client: each may be as late as it is. */
const FOUR = 4;

/** Milliseconds for which somebody waited for a processor, since the machine started. */
function waited(): number {
  try {
    const text = readFileSync("/proc/pressure/cpu", "utf8");
    return Number(/^some .*total=(\d+)$/m.exec(text)?.[1] ?? 0) / 1_000;
  } catch {
    // A kernel that does not count it.
    return 0;
  }
}

export interface Course {
  /** The failure comes this share of an interval after an advertisement. */
  readonly phase: number;
  /** Waits for the address to go, for so long; for that of the table where it is left out. */
  readonly staleMs?: number;
}

/** Of the nth failure: spread over the interval, from the advertisement on. */
export const phaseOf = (nth: number): number => (nth * 0.618) % 0.95;

/** Lets one failure happen, and tells what was seen of it. */
export async function measure(scene: Scene, failure: Failure, course: Course): Promise<Figures> {
  const { client } = scene;
  if (failure.prepare === undefined) await untilPhase(scene, course.phase);
  else await failure.prepare(scene);
  const start = wallClock();
  const waitedBefore = waited();
  await failure.inflict(scene);
  await takesOver(scene, failure, start);
  const noise = waited() - waitedBefore;
  await goes(scene, failure, course, start);
  let healedAt = wallClock();
  if (failure.heal !== undefined) {
    await failure.heal.act(scene);
    healedAt = Math.min(wallClock(), healedAt);
    await delay(Math.max(HEALED_MS, 3 * timingOf(scene.cast).interval));
    await announcedAgain(scene, failure, healedAt);
  } else {
    // Longer than a client's kernel believes the wrong one of two.
    await delay(failure.expected.both === "never" ? UNHEALED_MS : HEALED_MS);
  }
  const end = wallClock();
  const changes = failure.expected.changes ?? 1;
  return {
    who: seen(
      client.who.map((one) => ({ ...one, asked: one.at })),
      start,
      end,
      changes,
    ),
    tcp: seen(client.tcp, start, end, changes),
    stale: staleOf(scene, start),
    heardUntil: heardUntil(scene, start),
    lasted: end - start,
    noise: Math.max(noise, FOUR * client.lateness(start)),
    announcedAfter: announcements(scene, failure, healedAt),
  };
}

/** Until the other one answers, if it is to; else for as long as it would take. */
async function takesOver({ client, other, cast }: Scene, { expected }: Failure, start: number) {
  const { down, ttl } = timingOf(cast);
  if (expected.owner !== "other") {
    return delay(Math.max(down, ttl) + (expected.both === "never" ? UNHEALED_MS : SPLIT_MS));
  }
  await eventually("the other one answers", down + 4 * ttl + PATIENCE_MS, () => {
    for (const each of [client.who, client.tcp]) {
      const answers = since(each, start).filter(({ mac }) => mac === other.mac);
      if (answers.length < ANSWERS) throw new Error("it does not");
    }
  });
}

/** Until the failing node has lost the address, if that is promised, or for as long as is said. */
async function goes(
  { watch, failing, cast }: Scene,
  { expected, heal }: Failure,
  { staleMs }: Course,
  start: number,
): Promise<void> {
  if (expected.stale === undefined || heal?.early) return;
  const until = start + (staleMs ?? expected.stale(timingOf(cast)) + PATIENCE_MS);
  while (watch.holders.includes(failing.node.name) && wallClock() < until) await delay(5);
}

/** Until the owner announces itself after the end of a failure, if that is promised. */
async function announcedAgain(scene: Scene, failure: Failure, healedAt: number): Promise<void> {
  if (failure.heal?.announcedBeside?.includes(scene.cast.other) !== true) return;
  const until = healedAt + ANNOUNCED_INTERVALS * timingOf(scene.cast).interval + UNHEALED_MS;
  while (announcements(scene, failure, healedAt) === 0 && wallClock() < until) await delay(5);
}

function announcements(scene: Scene, { expected }: Failure, healedAt: number): number {
  const { client, failing, other } = scene;
  const rightful = (expected.owner === "failing" ? failing : other).mac;
  return since(client.announced, healedAt).filter(({ mac }) => mac === rightful).length;
}

/** When the address left the failing node, if it has not come back since. */
function staleOf({ watch, failing }: Scene, start: number): number | undefined {
  if (watch.holders.includes(failing.node.name)) return undefined;
  const left = watch.history.findLast(({ node, held }) => node === failing.node.name && !held);
  // It may have gone before, on a machine that gives its node no processor.
  return left === undefined ? undefined : Math.max(0, performance.timeOrigin + left.at - start);
}

function heardUntil({ client: { who, tcp, announced, adverts }, failing }: Scene, start: number) {
  const all: readonly (readonly Heard[])[] = [who, tcp, announced, adverts];
  const last = all.map((heard) => heard.findLast(({ mac }) => mac === failing.mac)?.at ?? start);
  return Math.max(0, Math.max(...last) - start);
}

const since = (heard: Client["who"], at: number): Heard[] => heard.filter((one) => one.at >= at);

function seen(heard: readonly Connected[], start: number, end: number, changes: number): Seen {
  const answers = heard.filter(({ at }) => at >= start - BEFORE_MS && at <= end);
  const times = [...answers.map(({ at }) => at), end];
  const gaps = times.map((at, each) => at - (times[each - 1] ?? at));
  const macs = [...new Set(answers.map(({ mac }) => mac))];
  const asked = macs.map((mac) => answers.flatMap((one) => (one.mac === mac ? one.asked : [])));
  const firsts = asked.map((times) => Math.min(...times));
  const lasts = asked.map((times) => Math.max(...times));
  const turns = answers.toSorted((a, b) => a.asked - b.asked);
  const taken = turns.filter(({ mac }, each) => each > 0 && mac !== turns[each - 1]?.mac).length;
  const both = taken <= changes ? 0 : Math.min(...lasts) - Math.max(...firsts);
  const { mac: last, at: lastAt = start } = answers.at(-1) ?? { mac: undefined };
  const until = Math.max(0, lastAt - start);
  return { outage: Math.max(0, ...gaps), both: Math.max(0, both), last, until };
}
