import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getuid } from "node:process";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { requestStatus } from "../../agent/control/client.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { receiveDatagrams } from "../linux/datagram-receiver.ts";
import { eventually } from "./eventually.ts";

/* The agent under a service manager and beside a syslog daemon, both played by this test. */

const PROGRAM = join(import.meta.dirname, "../../agent/holdfast.mjs");
const GRACE_MS = 20_000;
const LOCAL3 = 19;
const CONFIG = `
global_defs {
    router_id hf-lb01
    process_name hf_super
    vrrp_process_name hf_vrrp
    checker_process_name hf_checks
    vrrp_priority -3
    checker_priority 5
    checker_cpu_affinity 0
    umask 027
}
vrrp_instance V {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        192.0.2.100/24
    }
}
`;

/** In a mount namespace of its own, where /dev/log leads to this test. Nothing outside changes. */
const WITH_SYSLOG = `
set -e
dev=$1; log=$2; shift 2
mkdir -p "$dev"
mount -t tmpfs none "$dev"
for name in null zero full random urandom tty; do
    touch "$dev/$name"; mount --bind "/dev/$name" "$dev/$name"
done
ln -s /proc/self/fd "$dev/fd"
ln -s "$log" "$dev/log"
mount --rbind "$dev" /dev
exec "$@"
`;

const skip = getuid?.() === 0 ? false : "needs root";

