import type { TrackerConfig } from "../../config/trackers.ts";
import type { CheckStatus, DirectorStatus } from "../../control/protocol.ts";
import { NO_READING } from "../../core/track/readings.ts";
import type { Reading, TrackerId } from "../../core/track/tracking.ts";
import { trackerId } from "../../core/track/tracking.ts";
import type { Clock, OpenTimer } from "../../ports/clock.ts";
import type { RunProgram } from "../../ports/programs.ts";
import type { ProcessTable, WatchFile } from "../../ports/watches.ts";
import type { DirectorSettings } from "../ipc.ts";
import { Schedule } from "../schedule.ts";
import { FileTracker } from "./file-tracker.ts";
import type { DirectorPart, Outlet } from "./part.ts";
import { PolicyTracker } from "./policy-tracker.ts";
import { ProcessTracker } from "./process-tracker.ts";
import { RefusedTracker } from "./refused-tracker.ts";
import { ScriptTracker } from "./script-tracker.ts";
import type { Tracker, TrackerWorld } from "./tracker.ts";

/** What trackers need of the world. */
export interface TrackerPorts {
  readonly clock: Clock;
  readonly openTimer: OpenTimer;
  readonly run: RunProgram;
  readonly watchFile: WatchFile;
  /** Called when the first process is to be tracked. */
  readonly openProcesses: () => ProcessTable;
}

/** A tracker of the configuration, and what it last found. */
interface Entry {
  readonly tracker: Tracker;
  readonly kind: TrackerConfig["kind"];
  reading: Reading;
  /** Wall-clock milliseconds. */
  since: number | null;
}

/** vrrp_script, track_file and vrrp_track_process: runs and watches them, and says what they find. */
export class Trackers implements DirectorPart {
  readonly name = "trackers";
  readonly #outlet: Outlet;
  readonly #ports: TrackerPorts;
  readonly #schedule: Schedule;
  readonly #entries = new Map<TrackerId, Entry>();
  #table: ProcessTable | undefined;

  constructor(outlet: Outlet, ports: TrackerPorts) {
    this.#outlet = outlet;
    this.#ports = ports;
    this.#schedule = new Schedule(ports.clock, ports.openTimer, () => undefined);
  }

  configure({ trackers }: DirectorSettings): void {
    const wanted = new Map(trackers.map((one) => [trackerId(one.kind, one.name), one]));
    for (const [id, { tracker }] of [...this.#entries]) {
      if (wanted.has(id)) continue;
      tracker.close();
      this.#entries.delete(id);
      this.#outlet.forget(id);
    }
    for (const [id, config] of wanted) this.#place(id, config);
  }

  status(): Partial<DirectorStatus> {
    return { checks: [...this.#entries].map(([id, entry]) => statusOf(id, entry)) };
  }

  stop(): Promise<void> {
    for (const { tracker } of this.#entries.values()) tracker.close();
    this.#entries.clear();
    this.#table?.close();
    this.#table = undefined;
    this.#schedule.close();
    return Promise.resolve();
  }

  #place(id: TrackerId, config: TrackerConfig): void {
    const known = this.#entries.get(id);
    if (known?.tracker.reconfigure(config) === true) return;
    known?.tracker.close();
    // It may find something while it is being made.
    let early: Reading | undefined;
    let entry: Entry | undefined;
    const world: TrackerWorld = {
      ...this.#ports,
      schedule: this.#schedule,
      processes: () => this.#processes(),
      onPolicyVerdict: (...call) => this.#outlet.onPolicyVerdict(...call),
      warn: (message) => this.#outlet.log("warn", `${id}: ${message}`),
      found: (reading) => {
        if (entry === undefined) early = reading;
        else if (this.#entries.get(id) === entry) this.#found(id, entry, reading);
      },
    };
    const tracker = open(config, world);
    const { reading, since } = known ?? { reading: NO_READING, since: null };
    entry = { tracker, kind: config.kind, reading, since };
    this.#entries.set(id, entry);
    this.#outlet.reading(id, reading);
    if (early !== undefined) this.#found(id, entry, early);
  }

  #found(id: TrackerId, entry: Entry, reading: Reading): void {
    const before = entry.reading;
    // One that begins anew leaves what was found, here as in the vrrp process.
    if (reading.presumed === true && before.presumed !== true) return;
    const changed = before.verdict !== reading.verdict || before.value !== reading.value;
    entry.reading = reading;
    this.#outlet.reading(id, reading);
    if (!changed) return;
    entry.since = this.#ports.clock.wallClock();
    const bad = reading.verdict === "down" || reading.verdict === "failed";
    this.#outlet.event({
      at: entry.since,
      kind: "check",
      level: bad ? "warn" : "info",
      subject: id,
      message: messageOf(entry.kind, before, reading),
      detail: {
        from: before.verdict,
        to: reading.verdict,
        value: reading.value,
        reason: reading.reason,
      },
    });
  }

  #processes(): ProcessTable {
    this.#table ??= this.#ports.openProcesses();
    return this.#table;
  }
}

function open(config: TrackerConfig, world: TrackerWorld): Tracker {
  switch (config.kind) {
    case "file":
      return new FileTracker(config, world);
    case "process":
      return new ProcessTracker(config, world);
    case "script": {
      const { run } = config;
      if (run.kind === "command") return new ScriptTracker(config, run.command, world);
      if (run.kind === "policy") return new PolicyTracker(config, run, world);
      return new RefusedTracker(run.reason, world);
    }
  }
}

function messageOf(kind: Entry["kind"], before: Reading, after: Reading): string {
  const change =
    kind === "file" && before.verdict === "up"
      ? `${before.value} to ${after.value}`
      : `${before.verdict} to ${after.verdict}`;
  return after.reason === "" ? change : `${change}: ${after.reason}`;
}

function statusOf(name: TrackerId, { tracker, reading, since }: Entry): CheckStatus {
  const { verdict, reason } = reading;
  return {
    name,
    verdict: verdict === "failed" ? "down" : verdict,
    stale: false,
    reason,
    since,
    ...tracker.figures(),
  };
}
