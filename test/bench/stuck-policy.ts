import { setTimeout as delay } from "node:timers/promises";
import { Lab } from "../../agent/linux/lab.ts";
import { configText } from "../lab/instance-text.ts";
import { CheckFiles, policyText } from "./check-files.ts";
import type { Package } from "./program.ts";
import { Daemon } from "./program.ts";
import type { Row, Section } from "./row.ts";
import { ms } from "./row.ts";

const NEIGHBOURS = 64;
/** Runs of the stuck policy until it no longer answers. */
const GOOD_RUNS = 30;
const WATCHED_MS = 8_000;
const STARTED_MS = 20_000;
/** Seconds. */
const INTERVAL = 0.1;
const AIM = 0.2;

/** Both never end; only the second one never asks whether it should. */
const WAYS = [
  { what: "for (;;) {}", code: "for (;;) {}" },
  { what: "[].indexOf over 2⁵³ places", code: "[].indexOf.call({ length: 2 ** 53 - 1 }, 1);" },
] as const;

/** What the neighbours of a policy notice that never ends. */
export async function stuckPolicy(from: Package): Promise<Section> {
  const rows: Row[] = [];
  for (const { what, code } of WAYS) {
    const { before, during } = await worstGaps(from, code);
    rows.push({
      what: `stuck policy (\`${what}\`) among ${NEIGHBOURS}: longest between two verdicts of another`,
      holdfast: `${ms(during, 0)} (before: ${ms(before, 0)})`,
      keepalived: "–",
      aim: `≤ ${ms(AIM, 0)} more than the interval`,
      met: during <= INTERVAL + AIM,
    });
  }
  return {
    title: "A stuck policy",
    method:
      `${NEIGHBOURS} policies with a check each 100 ms whose verdict is another one each time, and one ` +
      `more that gets stuck in its ${GOOD_RUNS}th run, and in each run after that. Times of the verdicts ` +
      `in the log, for ${WATCHED_MS / 1_000} s from the first strike; the first two seconds count for ` +
      `"before".`,
    rows,
  };
}

interface Gaps {
  /** Seconds. */
  readonly before: number;
  readonly during: number;
}

async function worstGaps(from: Package, code: string): Promise<Gaps> {
  const lab = new Lab();
  const node = lab.node("checker");
  lab.attach(node, lab.segment("lan"), { name: "eth0", addresses: ["192.0.2.1/24"] });
  const files = new CheckFiles();
  const state = "{ version: 1, init: () => ({ runs: 0 }) }";
  const alternating = "(ctx) => (ctx.state.runs += 1) % 2 === 0";
  for (let at = 0; at < NEIGHBOURS; at += 1) {
    files.policy(`neighbour${at}`, policyText({ state, every: "100ms", run: alternating }));
  }
  const daemon = new Daemon("holdfast", from, node, configText([{ interval: 1 }]), files.options);
  const verdicts = new Verdicts();
  try {
    daemon.start((line) => verdicts.hear(line));
    await verdicts.until(() => verdicts.seen() === NEIGHBOURS, daemon);
    await delay(2_000);
    const start = Date.now();
    // What loading it does to the others is a row of its own.
    const run = `(ctx) => { if ((ctx.state.runs += 1) >= ${GOOD_RUNS}) { ${code} } return true; }`;
    files.policy("stuck", policyText({ state, every: "100ms", run }));
    await verdicts.until(() => verdicts.struckAt !== undefined, daemon);
    await delay(WATCHED_MS);
    const { struckAt = Number.NaN } = verdicts;
    return {
      before: verdicts.worstGap(start - 2_000, start) / 1_000,
      during: verdicts.worstGap(struckAt - 1_000, struckAt + WATCHED_MS) / 1_000,
    };
  } finally {
    await daemon.stop();
    daemon.dispose();
    files.dispose();
    lab.dispose();
  }
}

/** Of the neighbours, as the log tells them; times are wall-clock milliseconds. */
class Verdicts {
  struckAt: number | undefined;
  readonly #times = new Map<string, number[]>();

  hear(line: string): void {
    if (!line.startsWith("{")) return;
    const { kind, subject = "", time = 0, msg = "" } = JSON.parse(line) as Partial<LogLine>;
    if (subject === "stuck" && msg.includes("strike")) this.struckAt ??= time;
    if (kind !== "check" || !subject.startsWith("policy neighbour")) return;
    const times = this.#times.get(subject) ?? [];
    times.push(time);
    this.#times.set(subject, times);
  }

  seen(): number {
    return this.#times.size;
  }

  async until(met: () => boolean, daemon: Daemon): Promise<void> {
    const deadline = performance.now() + STARTED_MS;
    while (!met()) {
      if (performance.now() > deadline)
        throw new Error(
          `not seen:\n${daemon.log
            .split("\n")
            .filter((line) => !line.includes("neighbour"))
            .join("\n")
            .slice(-2_000)}`,
        );
      await delay(20);
    }
  }

  /** Longest that any of them said nothing, in milliseconds. */
  worstGap(from: number, to: number): number {
    let worst = 0;
    for (const times of this.#times.values()) {
      const within = [from, ...times.filter((at) => at > from && at < to), to];
      for (const [at, time] of within.slice(1).entries()) {
        worst = Math.max(worst, time - (within[at] ?? 0));
      }
    }
    return worst;
  }
}

interface LogLine {
  readonly kind: string;
  readonly subject: string;
  readonly time: number;
  readonly msg: string;
}
