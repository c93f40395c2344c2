import { setTimeout as delay } from "node:timers/promises";
import { announcements } from "../lab/arp-frames.ts";
import { configText, SERVICE } from "../lab/instance-text.ts";
import { CheckFiles, policyText, vrrpScripts } from "./check-files.ts";
import { NGINX, serveNginx } from "./nginx.ts";
import { ACTIVE, BACKUP, Pair } from "./pair.ts";
import type { Package, ProgramName } from "./program.ts";
import type { Row, Section } from "./row.ts";
import { ms } from "./row.ts";
import { median, quantile } from "./statistics.ts";

const ROUNDS = 10;
/** Seconds. */
const INTERVAL = 0.1;
const SCRIPT_INTERVAL = 1;
const VRID = 51;
const AIM = 0.15;
/** Longer than the slowest of both takes to notice and to hand over. */
const WATCHED_MS = 2_500;
const BACK_MS = 15_000;

/** nginx dies on the active node, and the other one gets the address. */
export async function serviceDeath(from: Package): Promise<Section> {
  const files = new CheckFiles();
  const own = await create("holdfast", from, files);
  const theirs = await create("keepalived", from, files);
  const pairs = [own, theirs];
  const moved = new Map<Pair, number[]>(pairs.map((pair) => [pair, []]));
  const nginx = await serveNginx(own.active.node);
  try {
    for (const { active, backup } of pairs) {
      backup.start();
      active.start();
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(pairs.map((pair) => pair.until(() => isActive(pair), BACK_MS)));
      // Beyond the announcements, and out of step with the times of scripts.
      await delay(1_200 + Math.random() * 1_000);
      const killedAt = await nginx.kill();
      await delay(WATCHED_MS);
      for (const [pair, times] of moved) times.push(announcedAt(pair, killedAt) - killedAt);
      await nginx.start();
    }
  } finally {
    nginx.dispose();
    for (const pair of pairs) pair.dispose();
    files.dispose();
  }
  return {
    title: "A service dies",
    method:
      `Two nodes, VRRP 3, advertisements each ${INTERVAL} s. nginx runs on the active one and is killed; ` +
      `counted to the other's gratuitous ARP for the address, as a third node sees it. keepalived runs a ` +
      `script of \`pidof nginx\` each second, Holdfast a policy that asks \`ctx.processes.count\`; either ` +
      `is a fault when it fails. One nginx for both pairs, killed ${ROUNDS} times.`,
    rows: [row("median", median, moved, own, theirs), row("longest", longest, moved, own, theirs)],
  };
}

const longest = (times: readonly number[]): number => quantile(times, 1);

function row(
  name: string,
  of: (times: readonly number[]) => number,
  moved: ReadonlyMap<Pair, readonly number[]>,
  own: Pair,
  theirs: Pair,
): Row {
  const [mine, others] = [own, theirs].map((pair) => of(moved.get(pair) ?? []));
  const [a = Number.NaN, b = Number.NaN] = [mine, others];
  return {
    what: `nginx dies → address on the other node, ${name}`,
    holdfast: ms(a, 0),
    keepalived: ms(b, 0),
    ratio: a / b,
    aim: `≤ ${ms(AIM, 0)}`,
    met: a <= AIM,
  };
}

function create(program: ProgramName, from: Package, files: CheckFiles): Promise<Pair> {
  const instance = { interval: INTERVAL, vrid: VRID };
  const backup = configText([{ ...instance, priority: 100 }]);
  const filter = "ip proto 112 or arp";
  if (program === "keepalived") {
    const path = files.script("alive.sh", `exec pidof ${NGINX} >/dev/null`);
    const { blocks, track } = vrrpScripts(1, path, SCRIPT_INTERVAL);
    const active = configText(
      [{ ...instance, priority: 200, more: track }],
      ["script_user root"],
      blocks,
    );
    return Pair.create(program, from, { active, backup }, filter);
  }
  files.grant([`process ${NGINX}`, "control V"]);
  files.policy(
    "nginx",
    policyText({
      permissions: `{ process: ["${NGINX}"], control: { routers: ["V"] } }`,
      every: "1s",
      track: '{ routers: { V: "fault" } }',
      run: `(ctx) => ctx.processes.count("${NGINX}") > 0`,
    }),
  );
  const active = configText([{ ...instance, priority: 200 }]);
  const activeOptions = files.options;
  return Pair.create(program, from, { active, backup, activeOptions }, filter);
}

const isActive = (pair: Pair): boolean => pair.isSpeaker(ACTIVE, [VRID]);

/** When the backup said first that the address is its own, in seconds since 1970. */
function announcedAt(pair: Pair, killedAt: number): number {
  const adverts = pair.heardSince(killedAt);
  const first = adverts.find(({ source, priority }) => source === BACKUP && priority > 0)?.at;
  const told = announcements(pair.framesSince(killedAt)).find(({ address }) => address === SERVICE);
  if (first === undefined || told === undefined) {
    throw new Error(
      `the address of ${pair.program} did not move:\n${pair.active.log.slice(-1_000)}`,
    );
  }
  return told.at;
}
