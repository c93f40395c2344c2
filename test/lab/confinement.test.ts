import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { PROGRAM } from "./agent.ts";
import type { Member } from "./cluster.ts";
import { Cluster, skip, untilEvent, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { configText } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";

/* What the kernel says that each process of an agent may do, with fence agents and without. */

/** On a busy machine. */
const STARTED_MS = 30_000;
const FILTERED = ["x64", "arm64"].includes(process.arch) ? "2" : "0";
const DAC_READ_SEARCH = "0000000000000004";
const NONE = "0000000000000000";
/** Nobody listens there: `advisory` goes on without. */
const STORE = ["witness etcd {", "  endpoint http://127.0.0.1:1", "  ttl 2", "}"];

type Rights = Readonly<Record<string, string>>;

const rightsIn = (status: string): Rights =>
  Object.fromEntries(status.split("\n").map((line) => line.split(":\t")));

/** Of a process, by its role. */
async function rightsOf({ agent }: Member, role: "supervisor" | "vrrp" | "director" | "witness") {
  const pid = (await agent.status()).processes[role]?.pid;
  assert.ok(typeof pid === "number", role);
  return { pid, ...rightsIn(readFileSync(`/proc/${pid}/status`, "utf8")) } as Rights & {
    readonly pid: number;
  };
}

/** It reads files, and no more; no thread of it executes anything. */
async function isConfined(member: Member): Promise<number> {
  const { pid, ...rights } = await rightsOf(member, "witness");
  for (const set of ["CapEff", "CapPrm", "CapBnd"]) {
    assert.equal(rights[set], DAC_READ_SEARCH, set);
  }
  for (const set of ["CapInh", "CapAmb"]) assert.equal(rights[set], NONE, set);
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const its = rightsIn(readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8"));
    assert.deepEqual([its["NoNewPrivs"], its["Seccomp"]], ["1", FILTERED]);
  }
  return pid;
}

const settings = ({ agent }: Member): string => join(agent.folder, "holdfast.conf");

/** Answers where it writes what it may do itself. */
function writeFence(member: Member): string {
  const { folder } = member.agent;
  const [program, rights] = [join(folder, "fence_lab"), join(folder, "rights")];
  const body = `cat >/dev/null\ncat /proc/self/status >${rights}.new && mv ${rights}.new ${rights}`;
  writeFileSync(program, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  const fence = ["fence pdu {", `  program ${program}`, "  timeout 10", "}"];
  writeFileSync(settings(member), [...STORE, ...fence, ""].join("\n"));
  return rights;
}

/** Whoever goes on afterwards has heard nobody: somebody silent may have the address. */
function unplug({ node }: Member): void {
  for (const state of ["down", "up"]) node.exec("ip", ["link", "set", "eth0", state]);
}

describe("the witness process", { skip, timeout: 120_000 }, () => {
  after(nothingLeft);

  test("may nothing but read files, also when a reload brings the first fence agent, which may all", () => {
    const config = (fence: readonly string[]) =>
      configText([{ more: ["holdfast_witness advisory", ...fence] }]);
    return Cluster.run([config([])], async (cluster) => {
      const member = cluster.member(0);
      const { agent } = member;
      writeFileSync(settings(member), [...STORE, ""].join("\n"), { mode: 0o600 });
      await agent.start("--settings", settings(member));
      await untilState(agent, "active", STARTED_MS);
      // The address does not wait for it: it may still be starting.
      const first = await eventually("it is confined", STARTED_MS, () => isConfined(member));

      const written = writeFence(member);
      agent.configure(config(["holdfast_fence pdu"]));
      const heard = agent.events.length;
      process.kill(agent.pid, "SIGHUP");
      await untilEvent(
        agent,
        heard,
        "the reload",
        STARTED_MS,
        ({ kind }) => kind === "configuration",
      );
      unplug(member);
      const fence = await eventually("the fence agent runs", STARTED_MS, () =>
        rightsIn(readFileSync(written, "utf8")),
      );
      await untilState(agent, "active", STARTED_MS);
      assert.equal(await isConfined(member), first, "the same process");

      const supervisor = await rightsOf(member, "supervisor");
      for (const right of ["CapEff", "CapBnd", "NoNewPrivs", "Seccomp"]) {
        assert.equal(fence[right], supervisor[right], right);
      }
      assert.notEqual(fence["CapEff"], DAC_READ_SEARCH);
      assert.equal(fence["NoNewPrivs"], "0");
      // It reads the settings of this machine, which do not know the device.
      agent.configure(configText([{}]));
      const doctor = ["doctor", "--listen", "0", "--control", agent.control, agent.configFile];
      const { stdout } = member.node.exec(process.execPath, [PROGRAM, ...doctor]);
      if (FILTERED === "2") assert.match(stdout, /can run no program: vrrp, witness$/m);
    });
  });
});
