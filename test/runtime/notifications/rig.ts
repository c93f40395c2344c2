import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NotifyConfig } from "../../../agent/config/notifications.ts";
import { NO_NOTIFICATIONS, NO_NOTIFY } from "../../../agent/config/notifications.ts";
import { noSettings } from "../../../agent/config/settings.ts";
import type { CommandConfig } from "../../../agent/config/trackers.ts";
import { NO_BALANCING } from "../../../agent/config/virtual-servers.ts";
import type { Notice } from "../../../agent/core/notify/notice.ts";
import type { Channel, Delivery, FifoWriter } from "../../../agent/ports/channels.ts";
import type { ProgramOutcome, ProgramRequest } from "../../../agent/ports/programs.ts";
import type { Outlet } from "../../../agent/runtime/director/part.ts";
import type { DirectorSettings, EventReport, NotifySubject } from "../../../agent/runtime/ipc.ts";
import { Notifications } from "../../../agent/runtime/notifications/notifications.ts";
import { settle, VirtualTime } from "../virtual-time.ts";

export const notice = (text: string, more: Partial<Notice> = {}): Notice => ({
  target: { kind: "syslog" },
  source: "policy test",
  title: "",
  text,
  severity: "info",
  json: undefined,
  key: text,
  throttleMs: 0,
  at: 1_700_000_000_000,
  ...more,
});

const ended = (more: Partial<ProgramOutcome> = {}): ProgramOutcome =>
  ({ kind: "exited", status: 0, ms: 1, stdout: "", stderr: "", ...more }) as ProgramOutcome;

/** A pipe that takes as many lines as a test says. */
export class FakeFifo implements FifoWriter {
  readonly lines: string[] = [];
  room = Number.POSITIVE_INFINITY;
  closed = false;

  write(line: string): boolean {
    if (this.room <= 0) return false;
    this.room -= 1;
    this.lines.push(line);
    return true;
  }

  close(): void {
    this.closed = true;
  }
}

interface Running {
  readonly request: ProgramRequest;
  readonly end: (outcome?: Partial<ProgramOutcome>) => Promise<void>;
  readonly signal: AbortSignal | undefined;
}

/** Notifications in virtual time, with channels, programs and pipes of the test's own. */
export class Rig {
  readonly time = new VirtualTime();
  readonly folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-notify-`));
  readonly sent: Notice[] = [];
  /** What becomes of the next tries; delivered when there is none. */
  readonly outcomes: (Delivery | "never")[] = [];
  readonly log: string[] = [];
  readonly events: EventReport[] = [];
  readonly running: Running[] = [];
  readonly fifos = new Map<string, FakeFifo>();
  fifoTrouble: string | undefined;
  snapshots = 0;
  opened = 0;
  part: Notifications;
  readonly #parts: Notifications[] = [];

  constructor() {
    this.part = this.start();
  }

  /** Another director on the same directory; the one before is as good as killed. */
  start(): Notifications {
    this.part = new Notifications(this.#outlet(), {
      clock: this.time.clock,
      later: this.time.later,
      channels: {
        mail: () => this.#channel(),
        webhook: () => this.#channel(),
        syslog: () => this.#channel(),
      },
      run: (request, signal) => this.#run(request, signal),
      openFifo: ({ path }) => {
        if (this.fifoTrouble !== undefined) throw new Error(this.fifoTrouble);
        const fifo = new FakeFifo();
        this.fifos.set(path, fifo);
        return fifo;
      },
    });
    this.#parts.push(this.part);
    return this.part;
  }

  settings(more: Partial<DirectorSettings> = {}): DirectorSettings {
    return {
      name: undefined,
      scheduling: { nice: undefined, realtime: undefined } as never,
      netNamespace: undefined,
      routerId: "lb1",
      policiesDirectory: undefined,
      stateDirectory: this.folder,
      trackers: [],
      notifications: NO_NOTIFICATIONS,
      balancing: NO_BALANCING,
      failover: { failsOver: false, directors: [] },
      leaveServices: false,
      subjects: [],
      settings: noSettings("/etc/holdfast/holdfast.conf"),
      ...more,
    };
  }

  /** The text of each try. */
  get texts(): readonly string[] {
    return this.sent.map(({ text }) => text);
  }

  get commands(): readonly string[] {
    return this.running.map(({ request }) => request.argv.join(" "));
  }

  /** Lets files be written and promises run. */
  async rest(): Promise<void> {
    await settle();
    await this.part.flushed();
    await settle();
  }

  /** Files are closed, and programs end. */
  async dispose(): Promise<void> {
    await Promise.all(this.#parts.flatMap((part) => [part.stop(), part.stop()]));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #channel(): Channel {
    this.opened += 1;
    return {
      send: (one, signal) => {
        this.sent.push(one);
        const outcome = this.outcomes.shift() ?? { kind: "delivered" };
        if (outcome !== "never") return Promise.resolve(outcome);
        return new Promise((resolve) => {
          const late: Delivery = { kind: "failed", reason: "no answer in time" };
          signal.addEventListener("abort", () => resolve(late));
        });
      },
      close: () => Promise.resolve(),
    };
  }

  #run(request: ProgramRequest, signal: AbortSignal | undefined): Promise<ProgramOutcome> {
    return new Promise((resolve) => {
      const end = async (outcome?: Partial<ProgramOutcome>) => {
        resolve(ended(outcome));
        await settle();
      };
      signal?.addEventListener("abort", () => void end({ kind: "aborted" } as never));
      this.running.push({ request, end, signal });
    });
  }

  #outlet(): Outlet {
    const nothing = (): void => undefined;
    return {
      reading: nothing,
      forget: nothing,
      claim: nothing,
      withdraw: nothing,
      event: (report) => this.events.push(report),
      log: (level, message) => this.log.push(`${level} ${message}`),
      requestSnapshot: () => {
        this.snapshots += 1;
      },
      policyVerdict: nothing,
      onReading: () => () => undefined,
      onPolicyVerdict: () => nothing,
    };
  }
}

export const command = (...argv: readonly string[]): CommandConfig => ({
  position: { file: "keepalived.conf", line: 1, column: 1 },
  argv,
  runAs: undefined,
});

export const instance = (name: string, notify: Partial<NotifyConfig>): NotifySubject => ({
  kind: "instance",
  name,
  priority: 100,
  notify: { ...NO_NOTIFY, ...notify },
});

export const transition = (
  subject: string,
  to: string,
  more: Readonly<Record<string, unknown>> = {},
): EventReport => ({
  at: 0,
  kind: "transition",
  level: "info",
  subject,
  message: "",
  detail: { from: "backup", to, reason: "active-down-timer", faults: [], priority: 100, ...more },
});
