import type { TimedCommand } from "../config/notifications.ts";
import type { DirectorStatus } from "../control/protocol.ts";
import type { BfdVerdict } from "../core/bfd/snapshot.ts";
import { verdictOf } from "../core/bfd/snapshot.ts";
import type { Claim, Reading } from "../core/track/tracking.ts";
import type { RouterSnapshot } from "../core/vrrp/snapshot.ts";
import type { ParentChannel } from "../ports/processes.ts";
import type { RunProgram } from "../ports/programs.ts";
import type { DirectorPart, OpenPart, Outlet } from "./director/part.ts";
import { Picture } from "./director/picture.ts";
import { PolicyVerdicts } from "./director/policy-verdicts.ts";
import { ReadingListeners } from "./director/reading-listeners.ts";
import { runTimed } from "./director/run-timed.ts";
import { SessionReadings } from "./director/session-readings.ts";
import type {
  DirectorSettings,
  EventReport,
  FromDirector,
  SnapshotPart,
  ToDirector,
} from "./ipc.ts";
import { IPC_VERSION } from "./ipc.ts";

/** What the director needs, besides a way to its supervisor. */
export interface DirectorPorts {
  /** Applies name and priorities. Answers in words what the kernel refused. */
  readonly prepare: (settings: DirectorSettings) => readonly string[];
  /**
   * What it does, for what is fixed at the first configuration. Told in this order; a part hears of
   * events of those before it and after it.
   */
  readonly parts: (settings: DirectorSettings) => readonly OpenPart[];
  /** For the startup and the shutdown script. */
  readonly run: RunProgram;
  readonly exit: (status: number) => void;
}

const NOTHING: DirectorStatus = {
  checks: [],
  policies: [],
  notifications: { queued: 0, delivered: 0, dead: 0 },
  services: [],
  ipvs: null,
};

/**
 * The director: a frame for its parts, which it links with its supervisor and with each other.
 *
 * An exception out of a call to a part stops there: a defect of notifications must not take the
 * trackers of both nodes down. One that nobody catches ends the process: what it left half done is
 * unknown, and the next director starts from nothing within the grace that the vrrp process grants.
 */
