import { setTimeout as delay } from "node:timers/promises";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { configText } from "../lab/instance-text.ts";
import { allChecksRan } from "./check-cost.ts";
import { CheckFiles, policyText, vrrpScripts } from "./check-files.ts";
import type { Package } from "./program.ts";
import { Daemon } from "./program.ts";
import type { Row, Section } from "./row.ts";
import { ms } from "./row.ts";
import { median, quantile } from "./statistics.ts";

const SAVES = 100;
const RELOADS = 10;
const PRIORITY = 100;
const WEIGHT = -30;
/** Seconds. */
const AIM = 0.1;
const PATIENCE_MS = 10_000;
/** What an earlier save set in motion is over. */
const PAUSE_MS = 120;

/** From the end of a save to the priority that it brings. */
export async function saveToEffect(from: Package): Promise<Section> {
  const lab = new Lab();
  const node = lab.node("edited");
  lab.attach(node, lab.segment("lan"), { name: "eth0", addresses: ["192.0.2.1/24"] });
  const files = new CheckFiles();
  try {
    const own = await policySaves(from, node, files);
    const theirs = await reloads(from, node, files);
    return {
      title: "Save to effect",
      method:
        `A policy is saved ${SAVES} times, by renaming a new file and by writing into the old one in ` +
        `turn, with another verdict each time; counted from the end of the save to the new priority in ` +
        `the log, with the 50 ms in which an editor may go on. keepalived's script is given another ` +
        `status in the same way by a new configuration: ${RELOADS} times, counted from SIGHUP.`,
      rows: [row("median", own, theirs, median), row("p95", own, theirs, p95)],
    };
  } finally {
    lab.dispose();
    files.dispose();
  }
}

const p95 = (times: readonly number[]): number => quantile(times, 0.95);

function row(
  name: string,
  own: readonly number[],
  theirs: readonly number[],
  of: (times: readonly number[]) => number,
): Row {
  const [a, b] = [of(own), of(theirs)];
  const met = name !== "median" || a <= AIM;
  const aim = name === "median" ? `≤ ${ms(AIM, 0)}` : "stated";
  const figures = { holdfast: ms(a, 0), keepalived: ms(b, 0), ratio: a / b };
  return { what: `save to effect, ${name}`, ...figures, aim, met };
}

const policy = (up: boolean): string =>
  policyText({
    permissions: '{ control: { routers: ["V"] } }',
    every: "1s",
    track: `{ routers: { V: ${WEIGHT} } }`,
    run: `() => ${up}`,
  });

async function policySaves(
  from: Package,
  node: LabNode,
  files: CheckFiles,
): Promise<readonly number[]> {
  files.grant(["control V"]);
  files.policy("edited", policy(true));
  const config = configText([{ priority: PRIORITY }]);
  const daemon = new Daemon("holdfast", from, node, config, files.options);
  try {
    const seen = new LogLine();
    daemon.start((line) => seen.hear(line));
    await allChecksRan(daemon, 1);
    const times: number[] = [];
    for (let save = 0; save < SAVES; save += 1) {
      await delay(PAUSE_MS);
      const up = save % 2 === 1;
      // Both ways of saving meet both verdicts.
      if (save % 4 < 2) files.policy("edited", policy(up));
      else files.overwrite("edited", policy(up));
      const saved = performance.now();
      const now = `"after":${up ? PRIORITY : PRIORITY + WEIGHT}`;
      times.push((await seen.find(now, daemon)) - saved);
    }
    return times.map((time) => time / 1_000);
  } finally {
    await daemon.stop();
    daemon.dispose();
  }
}

async function reloads(
  from: Package,
  node: LabNode,
  files: CheckFiles,
): Promise<readonly number[]> {
  const config = (up: boolean): string => {
    const path = files.script(up ? "up.sh" : "down.sh", `exit ${up ? 0 : 1}`);
    const { blocks, track } = vrrpScripts(1, path);
    const weighted = track.map((line) =>
      line.includes("check0") ? `${line} weight ${WEIGHT}` : line,
    );
    return configText([{ priority: PRIORITY, more: weighted }], ["script_user root"], blocks);
  };
  const daemon = new Daemon("keepalived", from, node, config(true));
  try {
    const seen = new LogLine();
    daemon.start((line) => seen.hear(line));
    await seen.find("Entering MASTER STATE", daemon);
    const times: number[] = [];
    for (let reload = 0; reload < RELOADS; reload += 1) {
      await delay(500 + Math.random() * 1_000);
      const up = reload % 2 === 1;
      daemon.configure(config(up));
      const saved = performance.now();
      daemon.reload();
      const now = `effective priority from ${up ? PRIORITY + WEIGHT : PRIORITY} to ${up ? PRIORITY : PRIORITY + WEIGHT}`;
      times.push((await seen.find(now, daemon)) - saved);
    }
    return times.map((time) => time / 1_000);
  } finally {
    await daemon.stop();
    daemon.dispose();
  }
}

/** Waits for a line of a log. */
class LogLine {
  #wanted = "";
  #found: (at: number) => void = () => undefined;

  hear(line: string): void {
    if (this.#wanted !== "" && line.includes(this.#wanted)) this.#found(performance.now());
  }

  /** When it came, on the clock of `performance.now`. */
  async find(text: string, daemon: Daemon): Promise<number> {
    this.#wanted = text;
    return await new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`no line with ${text}:\n${daemon.log.slice(-2_000)}`)),
        PATIENCE_MS,
      );
      this.#found = (at) => {
        clearTimeout(late);
        this.#wanted = "";
        resolve(at);
      };
    });
  }
}
