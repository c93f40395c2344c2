import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Cluster, skip, untilState } from "./cluster.ts";
import { configText } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";

/* What the agent says when it may not, or cannot, start: where, why, what to do, and never a stack. */

const NOBODY = 65_534;
const ENDS_MS = 20_000;
const PROGRAM = join(import.meta.dirname, "../../agent/holdfast.mjs");
const GOOD = configText([{ priority: 200 }]);

interface Ended {
  readonly status: number | null;
  readonly said: string;
}

/** Runs the agent to its end; `by` is a program that takes something from it first. */
async function attempt(
  node: LabNode,
  folder: string,
  config: string,
  by: readonly string[] = [],
): Promise<Ended> {
  const [program = "", ...args] = [
    ...[...by, process.execPath, PROGRAM, "run", "--log-format", "json", "--config", config],
    ...["--state", join(folder, "state"), "--control", join(folder, "control.sock")],
  ];
  const child = node.spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const limit = setTimeout(() => child.kill("SIGKILL"), ENDS_MS);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const [status] = await once(child, "close");
  clearTimeout(limit);
  assert.doesNotMatch(said, /^ +at .*:\d+:\d+\)?$/m, "a stack trace");
  assert.doesNotMatch(said, /(Type|Range|Reference|Syntax|Assertion)Error/);
  return { status, said };
}

const lines = (said: string): readonly string[] => said.split("\n").filter((line) => line !== "");

interface Scene {
  readonly node: LabNode;
  readonly folder: string;
  readonly file: (name: string, text: string) => string;
}

const without = (capability: string): readonly string[] => [
  ...["setpriv", `--bounding-set=-${capability}`, `--inh-caps=-${capability}`, "--"],
];
const asNobody = [
  ...["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"],
] as const;

const steps: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "a configuration file that is missing": async ({ node, folder }) => {
    const config = join(folder, "missing.conf");
    const { status, said } = await attempt(node, folder, config);
    assert.equal(status, 2);
    assert.equal(lines(said).length, 1);
    assert.ok(said.includes(`${config} cannot be read (ENOENT); name the file with --config`));
  },

  "one that is a directory": async ({ node, folder }) => {
    const { status, said } = await attempt(node, folder, folder);
    assert.equal(status, 2);
    assert.equal(lines(said).length, 1);
    assert.ok(said.includes(`${folder} cannot be read (EISDIR)`));
  },

  "one that this user may not read": async ({ node, folder, file }) => {
    const config = file("secret.conf", GOOD);
    chmodSync(config, 0o600);
    const { status, said } = await attempt(node, join(folder, "theirs"), config, asNobody);
    assert.equal(status, 2);
    assert.equal(lines(said).length, 1);
    assert.ok(said.includes(`${config} cannot be read (EACCES)`));
  },

  "one with an error": async ({ node, folder, file }) => {
    const wrong = file("wrong.conf", GOOD.replace("router_id 51", "router_id 300"));
    const line = GOOD.split("\n").findIndex((text) => text.includes("router_id 51")) + 1;
    const { status, said } = await attempt(node, folder, wrong);
    assert.equal(status, 2);
    assert.match(said, new RegExp(`${wrong}:${line}:\\d+: .*300`));
    assert.match(said, /has \d+ errors?; mend what is listed/);
  },

  "one with anything at all in it": async ({ node, folder, file }) => {
    const octets = String.fromCharCode(...Array.from({ length: 256 }, (_, at) => at));
    const config = file("rubbish.conf", `vrrp_instance {{{ ${octets}\n}}} vrrp_instance V {\n`);
    const { status, said } = await attempt(node, folder, config);
    assert.equal(status, 2);
    assert.match(said, new RegExp(`${config}:\\d+:\\d+: `));
  },

  "an ordinary user": async ({ node, folder, file }) => {
    const config = file("good.conf", GOOD);
    const { status, said } = await attempt(node, join(folder, "theirs"), config, asNobody);
    assert.equal(status, 1);
    assert.equal(lines(said).length, 1, said);
    assert.match(said, /\(EPERM\); run Holdfast as root, or give it CAP_NET_/);
  },

  "an ordinary user and the default places": async ({ node, folder, file }) => {
    const config = file("good.conf", GOOD);
    const { status, said } = await attempt(node, folder, config, asNobody);
    assert.equal(status, 1);
    assert.match(said, /the control socket \S+ cannot be made: EACCES\s+Run as root/);
  },

  "root without CAP_NET_RAW": async ({ node, folder, file }) => {
    const config = file("good.conf", GOOD);
    const { status, said } = await attempt(node, folder, config, without("net_raw"));
    assert.equal(status, 1);
    assert.equal(lines(said).length, 1, said);
    assert.match(said, /give it CAP_NET_RAW/);
  },

  "root without CAP_NET_ADMIN never becomes active": async ({ node, folder, file }) => {
    const config = file("good.conf", GOOD);
    const { status, said } = await attempt(node, folder, config, without("net_admin"));
    assert.equal(status, 1);
    assert.equal(lines(said).length, 1, said);
    assert.match(said, /may not change addresses, routes and links \(EPERM\);.*CAP_NET_ADMIN/);
  },

  "a control socket that is no socket, or has too long a path": async ({ node, folder, file }) => {
    const config = file("good.conf", GOOD);
    const there = join(folder, "there");
    mkdirSync(there);
    writeFileSync(join(there, "control.sock"), "");
    const other = await attempt(node, there, config);
    assert.equal(other.status, 1);
    assert.match(other.said, /is there and is not a socket\s+Move it away/);
    const long = await attempt(node, join(folder, "x".repeat(120)), config);
    assert.equal(long.status, 1);
    assert.match(long.said, /the path of the control socket is longer than 107 bytes/);
  },
};

describe("refusals", { skip }, () => {
  after(nothingLeft);

  test("of one node", async (t) => {
    await Cluster.run([GOOD], async (cluster) => {
      const { node, agent } = cluster.member(0);
      const { folder } = agent;
      chmodSync(folder, 0o755);
      mkdirSync(join(folder, "theirs"));
      chownSync(join(folder, "theirs"), NOBODY, NOBODY);
      const file = (name: string, text: string): string => {
        const path = join(folder, name);
        writeFileSync(path, text, "latin1");
        chmodSync(path, 0o644);
        return path;
      };
      for (const [name, step] of Object.entries(steps)) {
        await t.test(name, async () => {
          await step({ node, folder, file });
          const { stdout } = node.exec("ip", ["-o", "address", "show"]);
          assert.ok(!stdout.includes("192.0.2.100"), "it has taken the address");
        });
      }

      await t.test("a second agent beside one that runs", async () => {
        rmSync(agent.control, { force: true });
        await agent.start();
        const before = await untilState(agent, "active", ENDS_MS);
        const { status, said } = await attempt(node, folder, file("good.conf", GOOD));
        assert.equal(status, 1);
        assert.match(said, /another agent answers at \S+control\.sock\s+Stop it first/);
        const now = await untilState(agent, "active", ENDS_MS);
        assert.deepEqual(now.lastTransition, before.lastTransition);
        assert.equal(dirname(agent.control), folder);
      });

      await t.test("a socket that a dead agent left is no obstacle", async () => {
        await agent.killAll();
        assert.ok(existsSync(agent.control));
        await agent.start();
        await untilState(agent, "active", ENDS_MS);
        assert.equal(await agent.stop(), 0);
        assert.ok(!existsSync(agent.control), "the socket is left after a graceful stop");
      });
    });
  });
});
