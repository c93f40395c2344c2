import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../../agent/linux/lab.ts";
import { address } from "../../ipvs/example.ts";
import { PROGRAM } from "../../lab/agent.ts";
import { ipvsadm, weightsOf } from "./ip-vs-node.ts";
import { listenIn } from "./listen-in.ts";
import { patiently } from "./patiently.ts";
import { batch } from "./traffic-net.ts";

/** Of a step, the start of a program included. */
const PATIENCE = 60_000;
/** Longer than it takes to look at all servers. */
const HELD_MS = 2_500;

const real = (last: number, words: string): string => `
  real_server 10.0.0.${last} 80 {
    ${words}
    notify_up "/bin/sh NOTE up${last}"
    notify_down "/bin/sh NOTE down${last}"
    TCP_CHECK {
      connect_timeout 2
      retry 0
    }
  }`;

const CONFIG = `
virtual_server 192.0.2.1 80 {
  delay_loop 1
  lb_algo wrr
  lb_kind NAT
  protocol TCP
  quorum 4
  hysteresis 1
  quorum_up "/bin/sh NOTE won"
  quorum_down "/bin/sh NOTE lost"
  sorry_server 10.0.0.9 80${real(1, "weight 3")}${real(2, "weight 2\n inhibit_on_failure")}${real(3, "weight 1")}
}
virtual_server 192.0.2.1 81 {
  delay_loop 1
  lb_algo rr
  lb_kind DR
  persistence_timeout 50
  protocol TCP
  alpha
  sorry_server 10.0.0.9 80
  sorry_server_inhibit${real(1, "")}
}
`;

/** What becomes of which servers, and then weights by address in the two pools, as keepalived has them. */
const STEPS: readonly (readonly [start: string, stop: string, first: string, second: string])[] = [
  ["123", "", "1=3 2=2 3=1", "1=1 9=0"],
  ["", "3", "1=3 2=2", "1=1 9=0"],
  ["", "2", "1=3 2=0", "1=1 9=0"],
  ["", "1", "2=0 9=1", "9=1"],
  // Weight 3 is not quorum and hysteresis yet.
  ["23", "", "2=0 9=1", "9=1"],
  ["1", "", "1=3 2=2 3=1", "1=1 9=0"],
  ["", "23", "1=3 2=0", "1=1 9=0"],
];

/** Which scripts were run, how often each; their order is chance in keepalived. */
const NOTES = [
  ..."down1 down1 down2 down2 down3 down3 lost up1 up1 up1 up2 up3 won won".split(" "),
];

/** A director, which is its own real servers. */
class Field {
  readonly node: LabNode;
  readonly folder = mkdtempSync(join(tmpdir(), `hf-vs-${process.pid}-`));
  readonly #servers = new Map<string, Server>();
  readonly #notes = join(this.folder, "notes");

  constructor(node: LabNode) {
    this.node = node;
    const script = join(this.folder, "note.sh");
    writeFileSync(script, `echo $1 >> ${this.#notes}\n`);
    writeFileSync(this.config, CONFIG.replaceAll("NOTE", script));
  }

  get config(): string {
    return join(this.folder, "keepalived.conf");
  }

  get notes(): readonly string[] {
    if (!existsSync(this.#notes)) return [];
    return readFileSync(this.#notes, "utf8").trim().split("\n").sort();
  }

  async start(last: string): Promise<void> {
    const server = createServer((socket) => socket.on("error", () => undefined).end());
    await listenIn(this.node, server, address(`10.0.0.${last}`), 80);
    this.#servers.set(last, server);
  }

  stop(last: string): void {
    this.#servers.get(last)?.close();
    this.#servers.delete(last);
  }

  dispose(): void {
    for (const last of [...this.#servers.keys()]) this.stop(last);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function play(
  node: LabNode,
  run: (field: Field) => ChildProcess,
): Promise<readonly string[]> {
  const field = new Field(node);
  let program: ChildProcess | undefined;
  try {
    for (const [start, stop, first, second] of STEPS) {
      for (const last of start) await field.start(last);
      for (const last of stop) field.stop(last);
      program ??= run(field);
      const look = () => {
        const pools = weightsOf(node);
        assert.deepEqual([pools["192.0.2.1:80"], pools["192.0.2.1:81"]], [first, second]);
      };
      await patiently(`after +${start} -${stop}`, PATIENCE, look);
      await delay(HELD_MS);
      look();
    }
    // A script takes its time here, and the last of them would go with who runs them.
    await patiently("the scripts were run", PATIENCE, () => assert.deepEqual(field.notes, NOTES));
    const ended = program === undefined ? undefined : once(program, "close");
    program?.kill("SIGTERM");
    await ended;
    assert.equal(ipvsadm(node, "-S", "-n"), "");
    return field.notes;
  } finally {
    program?.kill("SIGKILL");
    field.dispose();
  }
}

/* Both wait for seconds: they do so side by side, on machines of their own. */
describe("virtual servers as keepalived has them", { timeout: 240_000, concurrency: true }, () => {
  const lab = new Lab();
  before(() => execFileSync("modprobe", ["ip_vs"]));
  after(() => lab.dispose());
  const programs: Readonly<Record<string, (field: Field) => ChildProcess>> = {
    keepalived: ({ node, config, folder }) => {
      // All of them: with another's file there is one that runs already, to keepalived.
      const pids = ["p", "c", "r", "b"].map(
        (option) => `-${option}${join(folder, `${option}.pid`)}`,
      );
      return node.spawn("keepalived", ["-n", "-l", "-f", config, ...pids], { stdio: "ignore" });
    },
    Holdfast: ({ node, config, folder }) =>
      node.spawn(
        process.execPath,
        [
          ...[PROGRAM, "run", "--config", config, "--state", join(folder, "state")],
          ...["--control", join(folder, "control.sock")],
        ],
        { stdio: "ignore" },
      ),
  };
  for (const [name, run] of Object.entries(programs)) {
    test(`${name}: pools and scripts, as servers fail and come back`, async () => {
      const node = lab.node(name);
      batch(
        node,
        "addr add 192.0.2.1/24 dev lo",
        ...[1, 2, 3, 9].map((last) => `addr add 10.0.0.${last}/32 dev lo`),
      );
      assert.deepEqual(await play(node, run), NOTES);
    });
  }
});
