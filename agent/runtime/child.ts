import type { ChildProcess, Later, StartProcess } from "../ports/processes.ts";
import type { ServiceRole, ToChild, ToDirector, ToVrrp, ToWitness } from "./ipc.ts";
import type { Watch } from "./watch.ts";

export interface ChildEvents {
  started(pid: number | undefined): void;
  message(message: unknown): void;
  /** It is gone; `restartMs`: when the next one starts, `undefined`: never. */
  ended(clean: boolean, cause: string, restartMs: number | undefined): void;
}

/** What a child needs of the world. */
export interface ChildWorld {
  readonly start: StartProcess<ServiceRole>;
  readonly later: Later;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

interface Beat {
  readonly kind: "pong";
  readonly id: number;
}

/** A process that is kept running: watched by heartbeats, started again when it dies. */
export class Child {
  readonly role: ServiceRole;
  restarts = 0;
  readonly #world: ChildWorld;
  #watch: Watch;
  readonly #events: ChildEvents;
  #process: ChildProcess | undefined;
  #startedMs = 0;
  #failures = 0;
  /** How many in a row were killed before they had answered with a configuration. */
  #slowStarts = 0;
  #respawn: boolean;
  #cancelRestart: (() => void) | undefined;
  #cancelBeat: (() => void) | undefined;
  #ping = 0;
  #pong = 0;
  #silentMs = 0;
  /** Since it has its first configuration. */
  #answered = false;
  /** It has been so once since its start. */
  #began = false;
  /** The last ping before that. */
  #configuredAfter: number | undefined;
  #working = false;
  #died = false;
  /** Why it was killed, in words. */
  #gaveUp: string | undefined;

  constructor(
    role: ServiceRole,
    world: ChildWorld,
    watch: Watch,
    respawn: boolean,
    events: ChildEvents,
  ) {
    this.role = role;
    this.#world = world;
    this.#watch = watch;
    this.#respawn = respawn;
    this.#events = events;
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /**
   * It runs, and no heartbeat but the last one is without its answer; or it was started, and has time for that
   * still: whoever started all the others anew as well would only make a busy machine busier.
   */
  get answers(): boolean {
    return this.running && (this.#silentMs === 0 || !(this.#began || this.#stuck));
  }

  /** The last one did not end by itself: what it held on this host may be there still. */
  get died(): boolean {
    return this.#died;
  }

  /** Takes effect with the next heartbeat. */
  set watch(watch: Watch) {
    this.#watch = watch;
  }

  /** It works off a configuration, and may be silent for as long as at its start. */
  begins(): void {
    this.#working = true;
  }

  /** It has worked it off: from its next answer on it is to answer in time. */
  finished(): void {
    this.#working = false;
    this.#answered = false;
    this.#configuredAfter = this.#ping;
  }

  start(): void {
    this.#startedMs = this.#world.nowMs();
    this.#silentMs = 0;
    this.#answered = false;
    this.#began = false;
    this.#working = false;
    this.#configuredAfter = undefined;
    this.#pong = this.#ping;
    const started = this.#world.start(this.role, {
      message: (message) => this.#hear(message),
      ended: (clean, cause) => this.#ended(clean, cause),
    });
    this.#process = started;
    this.#beatLater(this.#startedMs);
    this.#events.started(started.pid);
  }

  send(message: ToChild | ToVrrp | ToDirector | ToWitness): void {
    if (message.kind === "configure") this.#configuredAfter ??= this.#ping;
    this.#process?.send(message);
  }

  /** Asks it to let go and end; it is not started again. */
  stop(message: Extract<ToDirector, { readonly kind: "stop" }> = { kind: "stop" }): void {
    this.#respawn = false;
    this.#cancelRestart?.();
    this.#cancelRestart = undefined;
    this.send(message);
  }

  kill(): void {
    this.#process?.kill("SIGKILL");
  }

  #hear(message: unknown): void {
    // Its answer may stand behind thousands of events.
    this.#silentMs = 0;
    if (isPong(message)) {
      this.#answered ||= message.id > (this.#configuredAfter ?? message.id);
      if (this.#answered) {
        this.#began = true;
        this.#slowStarts = 0;
      }
      this.#pong = message.id;
    } else {
      this.#events.message(message);
    }
  }

  #beatLater(lastMs: number): void {
    this.#cancelBeat = this.#world.later(this.#watch.heartbeatMs, () => this.#beat(lastMs));
  }

  #beat(lastMs: number): void {
    const now = this.#world.nowMs();
    const passed = now - lastMs;
    // If we were not running ourselves (a paused machine), the child's silence proves nothing.
    const awake = passed < 2 * this.#watch.heartbeatMs;
    if (this.#pong !== this.#ping && awake) this.#silentMs += passed;
    if (this.#stuck) {
      // Its answer may have come while this process was busy: it is read before the next turn.
      this.#cancelBeat = this.#world.later(0, () =>
        this.#stuck ? this.#giveUp() : this.#goOn(now),
      );
      return;
    }
    this.#goOn(now);
  }

  get #stuck(): boolean {
    return this.#silentMs >= (this.#starts ? this.#startMs : this.#watch.stallMs);
  }

  /** It loads its code, or works off a configuration. */
  get #starts(): boolean {
    return !this.#answered || this.#working;
  }

  get #startMs(): number {
    const { startMs, stallMs } = this.#watch;
    return startMs[this.#slowStarts] ?? startMs.at(-1) ?? stallMs;
  }

  #giveUp(): void {
    const seconds = (this.#silentMs / 1_000).toFixed(1);
    this.#gaveUp = `it did not answer for ${seconds} s, and was killed`;
    if (this.#starts) {
      this.#slowStarts += 1;
      this.#gaveUp += `: the next one has ${this.#startMs / 1_000} s to start, as the machine may be busy`;
    }
    this.kill();
  }

  #goOn(now: number): void {
    this.#ping += 1;
    this.send({ kind: "ping", id: this.#ping });
    this.#beatLater(now);
  }

  #ended(clean: boolean, cause: string): void {
    this.#cancelBeat?.();
    this.#process = undefined;
    this.#died = !clean;
    const ran = this.#world.nowMs() - this.#startedMs;
    this.#failures = ran >= this.#watch.stableMs ? 1 : this.#failures + 1;
    const { backoffMs } = this.#watch;
    const delay = this.#respawn
      ? (backoffMs[this.#failures - 1] ?? backoffMs.at(-1) ?? 0)
      : undefined;
    if (delay !== undefined) {
      this.#cancelRestart = this.#world.later(delay, () => {
        this.restarts += 1;
        this.start();
      });
    }
    const told = this.#gaveUp ?? cause;
    this.#gaveUp = undefined;
    this.#events.ended(clean, told, delay);
  }
}

const isPong = (message: unknown): message is Beat =>
  typeof message === "object" && message !== null && "kind" in message && message.kind === "pong";
