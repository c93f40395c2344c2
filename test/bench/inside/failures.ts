import type { Server } from "node:net";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { ProgramName } from "../program.ts";
import { PROGRAMS } from "../program.ts";
import type { Section } from "../row.ts";
import { ms } from "../row.ts";
import { REAL_ADDRESSES, realAddress, serversText, serviceAddress } from "../servers-text.ts";
import { median } from "../statistics.ts";
import type { Program } from "./director.ts";
import { DirectorNode, service } from "./director.ts";

const REAL_SERVERS = 4;
const FAILURES = 20;
/** Seconds between the looks at a real server. */
const INTERVAL = 0.1;
const MARGIN = 0.02;
const SERVICE = service(serviceAddress(0));
const LOOK = { everyMs: 2, limitMs: 20_000 };

/** Their own, as a server that listens at one address does so in the next turn of the loop. */
const portOf = (at: number): number => 8_001 + at;

const CONFIG = serversText({
  ...{ services: 1, realServers: REAL_SERVERS, interval: INTERVAL, port: portOf },
  lines: [
    "inhibit_on_failure",
    ...["TCP_CHECK {", "  connect_timeout 1", "  retry 0", "  delay_before_retry 0", "}"],
  ],
});

/** How long the kernel goes on to send connections to a real server that has failed. */
export async function failures(from: Program): Promise<Section> {
  const measured: Partial<Record<ProgramName, readonly number[]>> = {};
  for (const program of PROGRAMS) measured[program] = await fail(program, from);
  const { holdfast: own = [], keepalived: theirs = [] } = measured;
  const aim = INTERVAL + MARGIN;
  const row = (which: string, of: (values: readonly number[]) => number) => ({
    what: `failure of a real server → weight 0 in the kernel, ${which}`,
    holdfast: ms(of(own)),
    keepalived: ms(of(theirs)),
    ratio: of(own) / of(theirs),
    aim: `≤ ${ms(aim, 0)}`,
    met: of(own) <= aim,
  });
  return {
    title: "A real server fails",
    method:
      `${REAL_SERVERS} real servers with inhibit_on_failure and a TCP_CHECK each ${ms(INTERVAL, 0)} without retries. One ` +
      `closes its port at some moment between two looks: to weight 0 in the kernel's table, which is looked ` +
      `at each ${LOOK.everyMs} ms; ${FAILURES} failures. In a guest (User Mode Linux, one processor).`,
    rows: [row("median", median), row("longest", (values) => Math.max(...values))],
  };
}

async function fail(program: ProgramName, from: Program): Promise<readonly number[]> {
  const director = new DirectorNode();
  const daemon = director.daemon(program, from, CONFIG);
  const servers: Server[] = [];
  const look = { ...LOOK, log: () => daemon.log };
  const weight = (at: number, wanted: number): Promise<number> =>
    director.until(SERVICE, (weights) => weights.get(realAddress(at)) === wanted, look);
  try {
    director.node.exec("ip", ["route", "add", "local", REAL_ADDRESSES, "dev", "lo"]);
    for (let at = 0; at < REAL_SERVERS; at += 1) servers.push(listen(director, at));
    daemon.start();
    for (let at = 0; at < REAL_SERVERS; at += 1) await weight(at, 1);
    await delay(2_000);
    const times: number[] = [];
    for (let round = 0; round < FAILURES; round += 1) {
      const at = round % REAL_SERVERS;
      // Somewhere in the interval, each time elsewhere.
      await delay(400 + ((round * 37) % 100));
      const started = performance.now();
      servers[at]?.close();
      times.push(((await weight(at, 0)) - started) / 1_000);
      servers[at] = listen(director, at);
      await weight(at, 1);
    }
    return times;
  } finally {
    for (const server of servers) server.close();
    await daemon.kill();
    daemon.dispose();
    director.dispose();
  }
}

/** What a check opens is closed at once: nothing is left to a server that fails. */
function listen(director: DirectorNode, at: number): Server {
  const server = createServer((socket) => socket.on("error", () => undefined).destroy());
  return director.node.run(() => server.listen(portOf(at)));
}
