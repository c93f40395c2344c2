import type { LetterIds, NotificationsReport } from "../../control/protocol.ts";
import type { LaneEffect, LaneEvent, LaneState } from "../../core/notify/lane.ts";
import { GIVE_UP_AFTER, lane } from "../../core/notify/lane.ts";
import type { Notice } from "../../core/notify/notice.ts";
import { laneConfig, targetKey, targetLabel } from "../../core/notify/target.ts";
import type { Instant } from "../../core/time.ts";
import { after, earliest, milliseconds } from "../../core/time.ts";
import type { Channel, ChannelHost, Delivery, OpenChannel } from "../../ports/channels.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Later } from "../../ports/processes.ts";
import { Contents } from "./contents.ts";
import { OutboxFile } from "./outbox-file.ts";

type ChannelKind = Notice["target"]["kind"];

/** Who hears what becomes of notices. */
export interface OutboxEvents {
  /** Something that an operator should know; never for each try. */
  trouble(level: "info" | "warn" | "error", target: string, message: string): void;
  log(level: "info" | "warn" | "error", message: string): void;
}

export interface OutboxPorts {
  readonly clock: Clock;
  readonly later: Later;
  readonly channels: Readonly<Record<ChannelKind, OpenChannel>>;
}

/** One try may take this long. */
const TRY_MS = 60_000;

interface Lane {
  readonly target: Notice["target"];
  readonly label: string;
  state: LaneState;
  delivered: number;
  lastError: { readonly at: number; readonly reason: string } | undefined;
  /** Ends the try that is under way. */
  abort: AbortController | undefined;
}

