import type { BalancingConfig } from "../../../agent/config/virtual-servers.ts";
import type { ServerCommand, ServerOrder } from "../../../agent/control/protocol.ts";
import type { IpvsCommand } from "../../../agent/core/ipvs/reconcile.ts";
import type { ServerClaim } from "../../../agent/core/virtual-server/pool.ts";
import { refusal, refusedCommands } from "../../../agent/linux/netlink/ipvs-refusal.ts";
import type { KernelError } from "../../../agent/ports/error.ts";
import type { Ipvs } from "../../../agent/ports/ipvs.ts";
import type { ProbeOf, RunProbe } from "../../../agent/ports/server-probes.ts";
import { Balancing } from "../../../agent/runtime/balancing/balancing.ts";
import type { BalancingPorts } from "../../../agent/runtime/balancing/ports.ts";
import type { Outlet } from "../../../agent/runtime/director/part.ts";
import type { DirectorSettings, EventReport } from "../../../agent/runtime/ipc.ts";
import type { Hosts } from "./hosts.ts";
import type { Kernel } from "./kernel.ts";
import type { Time } from "./time.ts";

/** What a director lives in, and who hears of what it does. */
export interface Surroundings {
  readonly time: Time;
  readonly kernel: Kernel;
  readonly hosts: Hosts;
  readonly addresses: ReadonlySet<string>;
  /** How long the kernel takes to answer, in microseconds. */
  readonly latency: () => number;
  /** ip_vs cannot be had. */
  readonly missing: () => boolean;
  /** A list of commands is carried out, by the first function; answers errnos. */
  readonly applied: (commands: readonly IpvsCommand[]) => ReadonlyMap<number, string>;
  readonly report: (report: EventReport) => void;
  readonly told: (subject: string, lines: readonly string[]) => void;
}

/** One life of a director: the part of it that balances load, as it is in production. */
export class Life {
  readonly #around: Surroundings;
  readonly #part: Balancing;
  #alive = true;
  #paused = false;
  /** Timers that are due, and answers that have come, while it is paused. */
  #due: (() => void)[] = [];
  #answers: (() => void)[] = [];

  constructor(around: Surroundings) {
    this.#around = around;
    const nothing = (): (() => void) => () => undefined;
    const outlet: Partial<Outlet> = {
      event: (report) => this.#alive && around.report(report),
      log: () => undefined,
      requestSnapshot: () => undefined,
      onPolicyVerdict: nothing,
      onReading: nothing,
    };
    this.#part = new Balancing(outlet as Outlet, this.#ports());
  }

  get running(): boolean {
    return this.#alive && !this.#paused;
  }

  configure(balancing: BalancingConfig, leaveServices: boolean): void {
    const settings = {
      stateDirectory: "/var/lib/holdfast",
      routerId: "lb1",
      balancing,
      leaveServices,
    };
    this.#part.configure(settings as unknown as DirectorSettings);
  }

  claim(name: string, source: string, claim: ServerClaim | undefined): void {
    this.#part.policies.claim(name, source, claim);
  }

  /** Throws an Error for people where there is no such server. */
  order(command: ServerCommand, order: ServerOrder): void {
    this.#part.commands[command]?.("all", order);
  }

  /** SIGKILL: nothing of it happens any more. */
  kill(): void {
    this.#alive = false;
  }

  /** SIGSTOP, or a machine that does not run. */
  pause(): void {
    this.#paused = true;
  }

  /** As an event loop goes on: first what is due, then what has arrived. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const [due, answers] = [this.#due, this.#answers];
    this.#due = [];
    this.#answers = [];
    for (const run of due) this.#now(run);
    queueMicrotask(() => {
      for (const run of answers) this.#now(run);
    });
  }

  /** SIGTERM; resolves when it is done. */
  stop(): Promise<void> {
    return this.#part.stop();
  }

  #now(run: () => void): void {
    if (this.#alive) run();
  }

  /** Answers whether it waits. */
  #arrive(run: () => void): boolean {
    if (this.#paused) this.#answers.push(run);
    else this.#now(run);
    return this.#paused;
  }

  #ports(): BalancingPorts {
    const { time, hosts, addresses, told, missing } = this.#around;
    const look: RunProbe<ProbeOf<"misc">> = (probe, signal, timeout) =>
      new Promise((resolve) => {
        hosts.look({ probe }, timeout, (outcome) => {
          const waits = this.#arrive(() => resolve(outcome));
          return waits && !signal.aborted;
        });
        signal.addEventListener("abort", () => resolve({ ok: false, reason: "aborted", ms: 0 }));
      });
    return {
      clock: time.clock,
      openTimer: (due) =>
        time.openTimer(() => {
          if (this.#paused) this.#due.push(due);
          else this.#now(due);
        }),
      openIpvs: () =>
        this.#answer(() => (missing() ? refusal("ENOENT", "open ip_vs") : this.#ipvs())),
      openProbes: () => ({
        probes: { misc: look },
        close: () => undefined,
      }),
      openDataPathHost: () => {
        throw new Error("no check here goes by a data path");
      },
      kernelSettings: () => undefined,
      hostAddresses: () => addresses,
      tell: (subject, tellings) => {
        if (!this.#alive) return;
        const lines = tellings.flatMap((one) => (one.kind === "fifo" ? [one.line] : []));
        told(subject, lines);
      },
    } as BalancingPorts;
  }

  /** The kernel does it now, and answers a little later. */
  #answer<Value>(ask: () => Value): Promise<Value> {
    if (!this.#alive) return new Promise(() => undefined);
    const value = ask();
    const { time, latency } = this.#around;
    return new Promise((resolve) => {
      time.later(latency(), () => this.#arrive(() => resolve(value)));
    });
  }

  #ipvs(): Ipvs {
    const { kernel, applied } = this.#around;
    const { ip } = kernel;
    let closed = false;
    const open = <Value>(ask: () => Value): Promise<Value | KernelError> =>
      this.#answer(() => (closed ? refusal("ECANCELED", "ask ip_vs") : ask()));
    return {
      read: (targets) => open(() => ip.look(targets)),
      apply: (commands) =>
        this.#answer(() => {
          const errnos = closed
            ? new Map(commands.map((_, index) => [index, "ECANCELED"]))
            : applied(commands);
          return refusedCommands(commands, errnos);
        }),
      timeouts: () => ip.timeouts(),
      setTimeouts: (timeouts) => ip.setTimeouts(timeouts),
      syncDaemons: () => ip.syncDaemons(),
      startSync: (daemon) => ip.startSync(daemon),
      stopSync: (role) => ip.stopSync(role),
      close: () => {
        closed = true;
      },
    };
  }
}