describe("under a service manager", { skip, timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-service-`));
  const file = (name: string): string => join(folder, name);
  const notes: string[] = [];
  const syslog: string[] = [];
  let lab: Lab;
  let agent: ChildProcess;
  let log = "";
  const manager = skip === false ? receiveDatagrams(file("notify")) : undefined;
  const daemon = skip === false ? receiveDatagrams(file("syslog")) : undefined;

  /** What came since the last look. */
  const look = (): void => {
    for (let note = manager?.next(); note !== undefined; note = manager?.next()) notes.push(note);
    for (let line = daemon?.next(); line !== undefined; line = daemon?.next()) syslog.push(line);
  };
  const noted = (what: RegExp, start = 0): Promise<string> =>
    eventually(`the manager hears ${what}`, GRACE_MS, () => {
      look();
      const note = notes.slice(start).find((one) => what.test(one));
      assert.ok(note !== undefined, log.slice(-2_000));
      return note;
    });
  const pidIn = (name: string): number => Number(readFileSync(file(name), "utf8"));
  const processes = async () => {
    const { supervisor, vrrp, director } = (await requestStatus(file("control.sock"))).processes;
    return { supervisor: supervisor.pid ?? 0, vrrp: vrrp.pid ?? 0, director: director.pid ?? 0 };
  };

  before(() => {
    lab = new Lab();
    const node = lab.node("service");
    lab.attach(node, lab.segment("lan"), { name: "eth0", addresses: ["192.0.2.1/24"] });
    writeFileSync(file("keepalived.conf"), CONFIG);
    const options = [
      ...["-f", file("keepalived.conf"), "-n", "-S", "3"],
      ...["-p", file("super.pid"), "-r", file("vrrp.pid"), "-c", file("checks.pid")],
      ...["--state", file("state"), "--control", file("control.sock"), "--log-format", "json"],
    ];
    agent = node.spawn(
      "unshare",
      [
        ...["--mount", "sh", "-c", WITH_SYSLOG, "sh", file("dev"), file("syslog")],
        ...[process.execPath, PROGRAM, "run", ...options],
      ],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, NOTIFY_SOCKET: file("notify"), WATCHDOG_USEC: "1000000" },
      },
    );
    for (const stream of [agent.stdout, agent.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        log += text;
      });
    }
  });

  after(() => {
    agent.kill("SIGKILL");
    lab.dispose();
    manager?.close();
    daemon?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("READY comes when routers run, and the watchdog is answered", async () => {
    await noted(/^READY=1$/);
    assert.equal((await requestStatus(file("control.sock"))).routerId, "hf-lb01");
    await noted(/^WATCHDOG=1$/, notes.length);
    await noted(/^WATCHDOG=1$/, notes.length);
  });

  test("-p, -r and -c name the processes", async () => {
    await eventually("each has its file", GRACE_MS, async () => {
      const { supervisor, vrrp, director } = await processes();
      assert.deepEqual(
        [pidIn("super.pid"), pidIn("vrrp.pid"), pidIn("checks.pid")],
        [supervisor, vrrp, director],
      );
    });
  });

  test("names, priorities, CPUs and umask are as configured", async () => {
    const { supervisor, vrrp } = await processes();
    const read = (pid: number, what: string): string =>
      readFileSync(`/proc/${pid}/${what}`, "utf8");
    const nice = (pid: number) => read(pid, "stat").split(") ")[1]?.split(" ")[16];
    // One that has just been started takes them one after the other.
    await eventually("the director has its settings", GRACE_MS, async () => {
      const { director } = await processes();
      assert.equal(read(director, "comm"), "hf_checks\n");
      assert.equal(nice(director), "5");
      assert.match(read(director, "status"), /Cpus_allowed_list:\t0\n/);
    });
    assert.equal(read(supervisor, "comm"), "hf_super\n");
    assert.equal(read(vrrp, "comm"), "hf_vrrp\n");
    assert.deepEqual([supervisor, vrrp].map(nice), ["0", "-3"]);
    assert.match(read(supervisor, "status"), /Umask:\t0027\n/);
  });

  test("a reload is RELOADING with the moment, then READY", async () => {
    const start = notes.length;
    const before = process.hrtime.bigint() / 1_000n;
    agent.kill("SIGHUP");
    const note = await noted(/^RELOADING=1\n/, start);
    const moment = BigInt(/MONOTONIC_USEC=([0-9]+)$/.exec(note)?.[1] ?? 0);
    assert.ok(moment >= before && moment <= process.hrtime.bigint() / 1_000n);
    await noted(/^READY=1$/, start);
  });

  test("signals for dumps end no process and open no debugger", async () => {
    const before = await processes();
    // 36, 63 and 64 are keepalived's JSON, STATS_CLEAR and TDUMP.
    for (const signal of ["SIGUSR1", "SIGUSR2", 36, 63, 64]) {
      for (const pid of Object.values(before)) process.kill(pid, signal);
    }
    await eventually("the log points to the status", GRACE_MS, () => {
      assert.match(log, /SIGUSR1: there are no dump files/);
      assert.match(log, /SIGUSR2: there are no dump files/);
    });
    await delay(100);
    assert.deepEqual(await processes(), before);
    assert.doesNotMatch(log, /Debugger listening/);
  });

  test("-S sends the log to syslog, with facility, severity and name", async () => {
    await eventually("a line of the log", GRACE_MS, () => {
      look();
      const form = new RegExp(
        `^<${LOCAL3 * 8 + 6}>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} holdfast\\[${agent.pid}\\]: .*1 virtual routers? runs?`,
      );
      assert.ok(
        syslog.some((line) => form.test(line)),
        syslog.join("\n"),
      );
    });
  });

  test("the watchdog is left unanswered while the vrrp process hangs", async () => {
    const { vrrp } = await processes();
    await noted(/^WATCHDOG=1$/, notes.length);
    let last = performance.now();
    let seen = notes.length;
    let longest = 0;
    process.kill(vrrp, "SIGSTOP");
    const end = last + 3_000;
    while (performance.now() < end) {
      await delay(20);
      look();
      const now = performance.now();
      if (notes.slice(seen).includes("WATCHDOG=1")) {
        longest = Math.max(longest, now - last);
        last = now;
      }
      seen = notes.length;
    }
    // Where the next one takes its time the pause is not over yet.
    longest = Math.max(longest, performance.now() - last);
    // It is answered twice a second, and not from the second heartbeat without an answer on.
    assert.ok(longest > 750, `${longest} ms`);
    await noted(/^WATCHDOG=1$/, seen);
    await eventually("it was replaced", GRACE_MS, async () => {
      const next = (await processes()).vrrp;
      assert.ok(next !== 0 && next !== vrrp, `${next}`);
      assert.equal(pidIn("vrrp.pid"), next);
    });
  });

  test("the end is STOPPING, status 0, and no pid file", async () => {
    const start = notes.length;
    agent.kill("SIGTERM");
    const [status] = await once(agent, "exit");
    assert.equal(status, 0);
    await noted(/^STOPPING=1$/, start);
    for (const name of ["super.pid", "vrrp.pid", "checks.pid"]) {
      assert.equal(existsSync(file(name)), false, name);
    }
  });
});
