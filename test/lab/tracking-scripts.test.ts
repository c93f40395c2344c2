import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { after, describe, test } from "node:test";
import type { AgentEvent } from "../../agent/control/protocol.ts";
import type { Agent } from "./agent.ts";
import { Cluster, skip, untilEvent, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { block, configText } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { ScriptFolder } from "./script-folder.ts";

/* Scripts that cannot run, may not run, or do not end. */

const GRACE_MS = 30_000;
const PROGRAM = join(import.meta.dirname, "../../agent/holdfast.mjs");

/** Lines of an agent's log in this format that say this of this path. */
const said = (log: string, path: string, code: string): readonly string[] =>
  log.split("\n").filter((line) => line.includes(path) && line.includes(code));

const alone = async (
  names: readonly string[],
  paths: readonly string[],
  global: readonly string[],
  use: (agent: Agent) => Promise<void>,
): Promise<void> => {
  const scripts = names.flatMap((name, at) =>
    block(`vrrp_script ${name}`, [
      `script "${paths[at]}"`,
      ...["interval 0.5", `timeout ${name === "hung" ? 0.5 : 5}`, "rise 1", "fall 1"],
    ]),
  );
  const instances = names.map((name, at) => ({
    name: `V_${name}`,
    vrid: 51 + at,
    addresses: [`192.0.2.${100 + at}/32`],
    more: block("track_script", [name]),
  }));
  await Cluster.run([configText(instances, global, scripts)], async (cluster) => {
    await cluster.start();
    await use(cluster.member(0).agent);
  });
};

const withScripts = async (use: (folder: ScriptFolder) => Promise<void>): Promise<void> => {
  const folder = new ScriptFolder();
  try {
    await use(folder);
  } finally {
    folder.dispose();
  }
};

const SECURE = ["script_user root", "enable_script_security"];

describe("tracked scripts", { skip, concurrency: 3, timeout: 180_000 }, () => {
  after(nothingLeft);

  /** Name → what is done to a sound script, and what is said of it. */
  const REFUSED: Readonly<
    Record<string, readonly [(folder: ScriptFolder, path: string) => void, RegExp]>
  > = {
    missing: [(folder) => folder.remove("missing"), /there is no \S+\/missing/],
    plain: [(_, path) => chmodSync(path, 0o644), /\/plain is not executable/],
    open: [
      (_, path) => chmodSync(path, 0o777),
      /it would run as root, and everybody may write \S+\/open/,
    ],
  };

  test("one that is missing, not executable or open to others is a fault, and said once", () =>
    withScripts(async (folder) => {
      const names = Object.keys(REFUSED);
      const paths = names.map((name) => folder.script(name, 0));
      for (const [at, [spoil]] of Object.values(REFUSED).entries()) spoil(folder, paths[at] ?? "");
      await alone(
        [...names, "sound"],
        [...paths, folder.script("sound", 0)],
        SECURE,
        async (agent) => {
          const check = spawnSync(execPath, [PROGRAM, "check", agent.configFile], {
            encoding: "utf8",
            env: { ...process.env, NO_COLOR: "1" },
          });
          assert.equal(check.status, 0, check.stdout + check.stderr);
          await untilState(agent, "active", GRACE_MS, "V_sound");
          for (const [name, [, why]] of Object.entries(REFUSED)) {
            const { faults } = await untilState(agent, "fault", GRACE_MS, `V_${name}`);
            assert.deepEqual(faults, [{ cause: "tracker", subject: `script ${name}` }]);
            for (const text of [() => check.stdout, () => agent.log]) {
              await eventually("it is said, once", GRACE_MS, () => {
                const lines = said(text(), `/${name}`, "program-refused");
                assert.equal(lines.length, 1, text());
                assert.match(lines[0] ?? "", why);
              });
            }
          }
          await eventually("all verdicts are there", GRACE_MS, async () => {
            const { director } = await agent.status();
            const verdicts = director?.checks.map(({ verdict }) => verdict);
            assert.deepEqual(verdicts, ["down", "down", "down", "up"]);
          });
        },
      );
    }));

  test("one that vanishes while it is tracked is down, and said once", () =>
    withScripts(async (folder) => {
      // No shell, which would look for it once more after it was started.
      const path = folder.file("gone");
      copyFileSync("/bin/true", path);
      chmodSync(path, 0o755);
      await alone(["gone"], [path], SECURE, async (agent) => {
        await untilState(agent, "active", GRACE_MS, "V_gone");
        const start = await agent.heard();
        folder.remove("gone");
        const told = await untilEvent(agent, start, "it", GRACE_MS, isDown);
        assert.match(told.message, /up to down: could not be started \(ENOENT\)/);
        await untilState(agent, "fault", GRACE_MS, "V_gone");
        const runs = await runsOf(agent);
        await eventually("it is tried again", GRACE_MS, async () =>
          assert.ok((await runsOf(agent)) > runs + 3),
        );
        const again = agent.events.slice(start).filter(isDown);
        assert.equal(again.length, 1);
        folder.script("gone", 0);
        await untilState(agent, "active", GRACE_MS, "V_gone");
      });
    }));

  test("one that hangs is killed at its timeout, with all that it started", () =>
    withScripts(async (folder) => {
      const path = folder.script("hung", 0);
      await alone(["hung"], [path], SECURE, async (agent) => {
        await untilState(agent, "active", GRACE_MS, "V_hung");
        const start = await agent.heard();
        const pids = folder.file("pids");
        folder.write(
          "hung",
          `#!/bin/sh
trap '' TERM
sleep 1000 & child=$!
(sleep 1000 & wait) & other=$!
[ -e ${pids} ] || echo $$ $child $other > ${pids}
while :; do sleep 1000; done
`,
        );
        const told = await untilEvent(agent, start, "it", GRACE_MS, isDown);
        assert.match(told.message, /up to down: (timeout|took too long)$/);
        // On a busy machine the first may be killed before it comes to that.
        const first = await eventually("one has said who it is", GRACE_MS, () => {
          const written = readFileSync(pids, "utf8").trim().split(" ").map(Number);
          assert.equal(written.length, 3);
          return written;
        });
        await eventually("the first run is gone", GRACE_MS, () => {
          assert.deepEqual(first.filter(groupLives), []);
        });
      });
    }));
});

const isDown = ({ kind, detail }: AgentEvent): boolean =>
  kind === "check" && detail["to"] === "down";

const runsOf = async (agent: Agent): Promise<number> =>
  (await agent.status()).director?.checks[0]?.runs ?? 0;

/** Whether a process lives, or others of its process group do. */
function groupLives(pid: number): boolean {
  return [pid, -pid].some((one) => {
    try {
      return process.kill(one, 0);
    } catch {
      return false;
    }
  });
}
