import type { Json } from "../../sdk/index.ts";
import type { SentMail, SentSyslog, SentWebhook } from "../../sdk/testing.ts";
import type { LaneEvent, LaneState } from "../core/notify/lane.ts";
import { GIVE_UP_AFTER, lane } from "../core/notify/lane.ts";
import type { Notice } from "../core/notify/notice.ts";
import { laneConfig, targetKey } from "../core/notify/target.ts";
import { after } from "../core/time.ts";
import type { Timer } from "../ports/clock.ts";
import type { VirtualClock } from "./virtual-clock.ts";

interface Target {
  state: LaneState;
  readonly first: Notice;
  readonly timer: Timer;
}

/** Who hears of what leaves. */
export interface ToldListener {
  mail(mail: SentMail): void;
  webhook(webhook: SentWebhook): void;
  syslog(line: SentSyslog): void;
}

/** What is told, on the way that the agent's outbox has: throttled, limited; delivered at once. */
export class Told {
  readonly #clock: VirtualClock;
  readonly #listener: ToldListener;
  readonly #nameOf: (preset: string, url: string) => string;
  readonly #targets = new Map<string, Target>();
  #lastId = 0;

  /** @param nameOf what the policy calls a webhook */
  constructor(
    clock: VirtualClock,
    listener: ToldListener,
    nameOf: (preset: string, url: string) => string,
  ) {
    this.#clock = clock;
    this.#listener = listener;
    this.#nameOf = nameOf;
  }

  tell(notice: Notice): void {
    const key = targetKey(notice.target);
    const known = this.#targets.get(key);
    const target: Target = known ?? {
      state: lane.initial,
      first: notice,
      timer: this.#clock.openTimer(() => this.#step(target, { kind: "tick" })),
    };
    this.#targets.set(key, target);
    this.#lastId += 1;
    const giveUpAt = after(this.#clock.now(), GIVE_UP_AFTER);
    this.#step(target, { kind: "queued", queued: { id: this.#lastId, notice, giveUpAt } });
  }

  #step(target: Target, event: LaneEvent): void {
    const config = laneConfig(target.first.target);
    const { state, effects } = lane.step(config, target.state, event, this.#clock.now());
    target.state = state;
    for (const effect of effects) {
      if (effect.kind !== "send") continue;
      this.#send(effect.notice);
      this.#step(target, { kind: "delivered" });
    }
    target.timer.set(lane.deadline(target.state));
  }

  #send({ target, title, text, severity, json }: Notice): void {
    const at = this.#clock.wallClock();
    if (target.kind === "mail") {
      this.#listener.mail({ at, to: target.to, subject: title, text });
    } else if (target.kind === "webhook") {
      const name = this.#nameOf(target.preset, target.url);
      const more = json === undefined ? {} : { json: json as Json };
      this.#listener.webhook({ at, name, title, text, severity, ...more });
    } else this.#listener.syslog({ at, title, text, severity });
  }
}
