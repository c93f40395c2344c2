import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Package } from "./program.ts";
import type { Row, Section } from "./row.ts";
import { ms } from "./row.ts";
import type { ServersText } from "./servers-text.ts";
import { serversText } from "./servers-text.ts";
import { median } from "./statistics.ts";

const ROUNDS = 7;
/** Seconds. */
const AIM = 0.3;
const lines = ["TCP_CHECK {", "  connect_timeout 3", "}"];

/** How long it takes to check large files of virtual servers. */
export function serversCheck(from: Package): Promise<Section> {
  const one = row("check of 20,000 real servers of one service", from, {
    ...{ services: 1, realServers: 20_000, lines },
  });
  const many = row("check of 2,277 services × 16 real servers", from, {
    ...{ services: 2_277, realServers: 16, lines },
  });
  return Promise.resolve({
    title: "Check of virtual servers",
    method:
      `Medians of ${ROUNDS} runs of \`holdfast check\` and of \`keepalived -t\` on the same file in turn, the ` +
      `process's start included. Each real server has a TCP_CHECK. keepalived looks for each real server ` +
      `among those before it, and so takes four times as long for twice as many of one service.`,
    rows: [
      { ...one, aim: `≤ ${ms(AIM, 0)}`, met: one.own <= AIM },
      { ...many, aim: "stated", met: true },
    ].map(({ own: _, ...rest }): Row => rest),
  });
}

function row(what: string, from: Package, text: ServersText) {
  const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-check-`));
  const file = join(folder, "keepalived.conf");
  try {
    writeFileSync(file, serversText(text));
    const own: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      own.push(timed(process.execPath, [from.program, "check", file]));
      theirs.push(timed("keepalived", ["--config-test", "--use-file", file]));
    }
    const [ours, other] = [median(own), median(theirs)];
    return {
      ...{ what, own: ours, ratio: ours / other },
      ...{ holdfast: ms(ours, 0), keepalived: ms(other, 0) },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function timed(command: string, args: readonly string[]): number {
  const started = performance.now();
  const run = spawnSync(command, args, { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`${command}: ${run.stdout}${run.stderr}`.slice(0, 2_000));
  return (performance.now() - started) / 1_000;
}
