import type {
  MandateEvent,
  MandateState,
  MandateSurroundings,
} from "../../../agent/core/vrrp/mandate.ts";
import { INITIAL_MANDATE } from "../../../agent/core/vrrp/mandate.ts";
import { mandateLimit, stepMandate } from "../../../agent/core/vrrp/mandate-step.ts";
import type { MandateNews } from "../../../agent/core/witness/mandate-news.ts";
import { at } from "./example.ts";

export const UP: MandateSurroundings = { failsafe: true, lease: "required" };
export const NO: MandateSurroundings = { failsafe: false, lease: "required" };
export const FREE: MandateSurroundings = { failsafe: false, lease: undefined };
export const ADVISORY: MandateSurroundings = { failsafe: false, lease: "advisory" };
export const UNREACHABLE = {
  kind: "waiting",
  because: "store-unreachable",
  reason: "ECONNREFUSED",
  remedy: null,
} as const satisfies MandateNews;
export const TAKEN: MandateNews = { kind: "taken", holder: "b" };
export const LAPSED: MandateNews = { kind: "withdrawn", because: "lapsed" };

export const granted = (deadline: number | null, epoch: string | null = "07"): MandateNews => ({
  kind: "granted",
  deadlineAt: deadline === null ? null : at(deadline),
  epoch,
});

/** A mandate that hears of things at their time. */
export class Life {
  state: MandateState = INITIAL_MANDATE;
  surroundings = NO;
  readonly done: string[] = [];

  step(event: MandateEvent, now: number): this {
    const { state, effects } = stepMandate(this.surroundings, this.state, event, at(now));
    this.state = state;
    for (const effect of effects) {
      if (effect.kind === "say") {
        const { serial, fence } = effect.wish;
        const fenced = effect.what === "mandate-wanted" && fence ? " fence" : "";
        this.done.push(`${effect.what.slice("mandate-".length)} ${serial}${fenced}`);
      } else if (effect.kind === "tell-group") this.done.push(effect.event);
      else if (effect.kind === "withdrawn") this.done.push(`over: ${effect.because}`);
      else if ("begins" in effect) this.done.push(`${effect.kind} ${effect.begins}`);
      else this.done.push(effect.kind);
    }
    return this;
  }

  hear(news: MandateNews, now: number, serial = this.state.serial): this {
    return this.step({ kind: "news", serial, news }, now);
  }

  /** What was done since it was last asked. */
  take(): readonly string[] {
    return this.done.splice(0);
  }

  get limit(): number | undefined {
    return mandateLimit(this.state);
  }
}

export const sought = (fence = false): Life => new Life().step({ kind: "sought", fence }, 10);

export function leading(deadline: number | null = 100, surroundings = NO): Life {
  const life = new Life();
  life.surroundings = surroundings;
  life.step({ kind: "sought", fence: true }, 10).hear(granted(deadline), 20);
  life.take();
  return life;
}
