import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { requestStatus } from "../../agent/control/client.ts";
import { skip } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { nothingLeft } from "./leftovers.ts";
import type { PairPlan } from "./pair.ts";
import { Pair } from "./pair.ts";
import { RouterService } from "./router-service.ts";
import { changed, userFile } from "./users.ts";

/* docs/holdfast.service, as systemd reads it, and what scripts may do within it. */

const UNIT = join(import.meta.dirname, "../../docs/holdfast.service");
const GRACE_MS = 20_000;
const LAN: PairPlan = { link: "ens33", addresses: [["10.0.0.5/24"], ["10.0.0.6/24"]] };
const SCRIPTED = userFile("nginx-pair-lb02-script.conf");

const run = (program: string, ...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return { status, said: `${stdout}${stderr}` };
};

/** CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK, CAP_SYS_NICE, CAP_SYS_RESOURCE. */
const VRRP_CAPABILITIES = 0x1807000n;

/** By what proc(5) says of the process: it has these at most, gets no other one, and executes nothing. */
function hasLeastPrivileges(status: string): void {
  for (const set of ["CapPrm", "CapEff"]) {
    const had = BigInt(`0x${new RegExp(`^${set}:\\t(.+)$`, "m").exec(status)?.[1]}`);
    assert.equal(had & ~VRRP_CAPABILITIES, 0n, status);
  }
  assert.match(status, /^NoNewPrivs:\t1\nSeccomp:\t2$/m);
}

/** Of one directive of the unit, whose lines add up. */
const value = (directive: string): string =>
  readFileSync(UNIT, "utf8")
    .split("\n")
    .flatMap((line) => (line.startsWith(`${directive}=`) ? line.slice(directive.length + 1) : []))
    .join(" ");

/** The agent as the unit starts it, with this file. */
const withService = (config: string, use: (service: RouterService) => Promise<void>) =>
  Pair.run(LAN, async (pair) => {
    const service = pair.add(await RouterService.install("holdfast", pair.nodes[0], config));
    await service.start();
    await use(service);
  });

describe("the unit", { skip, concurrency: 2, timeout: 60_000 }, () => {
  after(nothingLeft);

  test("systemd has nothing to say against it", () => {
    assert.deepEqual(run("systemd-analyze", "verify", UNIT), { status: 0, said: "" });
    // 4.4 of 10; what is left is for sysctls, real-time priority, and what scripts may do.
    const { status, said } = run(
      "systemd-analyze",
      "security",
      "--offline=true",
      "--threshold=45",
      UNIT,
    );
    assert.equal(status, 0, said);
  });

  test("once it is enabled keepalived means it, also where keepalived is installed", () => {
    const root = mkdtempSync(join(tmpdir(), `hf-${process.pid}-unit-`));
    try {
      const [own, packaged] = ["etc/systemd/system", "lib/systemd/system"] as const;
      for (const folder of [own, packaged]) mkdirSync(join(root, folder), { recursive: true });
      copyFileSync(UNIT, join(root, own, "holdfast.service"));
      copyFileSync(`/${packaged}/keepalived.service`, join(root, packaged, "keepalived.service"));
      assert.equal(run("systemctl", `--root=${root}`, "enable", "holdfast").status, 0);
      assert.equal(
        readlinkSync(join(root, own, "keepalived.service")),
        "/etc/systemd/system/holdfast.service",
      );
      assert.match(run("systemctl", `--root=${root}`, "is-enabled", "keepalived").said, /^alias$/m);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  test("check and log say where the users' script stops it", () =>
    withService(SCRIPTED, async (service) => {
      await service.untilBackup();
      const check = await service.machine.run("holdfast", "check");
      assert.equal(check.status, 0, check.output);
      for (const text of [check.output, service.log]) {
        const [line, ...more] = text
          .split("\n")
          .filter((one) => one.includes("script-stops-agent"));
        assert.match(line ?? "", /\/servers\/scripts\/check_nginx\.sh:14:9: .*ends the agent here/);
        assert.deepEqual(more, []);
      }
      assert.match(check.output, /hint: .*`exit 1`/);
    }));

  test("what it runs at the end, with no more than it leaves, takes a dead agent's address away", () =>
    withService(userFile("nginx-pair-lb02-nopreempt.conf"), async ({ machine }) => {
      const [, ...command] = value("ExecStopPost").split(" ");
      const kept = value("CapabilityBoundingSet").toLowerCase().replaceAll("cap_", "+");
      const bound = `--bounding-set=-all,${kept.replaceAll(" ", ",")}`;
      const withdraw = (...more: readonly string[]) =>
        machine.run("setpriv", bound, "--no-new-privs", "/usr/bin/env", ...command, ...more);
      const held = async (): Promise<boolean> =>
        / 10\.0\.0\.3\//.test((await machine.run("ip", "-4", "address", "show")).output);
      await eventually("it has the address", GRACE_MS, async () => assert.ok(await held()));
      const refusal = await withdraw();
      assert.equal(refusal.status, 1);
      assert.match(refusal.output, /an agent runs here/);
      const another = await withdraw("--control", "/run/another.sock");
      assert.equal(another.status, 1);
      assert.match(
        another.output,
        /control socket \/run\/holdfast\/control\.sock; its process \d+ /,
      );
      assert.ok(await held());
      const control = machine.path("/run/holdfast/control.sock");
      const { supervisor, vrrp, director } = (await requestStatus(control)).processes;
      const pids = [supervisor.pid, vrrp.pid, director.pid].map(String);
      assert.ok(vrrp.pid !== null);
      hasLeastPrivileges(readFileSync(machine.path(`/proc/${vrrp.pid}/status`), "utf8"));
      // Stopped first: none sees another one die.
      for (const signal of ["-STOP", "-KILL"]) await machine.run("kill", signal, ...pids);
      assert.ok(await held(), "nobody was left to take it away");
      const done = await withdraw();
      assert.deepEqual([done.status, await held()], [0, false], done.output);
    }));

  test("within it scripts run as users of their own, and are killed at their timeout", () => {
    const config = changed(SCRIPTED, [
      ["global_defs {", "global_defs {\n    script_user nobody nogroup"],
      ['"/servers/scripts/check_nginx.sh"', '"/bin/sleep 1000"'],
      ["interval 5", "timeout 2\n    interval 2"],
    ]);
    return withService(config, async ({ machine }) => {
      const pid = await eventually("the script runs", GRACE_MS, async () => {
        const { status, output } = await machine.run("pgrep", "-o", "-u", "nobody", "-x", "sleep");
        assert.equal(status, 0);
        return output.trim();
      });
      await eventually("it is gone", GRACE_MS, () =>
        assert.ok(!existsSync(machine.path(`/proc/${pid}`))),
      );
      // The director may be too busy to answer in time.
      await eventually("it is said", GRACE_MS, async () => {
        const { director } = await requestStatus(machine.path("/run/holdfast/control.sock"));
        assert.match(director?.checks[0]?.reason ?? "", /^(timeout|took too long)$/);
      });
    });
  });
});
