import type { ProcessTracker as ProcessConfig } from "../../config/trackers.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import type { DebounceEvent, DebounceState } from "../../core/track/debounce.ts";
import { debounce, debounceFrom } from "../../core/track/debounce.ts";
import { matchesProcess } from "../../core/track/process-match.ts";
import type { ProcessEvent, ProcessTable } from "../../ports/watches.ts";
import type { Slot } from "../schedule.ts";
import type { Tracker, TrackerFigures, TrackerWorld } from "./tracker.ts";

/** What two configurations of one tracker may differ in. */
const TRACKED_BY_OTHERS: ReadonlySet<string> = new Set(["position", "weight", "reverse"]);

/** A vrrp_track_process: how many run, and whether that is enough. */
export class ProcessTracker implements Tracker<ProcessConfig> {
  readonly #config: ProcessConfig;
  readonly #world: TrackerWorld;
  readonly #table: ProcessTable;
  readonly #slot: Slot;
  readonly #unsubscribe: () => void;
  readonly #pids = new Set<number>();
  #state: DebounceState;
  #changes = 0;

  constructor(config: ProcessConfig, world: TrackerWorld) {
    this.#config = config;
    this.#world = world;
    this.#table = world.processes();
    this.#slot = world.schedule.slot(() => this.#step({ kind: "tick" }, "fewer"));
    this.#unsubscribe = this.#table.subscribe((event) => this.#hear(event));
    this.#count();
    this.#state = debounceFrom(this.#enough());
    this.#tell();
  }

  reconfigure(config: ProcessConfig): boolean {
    return plainEqual(config, this.#config, TRACKED_BY_OTHERS);
  }

  figures(): TrackerFigures {
    return { runs: this.#changes, failures: 0, lastMs: null };
  }

  close(): void {
    this.#slot.set(undefined);
    this.#unsubscribe();
  }

  #hear(event: ProcessEvent): void {
    const before = this.#pids.size;
    if (event.kind === "resynchronized") this.#count();
    else if (event.kind === "ended") this.#pids.delete(event.pid);
    else if (matchesProcess(this.#config, event.process)) this.#pids.add(event.process.pid);
    else this.#pids.delete(event.process.pid);
    const { size } = this.#pids;
    if (size === before) return;
    this.#changes += 1;
    this.#step({ kind: "link", up: this.#enough() }, size > before ? "more" : "fewer");
  }

  #count(): void {
    this.#pids.clear();
    for (const process of this.#table.running()) {
      if (matchesProcess(this.#config, process)) this.#pids.add(process.pid);
    }
  }

  #enough(): boolean {
    const { quorum, quorumMax } = this.#config;
    const { size } = this.#pids;
    return size >= quorum && (quorumMax === undefined || size <= quorumMax);
  }

  /** What is too few or too many by an end waits for terminate_delay; by a start, for fork_delay. */
  #step(event: DebounceEvent, change: "more" | "fewer"): void {
    const { forkDelay, terminateDelay } = this.#config;
    const delay = change === "more" ? forkDelay : terminateDelay;
    const now = this.#world.clock.now();
    const delays = { up: delay, down: delay };
    const { state, effects } = debounce.step(delays, this.#state, event, now);
    this.#state = state;
    this.#slot.set(debounce.deadline(state));
    if (effects.length > 0) this.#tell();
  }

  #tell(): void {
    const { size } = this.#pids;
    const verdict = this.#state.up ? "up" : "down";
    this.#world.found({ verdict, value: 0, reason: size === 1 ? "1 runs" : `${size} run` });
  }
}
