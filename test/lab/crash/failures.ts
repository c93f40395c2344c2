import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { ProgramName } from "../../bench/program.ts";
import { eventually } from "../eventually.ts";
import { Cage } from "./cage.ts";
import { cure, deafen } from "./deafness.ts";
import type { Expected, Failure } from "./failure.ts";
import { AT_ONCE_MS, BELIEVED_MS, EARLY_MS, keptUp, SOON_MS } from "./failure.ts";
import type { Scene, Timing } from "./scene.ts";
import { configOf, DEFAULT_PRIORITIES } from "./scene.ts";
import { STORE_FAILURES } from "./store-failures.ts";

const EVERYBODY: readonly ProgramName[] = ["holdfast", "keepalived"];

/** A second more than lease and refresh, and the kernel removes it within a second and a quarter. */
const stale = ({ interval, lease }: Timing): number =>
  1_000 * (Math.ceil((lease + Math.max(interval, 1_000)) / 1_000) + 1) + 1_250;
/** The gate shut, and nobody knew: the rest of the time that a backup waits. */
const silence = ({ down, lease }: Timing): number => down - lease + EARLY_MS;
const down = (timing: Timing): number => timing.down + EARLY_MS;
/** The supervisor's patience with a process that hangs: a second at least, and how often it looks. */
const STALL_MS = 1_750;

const killsEach = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids) process.kill(pid, signal);
};

const silently = (both: Expected["both"] = "never"): Expected => ({
  owner: "other",
  both,
  outage: silence,
  stale,
});
const handedOver: Expected = {
  owner: "other",
  both: "never",
  outage: () => AT_ONCE_MS,
  stale: () => SOON_MS,
};
/** It hangs until it is killed. With short advertisements the other one has taken over by then. */
const hung: Expected = {
  owner: "other",
  both: "never",
  outage: (timing) => Math.max(AT_ONCE_MS, silence(timing)),
  stale: () => STALL_MS,
};

/** Who yields to an advertisement does not say so: clients may have learned its address last. */
const split: Expected = {
  owner: "failing",
  both: "until healed",
  outage: () => AT_ONCE_MS,
  tcpOutage: () => BELIEVED_MS + AT_ONCE_MS,
};

/**
 * In a group with little memory another one asks for more than there is: the kernel kills whom it was
 * told to kill first.
 */
async function exhaust({ failing: { node, daemon } }: Scene): Promise<void> {
  const victim = daemon.vrrpPid;
  const poor = new Cage();
  try {
    poor.add(victim);
    poor.limitMemory(8 << 20);
    writeFileSync(`/proc/${victim}/oom_score_adj`, "1000");
    const greedy = "exec dd if=/dev/zero of=/dev/null bs=64M count=1 status=none";
    const script = `echo $$ > ${poor.memoryProcs} && ${greedy}`;
    node.spawn("sh", ["-c", script], { stdio: "ignore" });
    await eventually("the kernel kills it", 5_000, () => assert.ok(isDead(victim)));
  } finally {
    poor.dispose();
  }
}