/** Notices on their way: durable, each target in order and by itself, with patience. */
export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #events: OutboxEvents;
  readonly #lanes = new Map<string, Lane>();
  readonly #contents: Contents;
  #file: OutboxFile | undefined;
  #host: ChannelHost | undefined;
  #channels = new Map<ChannelKind, Promise<Channel>>();
  #id = 0;
  #delivered = 0;
  #cancelTimer: () => void = () => undefined;
  #timerAt: Instant | undefined;
  #stopping = false;
  #idle: (() => void) | undefined;

  constructor(ports: OutboxPorts, events: OutboxEvents) {
    this.#ports = ports;
    this.#events = events;
    this.#contents = new Contents({
      dropped: (id, notice) => {
        this.#file?.done([id]);
        const known = this.#lanes.get(targetKey(notice.target));
        if (known !== undefined) this.#step(known, { kind: "dropped", id });
      },
      forgotten: (id) => this.#file?.done([id]),
      said: (message) => events.log("warn", message),
    });
  }

  /** Takes up what an earlier run left in `directory`, and sends by way of `host`. */
  open(directory: string, host: ChannelHost): void {
    this.#host = host;
    let last = "";
    const opened = OutboxFile.open(directory, (message) => {
      if (message !== last) this.#events.log("warn", message);
      last = message;
    });
    this.#file = opened.file;
    const all = [...opened.entries, ...opened.dead];
    this.#id = all.reduce((most, { id }) => Math.max(most, id), 0);
    for (const letter of opened.dead) this.#contents.died(letter);
    for (const { id, notice } of opened.entries) this.#admit(id, notice);
  }

  /** Other settings: whatever failed is tried anew by way of them. */
  configure(host: ChannelHost): void {
    this.#host = host;
    const old = [...this.#channels.values()];
    this.#channels = new Map();
    void closeAll(old);
    for (const one of this.#lanes.values()) this.#step(one, { kind: "hasten" });
  }

  add(notice: Notice): void {
    this.#id += 1;
    this.#file?.put({ id: this.#id, notice });
    this.#admit(this.#id, notice);
  }

  /**
   * Gives what was given up another try: these, or all; what waits is tried at once. Throws an Error
   * for an id of none.
   */
  retry(ids: LetterIds): void {
    for (const { id, notice } of this.#contents.takeDead(ids)) {
      this.#file?.put({ id, notice });
      // Its 24 hours begin anew.
      this.#admit(id, { ...notice, throttleMs: 0 }, 0);
    }
    for (const one of this.#lanes.values()) this.#step(one, { kind: "hasten" });
  }

  /** Forgets what was given up: these, or all. Throws an Error for an id of none. */
  discard(ids: LetterIds): void {
    this.#file?.done(this.#contents.takeDead(ids).map(({ id }) => id));
  }

  counts(): { readonly queued: number; readonly delivered: number; readonly dead: number } {
    const { queued, dead } = this.#contents;
    return { queued, delivered: this.#delivered, dead: dead.length };
  }

  report(): NotificationsReport {
    const { clock } = this.#ports;
    const { dead, dropped } = this.#contents;
    const wallClockOf = (at: Instant): number =>
      clock.wallClock() + Math.round((at - clock.now()) / 1_000);
    return {
      targets: [...this.#lanes.values()].map(({ label, state, delivered, lastError }) => ({
        target: label,
        queued: queuedIn(state),
        delivered,
        dead: dead.filter(({ notice }) => targetLabel(notice.target) === label).length,
        lastError: lastError ?? null,
        nextTryAt: state.retryAt === undefined ? null : wallClockOf(state.retryAt),
      })),
      dead: dead.map(({ id, notice, reason, diedAt }) => ({
        id,
        target: targetLabel(notice.target),
        source: notice.source,
        title: notice.title === "" ? notice.text.slice(0, 200) : notice.title,
        at: notice.at,
        reason,
        diedAt,
      })),
      dropped,
    };
  }

  async flushed(): Promise<void> {
    await this.#file?.flush();
  }

  /** What can be sent within `waitMs` is; the rest is on disk when this resolves. At once if asked twice. */
  async stop(waitMs: number): Promise<void> {
    const hurry = this.#idle;
    if (hurry === undefined) {
      await new Promise<void>((resolve) => {
        const cancel = this.#ports.later(waitMs, resolve);
        this.#idle = () => {
          cancel();
          resolve();
        };
        this.#checkIdle();
      });
    } else hurry();
    this.#stopping = true;
    this.#cancelTimer();
    for (const one of this.#lanes.values()) one.abort?.abort();
    await this.#file?.close();
    await closeAll([...this.#channels.values()]);
  }

  #admit(id: number, notice: Notice, age?: number): void {
    const { clock } = this.#ports;
    const now = clock.now();
    const ageMs = Math.max(0, age ?? clock.wallClock() - notice.at);
    const giveUpAt = after(now, (GIVE_UP_AFTER - milliseconds(ageMs)) as typeof GIVE_UP_AFTER);
    const key = targetKey(notice.target);
    const one = this.#lanes.get(key) ?? this.#newLane(key, notice.target);
    this.#contents.add(id, notice);
    this.#step(one, { kind: "queued", queued: { id, notice, giveUpAt } });
  }

  #newLane(key: string, target: Notice["target"]): Lane {
    const fresh: Lane = {
      target,
      label: targetLabel(target),
      state: lane.initial,
      delivered: 0,
      lastError: undefined,
      abort: undefined,
    };
    this.#lanes.set(key, fresh);
    return fresh;
  }

  #step(one: Lane, event: LaneEvent): void {
    if (this.#stopping) return;
    const { state, effects } = lane.step(
      laneConfig(one.target),
      one.state,
      event,
      this.#ports.clock.now(),
    );
    one.state = state;
    for (const effect of effects) this.#carryOut(one, effect);
    this.#arm();
    this.#checkIdle();
  }

  #carryOut(one: Lane, effect: LaneEffect): void {
    switch (effect.kind) {
      case "send":
        void this.#send(one, effect.notice);
        break;
      case "done":
        one.delivered += effect.ids.length;
        this.#delivered += effect.ids.length;
        this.#settle(effect.ids);
        break;
      case "folded":
        this.#settle(effect.ids);
        break;
      case "dead":
        this.#giveUp(one, effect.ids, effect.reason);
        break;
    }
  }

  #settle(ids: readonly number[]): void {
    for (const id of ids) this.#contents.remove(id);
    this.#file?.done(ids);
  }

  #giveUp(one: Lane, ids: readonly number[], reason: string): void {
    const diedAt = this.#ports.clock.wallClock();
    for (const id of ids) {
      const notice = this.#contents.remove(id);
      if (notice === undefined) continue;
      const letter = { id, notice, reason, diedAt };
      this.#file?.died(letter);
      this.#contents.died(letter);
    }
    const what = ids.length === 1 ? "a notification was" : `${ids.length} notifications were`;
    const message = `${what} given up: ${reason}; holdfast notifications shows it`;
    this.#events.trouble("error", one.label, message);
  }

  async #send(one: Lane, notice: Notice): Promise<void> {
    const abort = new AbortController();
    one.abort = abort;
    const cancel = this.#ports.later(TRY_MS, () => abort.abort());
    const delivery = await this.#try(notice, abort.signal);
    cancel();
    one.abort = undefined;
    this.#note(one, delivery);
    this.#step(one, eventOf(delivery));
  }

  async #try(notice: Notice, signal: AbortSignal): Promise<Delivery> {
    // Never within the turn that queued it: who tells something waits for nothing.
    await Promise.resolve();
    try {
      const channel = await this.#channel(notice.target.kind);
      return await channel.send(notice, signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: "failed", reason: `a defect of ours: ${reason}` };
    }
  }

  #channel(kind: ChannelKind): Promise<Channel> {
    const known = this.#channels.get(kind);
    if (known !== undefined) return known;
    if (this.#host === undefined) throw new TypeError("the outbox is not open");
    const channel = Promise.resolve(this.#ports.channels[kind](this.#host));
    this.#channels.set(kind, channel);
    return channel;
  }

  /** Said once when it begins to fail, and once when it is well again. */
  #note(one: Lane, delivery: Delivery): void {
    if (this.#stopping) return;
    const { trouble } = this.#events;
    if (delivery.kind === "delivered") {
      if (one.state.failures > 0) trouble("info", one.label, "notifications are delivered again");
      if (delivery.remark !== undefined) trouble("warn", one.label, delivery.remark);
      one.lastError = undefined;
      return;
    }
    const { reason } = delivery;
    one.lastError = { at: this.#ports.clock.wallClock(), reason };
    if (delivery.kind === "refused" || one.state.failures > 0) return;
    trouble("warn", one.label, `not delivered, and tried again: ${reason}`);
  }

  #arm(): void {
    const next = earliest(...[...this.#lanes.values()].map(({ state }) => lane.deadline(state)));
    if (next === this.#timerAt) return;
    this.#cancelTimer();
    this.#timerAt = next;
    if (next === undefined || this.#stopping) return;
    const delayMs = Math.max(0, Math.ceil((next - this.#ports.clock.now()) / 1_000));
    // Node's timers hold 24 days at most.
    this.#cancelTimer = this.#ports.later(Math.min(delayMs, 86_400_000), () => {
      this.#timerAt = undefined;
      for (const one of this.#lanes.values()) this.#step(one, { kind: "tick" });
    });
  }

  /** Nothing is under way, and nothing could be. */
  #checkIdle(): void {
    if (this.#idle === undefined) return;
    if ([...this.#lanes.values()].every(({ state }) => state.sending.length === 0)) this.#idle();
  }
}

const closeAll = (channels: readonly Promise<Channel>[]): Promise<unknown> =>
  Promise.allSettled(channels.map(async (channel) => (await channel).close()));

const queuedIn = ({ waiting, sending, throttled }: LaneState): number =>
  waiting.length + sending.length + throttled.filter(({ last }) => last !== undefined).length;

function eventOf(delivery: Delivery): LaneEvent {
  if (delivery.kind === "delivered") return { kind: "delivered" };
  const { reason } = delivery;
  if (delivery.kind === "refused") return { kind: "refused", reason };
  return { kind: "failed", reason, retryAfterMs: delivery.retryAfterMs };
}
