import type { ProcessStatus, Status } from "../../control/protocol.ts";
import type { AlarmTime, RouterSnapshot } from "../../core/vrrp/snapshot.ts";
import { bfdProblems } from "./bfd.ts";
import { directorProblems } from "./director.ts";
import { duration } from "./duration.ts";
import { WAITING } from "./mandate.ts";
import type { Problem } from "./problem.ts";
import { storeProblems } from "./store.ts";
import { ALARMS, adviceOn } from "./words.ts";

/** All that needs a person, most urgent first. */
export function problemsOf(status: Status, now: number): readonly Problem[] {
  return [
    ...processProblems(status, now),
    ...configurationProblems(status),
    ...(status.director === null ? [] : directorProblems(status.director)),
    ...status.routers.flatMap((router) => routerProblems(router, now)),
    ...storeProblems(status),
    ...bfdProblems(status.bfd),
  ];
}

/** A process that is younger may not have come so far as to answer, on a busy host. Milliseconds. */
const STARTING_MS = 5_000;

const isStarting = ({ startedAt }: ProcessStatus, now: number): boolean =>
  startedAt !== null && now - startedAt < STARTING_MS;

/** What is shown of routers is of the process before, if there was one: that one's addresses are gone. */
const vrrpStarting = ({ restarts }: ProcessStatus): Problem => ({
  subject: "vrrp",
  problem:
    restarts === 0
      ? "the vrrp process is starting: it has not said yet what it does"
      : "the vrrp process was started again, and holds no address yet; below is what the one before it last said",
  next: restarts === 0 ? "ask again in a second" : "the log says what became of the one before it",
});

function processProblems(status: Status, now: number): readonly Problem[] {
  const problems: Problem[] = [];
  const { vrrp, director } = status.processes;
  if (vrrp.pid === null) {
    problems.push({
      subject: "vrrp",
      problem:
        "the vrrp process is not running: no address is held by this node; below is what it last said",
      next: "its log says why; it is started again by itself unless -R was given",
    });
  } else if (!status.current && isStarting(vrrp, now)) {
    problems.push(vrrpStarting(vrrp));
  } else if (!status.current) {
    problems.push({
      subject: "vrrp",
      problem: "the vrrp process did not answer; below is what it last said",
      next: "if it stays so, the supervisor ends it and the peers take over; see the log",
    });
  }
  if (status.processes.witness?.pid === null) {
    problems.push({
      subject: "witness",
      problem: "the witness process is not running: leases run out, and nobody is fenced",
      next: "its log says why; it is started again by itself unless -R was given",
    });
  }
  if (director.pid === null) {
    problems.push({
      subject: "director",
      problem: "the director is not running: checks and policies stand still, VRRP goes on",
      next: "its log says why; it is started again by itself unless -R was given",
    });
  } else if (status.director === null && isStarting(director, now)) {
    problems.push({
      subject: "director",
      problem: "the director is starting: checks and policies do not run yet, VRRP goes on",
      next: "ask again in a second",
    });
  } else if (status.director === null) {
    problems.push({
      subject: "director",
      problem: "the director does not answer: checks and policies may stand still, VRRP goes on",
      next: "if it stays so, the supervisor starts it anew; after 5 s checks count as failed",
    });
  }
  return problems;
}

function configurationProblems(status: Status): readonly Problem[] {
  const { refused } = status.configuration;
  // Warnings, which may stand before it, refuse nothing.
  const first = refused.find(({ severity }) => severity === "error") ?? refused[0];
  if (first === undefined) return [];
  const more = refused.length - 1;
  const { file, line, column } = first.position;
  return [
    {
      subject: status.configuration.file,
      problem:
        `the file was refused and an earlier one runs on: ${file}:${line}:${column}: ` +
        `${first.message}${more > 0 ? ` (and ${more} more)` : ""}`,
      next: `holdfast check ${status.configuration.file}, then holdfast reload`,
    },
  ];
}

function routerProblems(router: RouterSnapshot, now: number): readonly Problem[] {
  const subject = router.name;
  const faults = router.faults.map((fault) => ({ subject, ...adviceOn(fault) }));
  const missing = router.state === "active" ? router.addresses.filter((a) => !a.installed) : [];
  const addresses = missing.map((entry) => ({
    subject,
    problem: `active, but ${entry.address} is not on ${entry.interface}`,
    next: "the log says why the kernel refused it",
  }));
  const alarms = Object.entries(router.counters.alarms).flatMap(([name, times]) => {
    const advice = ALARMS[name as keyof typeof ALARMS];
    if (times === undefined || times === 0) return [];
    const problem = `${advice.problem} (${times}× since the start)`;
    const time = router.counters.alarmTimes[name as keyof typeof ALARMS];
    return [{ subject, ...advice, problem: problem + lastTime(router, time, now) }];
  });
  return [
    ...faults,
    ...mandateProblems(router),
    ...addresses,
    ...alarms,
    ...silentPeers(router, now),
  ];
}

function lastTime({ state }: RouterSnapshot, time: AlarmTime | undefined, now: number): string {
  if (time === undefined) return "";
  const span = duration(now - time.at);
  return time.lasts && state === "active" ? `, for ${span} now` : `, last ${span} ago`;
}

/** Members of a group wait together: each says so, as each is without its addresses. */
function mandateProblems({ name: subject, mandate }: RouterSnapshot): readonly Problem[] {
  if (mandate === null || mandate.waiting === null || mandate.waiting.because === "fencing")
    return [];
  const { because, reason, remedy } = mandate.waiting;
  const problem =
    mandate.state === "sought"
      ? `it may not become active: ${WAITING[because]} (${reason})`
      : `${mandate.remaining === null ? "it is active without a lease" : "its lease is not renewed"}: ${WAITING[because]} (${reason})`;
  return [{ subject, problem, next: remedy ?? "the log says more" }];
}

/** A backup that hears nobody is about to become active; an active router hears nobody by right. */
function silentPeers(router: RouterSnapshot, now: number): readonly Problem[] {
  if (router.state !== "backup" || router.active === null) return [];
  // It has been said what it waits for.
  if (router.mandate !== null && router.mandate.waiting !== null) return [];
  const { active } = router;
  const peer = router.peers.find((candidate) => candidate.address === active.address);
  const silence = peer === undefined ? 0 : now - peer.lastHeardAt;
  if (silence < 5 * (router.advertisementInterval / 1000) + 1000) return [];
  if (router.mandate?.taken === true) {
    return [
      {
        subject: router.name,
        problem: `${active.address} was last heard ${duration(silence)} ago, and another node has the lease: the two do not hear each other`,
        next: "look at packet filters (protocol 112), switch ports and cables between them; holdfast doctor on both",
      },
    ];
  }
  return [
    {
      subject: router.name,
      problem: `the active router ${active.address} was last heard ${duration(silence)} ago`,
      next: "is the vrrp process stalled? See the log",
    },
  ];
}