/** Also when nobody has asked yet how it ended. */
function isDead(pid: number): boolean {
  try {
    return /\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

const STORM_MS = 3_000;

/** Whenever there is a VRRP process, it is killed. */
async function storm({ failing: { daemon } }: Scene): Promise<void> {
  const until = performance.now() + STORM_MS;
  let killed = 0;
  while (performance.now() < until) {
    try {
      process.kill(daemon.vrrpPid, "SIGKILL");
      killed += 1;
    } catch {
      // There is none at the moment.
    }
    await delay(20);
  }
  assert.ok(killed > 0, "none was killed");
}

/** Until a reload is heard of, on a busy machine. */
const RELOADED_MS = 150;

/** The other one preempts soon, as it has been told to, and the lease of the failing one still runs then. */
async function preempts({ cast, other }: Scene): Promise<void> {
  const [, priority] = cast.priorities ?? DEFAULT_PRIORITIES;
  other.daemon.configure(configOf({ ...cast, instance: [] }, priority));
  other.daemon.reload();
  const isHeard = () => assert.match(other.daemon.log, /"generation":2/);
  await eventually("the reload is done", 10_000, isHeard);
  // It claims between two and three intervals after that.
  await delay(Math.max(0, cast.interval * 1_500 - RELOADED_MS));
}

/** Without a witness. */
const FAILURES_HERE: readonly Failure[] = [
  {
    name: "SIGKILL of the vrrp process",
    inflict: ({ failing }) => void process.kill(failing.daemon.vrrpPid, "SIGKILL"),
    expected: handedOver,
  },
  {
    name: "SIGKILL of the supervisor",
    inflict: ({ failing }) => void process.kill(failing.daemon.pids[0] ?? 0, "SIGKILL"),
    expected: handedOver,
  },
  {
    name: "SIGKILL of one process after the other, the supervisor first",
    inflict: ({ failing }) => killsEach(failing.daemon.pids, "SIGKILL"),
    expected: silently(),
  },
  {
    name: "SIGKILL of everything at once",
    inflict: ({ failing }) => failing.cage.kill(),
    expected: silently(),
    tested: "everywhere",
  },
  {
    name: "SIGSTOP of the vrrp process",
    inflict: ({ failing }) => void process.kill(failing.daemon.vrrpPid, "SIGSTOP"),
    expected: hung,
  },
  {
    name: "SIGSTOP of everything, and SIGCONT",
    inflict: ({ failing }) => killsEach(failing.daemon.pids, "SIGSTOP"),
    heal: {
      act: ({ failing }) => killsEach(failing.daemon.pids, "SIGCONT"),
      announcedBeside: EVERYBODY,
    },
    expected: silently(),
    tested: "everywhere",
  },
  {
    name: "SIGSTOP of everything, and SIGCONT of one that preempts",
    priorities: [254, 250],
    instance: [],
    inflict: ({ failing }) => killsEach(failing.daemon.pids, "SIGSTOP"),
    heal: {
      act: ({ failing }) => killsEach(failing.daemon.pids, "SIGCONT"),
      announcedBeside: EVERYBODY,
    },
    // It takes back what it had.
    expected: { owner: "failing", both: "never", changes: 2, outage: silence },
  },
  {
    name: "the event loop blocked for 10 s",
    inflict: ({ failing: { node, daemon }, programs }) =>
      void node.spawn(programs.file("stall"), [String(daemon.vrrpPid), "10000"]),
    expected: hung,
  },
  {
    name: "killed for want of memory, in a cgroup",
    inflict: exhaust,
    expected: handedOver,
  },
  {
    name: "link down",
    inflict: ({ failing }) => failing.eth0.setPlugged(false),
    heal: { act: ({ failing }) => failing.eth0.setPlugged(true) },
    expected: { ...silently(), outage: down, stale: () => SOON_MS },
  },
  {
    name: "one-way loss: the other one does not hear",
    priorities: [254, 250],
    inflict: ({ other }) => deafen(other),
    heal: { act: ({ other }) => cure(other), announcedBeside: EVERYBODY },
    expected: split,
  },
  {
    name: "full partition, no witness: neither hears the other",
    priorities: [254, 250],
    inflict: ({ failing, other }) => deafen(failing, other),
    // keepalived yields without a word, so that nobody knows that there was another one.
    heal: { act: ({ failing, other }) => cure(failing, other), announcedBeside: ["holdfast"] },
    expected: split,
  },
  {
    name: "the machine stands still, and goes on",
    inflict: ({ failing: { cage, service } }) => {
      cage.add(service.pid ?? 0);
      cage.freeze(true);
    },
    heal: {
      act: ({ failing }) => failing.cage.freeze(false),
      early: true,
      announcedBeside: EVERYBODY,
    },
    expected: { ...silently(), tcpOutage: down },
    tested: "everywhere",
  },
  {
    name: "nft flush ruleset",
    inflict: ({ failing }) => void failing.node.exec("nft", ["flush", "ruleset"]),
    expected: keptUp(AT_ONCE_MS),
  },
  {
    name: "another tool deletes the address",
    inflict: ({ failing: { node }, address }) =>
      void node.exec("ip", ["address", "del", address, "dev", "eth0"]),
    expected: keptUp(AT_ONCE_MS),
  },
  {
    name: "restart storm: the vrrp process is killed again and again",
    inflict: storm,
    expected: handedOver,
  },
  {
    name: "SIGSTOP of everything as another one preempts, and SIGCONT",
    beside: ["holdfast"],
    prepare: preempts,
    inflict: ({ failing }) => killsEach(failing.daemon.pids, "SIGSTOP"),
    heal: { act: ({ failing }) => killsEach(failing.daemon.pids, "SIGCONT") },
    // The other one asks until nobody answers, or waits until nobody can.
    expected: { ...silently(), outage: ({ interval }) => interval / 4 + EARLY_MS },
  },
];

export const FAILURES: readonly Failure[] = [...FAILURES_HERE, ...STORE_FAILURES];
