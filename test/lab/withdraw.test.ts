import assert from "node:assert/strict";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { readProcess } from "../../agent/linux/process-files.ts";
import type { Agent } from "./agent.ts";
import { PROGRAM } from "./agent.ts";
import { Cluster, skip } from "./cluster.ts";
import { configText, SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";

/* Who calls `holdfast withdraw` knows of another control socket than the agent's, or its supervisor has just died. */

const GRACE_MS = 20_000;

/** As the unit's ExecStopPost= does, but that nobody answers at its control socket. */
async function withdraw({ node, folder }: Agent) {
  const child = node.spawn(
    process.execPath,
    [PROGRAM, "withdraw", "--control", `${folder}/none.sock`, "--state", `${folder}/none`],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  assert.ok(child.stdout !== null && child.stderr !== null);
  const [out, err, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { status, out, err };
}

/** One node alone. */
const withHolder = (use: (agent: Agent, cluster: Cluster) => Promise<void>): Promise<void> =>
  Cluster.run([configText([{}])], (cluster) => use(cluster.member(0).agent, cluster));

async function processesOf(agent: Agent) {
  const { supervisor, vrrp } = (await agent.status()).processes;
  assert.ok(supervisor.pid !== null && vrrp.pid !== null);
  return { supervisor: supervisor.pid, vrrp: vrrp.pid };
}

const signal = (pid: number, name: NodeJS.Signals): boolean => process.kill(pid, name);

describe("withdraw", { skip, timeout: 120_000 }, () => {
  after(nothingLeft);

  test("takes nothing from an agent that runs, and whatever is left at once when it was killed", () =>
    withHolder(async (agent, cluster) => {
      const watch = await cluster.watch(SERVICE);
      await agent.start();
      await watch.until([agent.node], GRACE_MS);
      const { supervisor, vrrp } = await processesOf(agent);
      const { length } = watch.history;
      const refused = await withdraw(agent);
      assert.deepEqual([refused.status, refused.out], [1, ""]);
      const named = `(process ${supervisor}, control socket ${agent.control}; its process ${vrrp} holds`;
      assert.ok(refused.err.includes(named), refused.err);
      assert.match(refused.err, /stop it first: .*kill -9 \d+ \d+ if it hangs/);
      assert.equal(watch.history.length, length, "nothing was touched");

      signal(supervisor, "SIGKILL");
      const done = await withdraw(agent);
      assert.deepEqual([done.status, done.err], [0, ""]);
      await watch.until([], GRACE_MS);
      assert.equal(readProcess(vrrp), undefined, "its process had ended before the command did");

      await agent.start();
      await watch.until([agent.node], GRACE_MS);
      const next = await processesOf(agent);
      signal(next.vrrp, "SIGSTOP");
      signal(next.supervisor, "SIGKILL");
      const late = withdraw(agent);
      await watch.until([], GRACE_MS);
      signal(next.vrrp, "SIGCONT");
      const { status, out, err } = await late;
      assert.deepEqual([status, err], [0, ""]);
      assert.match(out, /^removed /);
      assert.equal(readProcess(next.vrrp), undefined);
      assert.deepEqual(watch.holders, []);
    }));
});