export class DirectorProcess {
  readonly #channel: ParentChannel;
  readonly #ports: DirectorPorts;
  readonly #readings = new Picture<Reading>((complete, entries) =>
    this.#send({ kind: "readings", complete, entries }),
  );
  /** By router. */
  readonly #claims = new Picture<readonly Claim[]>((complete, entries) =>
    this.#send({ kind: "claims", complete, entries }),
  );
  readonly #listeners = new ReadingListeners();
  readonly #sessions = new SessionReadings(
    (tracker, reading) => this.#listeners.tell(tracker, reading),
    () => this.#requestSnapshot(),
  );
  readonly #verdicts = new PolicyVerdicts();
  /** Opened at the first configuration; before, there is nothing to do. */
  #parts: readonly DirectorPart[] | undefined;
  #configured = false;
  /** The long work of the first configuration is done: from now on, who is silent is stuck. */
  #begun: Promise<unknown> = Promise.resolve();
  /** Parts that are not ready for events yet, and when they are. */
  readonly #ready = new Map<DirectorPart, Promise<void>>();
  /** Events that parts are still to be told of: one after another, never one within another. */
  readonly #events: EventReport[] = [];
  #telling = false;
  /** Events of the supervisor's. */
  #heard = 0;
  #snapshot:
    | {
        readonly id: number;
        readonly routers: RouterSnapshot[];
        readonly sessions: BfdVerdict[];
      }
    | undefined;
  #snapshotWanted = false;
  #snapshots = 0;
  #stopping = false;

  constructor(channel: ParentChannel, ports: DirectorPorts) {
    this.#channel = channel;
    this.#ports = ports;
    channel.listen(
      (message) => this.#hear(message as ToDirector),
      () => this.#stop(undefined),
    );
    this.#send({ kind: "ready", version: IPC_VERSION });
  }

  #open(settings: DirectorSettings): readonly DirectorPart[] {
    const outlet = this.#outlet();
    return this.#ports.parts(settings).map((open) => open(outlet));
  }

  #outlet(): Outlet {
    return {
      reading: (tracker, reading) => {
        this.#readings.set(tracker, reading);
        this.#listeners.tell(tracker, reading);
      },
      forget: (tracker) => {
        this.#readings.delete(tracker);
        this.#listeners.tell(tracker, undefined);
      },
      claim: (claim) => this.#claim(claim),
      withdraw: (router, source) => this.#withdraw(router, source),
      event: (report) => {
        this.#send({ kind: "event", report });
        void this.#tell(report);
      },
      log: (level, message) => this.#send({ kind: "log", level, message }),
      requestSnapshot: () => this.#requestSnapshot(),
      onReading: (tracker, listener) => {
        listener(this.#sessions.get(tracker) ?? this.#readings.get(tracker));
        return this.#listeners.add(tracker, listener);
      },
      policyVerdict: (policy, check, reading) => this.#verdicts.set(policy, check, reading),
      onPolicyVerdict: (policy, check, listener) => this.#verdicts.listen(policy, check, listener),
    };
  }

  #hear(message: ToDirector): void {
    switch (message.kind) {
      case "ping":
        void this.#begun.then(() => this.#send({ kind: "pong", id: message.id }));
        break;
      case "stop":
        this.#stop(message.script);
        break;
      case "configure":
        this.#configure(message.settings);
        break;
      case "event":
        this.#sessions.event(message.report);
        this.#acknowledge(this.#tell(message.report));
        break;
      case "vrrp-configured":
        this.#readings.wanted();
        this.#claims.wanted();
        break;
      case "snapshot":
        this.#hearSnapshot(message);
        break;
      case "run-script":
        void runTimed(this.#ports.run, message.script).then((outcome) =>
          this.#send({ kind: "script-ended", id: message.id, outcome }),
        );
        break;
      case "status":
        this.#send({ kind: "director-status", id: message.id, status: this.#status() });
        break;
      case "command":
        void this.#command(message);
        break;
    }
  }

  #configure(settings: DirectorSettings): void {
    for (const refused of this.#ports.prepare(settings)) {
      this.#send({ kind: "log", level: "warn", message: refused });
    }
    this.#parts ??= this.#open(settings);
    const first = !this.#configured;
    this.#configured = true;
    const done = this.#parts.map((part) => {
      let takesTime = false;
      const configured = this.#guard(part, "configure", () => {
        const begun = part.configure(settings);
        takesTime = begun !== undefined;
        return begun;
      });
      if (first && takesTime) this.#await(part, configured);
      return configured;
    });
    if (first) this.#begun = Promise.allSettled(this.#parts.map((part) => part.begun?.()));
    // Trackers are all known by now, and say of themselves whether they have looked.
    this.#readings.painted();
    void Promise.all(done).then(() => {
      this.#verdicts.loaded();
      this.#claims.painted();
    });
  }

  /** Until a part has its first configuration, what happens waits for it. */
  #await(part: DirectorPart, configured: Promise<void>): void {
    const ready = configured.then(() => {
      this.#ready.delete(part);
    });
    this.#ready.set(part, ready);
  }

  #claim(claim: Claim): void {
    const held = this.#claims.get(claim.router) ?? [];
    const known = held.some(({ source }) => source === claim.source);
    const changed = held.map((one) => (one.source === claim.source ? claim : one));
    this.#claims.set(claim.router, known ? changed : [...held, claim]);
  }

  #withdraw(router: string, source: string): void {
    const held = this.#claims.get(router) ?? [];
    const others = held.filter((claim) => claim.source !== source);
    if (others.length > 0) this.#claims.set(router, others);
    else this.#claims.delete(router);
  }

  /** Resolves when nothing of what was told by then would be lost with this process. */
  #tell(report: EventReport): Promise<unknown> {
    this.#events.push(report);
    if (this.#telling) return Promise.resolve();
    this.#telling = true;
    const safe: Promise<void>[] = [];
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const event = next;
      for (const part of this.#parts ?? []) {
        if (part.event === undefined) continue;
        const tell = (): Promise<void> => this.#guard(part, "event", () => part.event?.(event));
        safe.push(this.#ready.get(part)?.then(tell) ?? tell());
      }
    }
    this.#telling = false;
    return Promise.all(safe);
  }

  /** An event of the supervisor's. */
  #acknowledge(safe: Promise<unknown>): void {
    this.#heard += 1;
    const nth = this.#heard;
    void safe.then(() => this.#send({ kind: "told", nth }));
  }

  /** Those who ask while one is under way share the next one. */
  #requestSnapshot(): void {
    if (this.#snapshot !== undefined) {
      this.#snapshotWanted = true;
      return;
    }
    this.#snapshots += 1;
    this.#snapshot = { id: this.#snapshots, routers: [], sessions: [] };
    this.#send({ kind: "snapshot", id: this.#snapshots });
  }

  #hearSnapshot({ id, routers, sessions = [], groups }: SnapshotPart): void {
    const collected = this.#snapshot;
    if (collected?.id !== id) return;
    collected.routers.push(...routers);
    collected.sessions.push(...sessions.map(verdictOf));
    if (groups === undefined) return;
    this.#snapshot = undefined;
    for (const session of collected.sessions) this.#sessions.hear(session);
    for (const part of this.#parts ?? []) {
      void this.#guard(part, "snapshot", () =>
        part.snapshot?.(collected.routers, groups, collected.sessions),
      );
    }
    if (!this.#snapshotWanted) return;
    this.#snapshotWanted = false;
    this.#requestSnapshot();
  }

  #status(): DirectorStatus {
    let status = NOTHING;
    for (const part of this.#parts ?? []) {
      void this.#guard(part, "status", () => {
        const { checks = [], policies = [], notifications, services, ipvs } = part.status();
        status = {
          checks: [...status.checks, ...checks],
          policies: [...status.policies, ...policies],
          notifications: notifications ?? status.notifications,
          services: services ?? status.services,
          ipvs: ipvs ?? status.ipvs,
        };
      });
    }
    return status;
  }

  async #command({
    id,
    command,
    ids,
    order,
  }: Extract<ToDirector, { readonly kind: "command" }>): Promise<void> {
    const part = this.#parts?.find((one) => one.commands?.[command] !== undefined);
    const act = command === "metrics" ? () => this.#metrics() : part?.commands?.[command];
    try {
      if (act === undefined) throw new Error(`nothing here answers ${command}`);
      // After a restart it does not know yet what it is asked about.
      await part?.begun?.();
      this.#send({ kind: "answer", id, result: await act(ids, order) });
    } catch (error) {
      this.#send({ kind: "no-answer", id, problem: textOf(error) });
    }
  }

  /** A part that fails leaves the others' series. */
  async #metrics(): Promise<string> {
    let text = "";
    for (const part of this.#parts ?? []) {
      await this.#guard(part, "metrics", async () => {
        text += (await part.metrics?.()) ?? "";
      });
    }
    return text;
  }

  /** What is under way may finish; a second word means that it may not. */
  #stop(script: TimedCommand | undefined): void {
    const stops = (this.#parts ?? []).map((part) => this.#guard(part, "stop", () => part.stop()));
    if (this.#stopping) return;
    this.#stopping = true;
    void Promise.all(stops).then(async () => {
      const outcome = script && (await runTimed(this.#ports.run, script));
      if (outcome !== undefined) {
        const message = `the shutdown script ${outcome}`;
        this.#send({ kind: "log", level: "warn", message });
      }
      this.#send({ kind: "stopped" });
      this.#ports.exit(0);
    });
  }

  async #guard(part: DirectorPart, call: string, act: () => void | Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const message = `${part.name} failed at ${call}: ${textOf(error)}; please report this defect`;
      this.#send({ kind: "log", level: "error", message });
      const trace = error instanceof Error ? (error.stack ?? "") : "";
      this.#send({ kind: "log", level: "debug", message: trace });
    }
  }

  #send(message: FromDirector): void {
    this.#channel.send(message);
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
