import type { ChildProcess, SpawnOptions, SpawnSyncReturns } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, fstatSync, readdirSync, statSync, writeFileSync } from "node:fs";
import type { Namespace } from "../namespace.ts";
import { createNamespace } from "../namespace.ts";
import { findLink, setUp } from "./links.ts";
import { RouteSocket } from "./route-request.ts";

/** Has the kernel kill a program when the lab's process dies, however it dies. */
const KILLED_WITH_US = ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"] as const;

/** A machine of the lab: a network namespace with its own interfaces. */
export class LabNode {
  readonly name: string;
  readonly namespace: Namespace;
  /** rtnetlink inside. */
  readonly route: RouteSocket;

  constructor(name: string) {
    this.name = name;
    this.namespace = createNamespace();
    this.route = this.run(() => {
      setSysctl("net/ipv6/conf/default/accept_dad", "0");
      return new RouteSocket();
    });
    setUp(this.route, findLink(this.route, "lo").index, true);
  }

  /** For people and for `nsenter --net=<path>`, as long as the lab's process lives. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.namespace.fd}`;
  }

  /** Runs synchronous `work` inside: sockets that it opens stay there. */
  run<Result>(work: () => Result): Result {
    return this.namespace.run(work);
  }

  /** Starts a program inside; it dies with the lab. */
  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program, prefixed] = existsSync(KILLED_WITH_US[0])
      ? [KILLED_WITH_US[0], [...KILLED_WITH_US.slice(1), command, ...args]]
      : [command, [...args]];
    return this.run(() => spawn(program, prefixed, options));
  }

  /** Runs a program inside to its end. */
  exec(command: string, args: readonly string[], input = ""): SpawnSyncReturns<string> {
    return this.run(() => spawnSync(command, args, { encoding: "utf8", input }));
  }

  /** net.<path>, slashes between the words. Answers whether the kernel has taken it. */
  sysctl(path: string, value: string): boolean {
    return this.run(() => setSysctl(`net/${path}`, value));
  }

  /** Kills every process inside, and lets go of the namespace. */
  dispose(): void {
    const { ino } = fstatSync(this.namespace.fd);
    for (const pid of readdirSync("/proc").map(Number)) {
      if (pid !== process.pid && networkOf(pid) === ino) kill(pid);
    }
    this.route.close();
    this.namespace.close();
  }
}

/** `undefined` for what is no process, is gone, or is somebody else's. */
function networkOf(pid: number): number | undefined {
  try {
    return pid > 0 ? statSync(`/proc/${pid}/ns/net`).ino : undefined;
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}

function setSysctl(path: string, value: string): boolean {
  try {
    writeFileSync(`/proc/sys/${path}`, value);
    return true;
  } catch {
    return false;
  }
}
