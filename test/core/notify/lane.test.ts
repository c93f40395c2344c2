import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type {
  LaneConfig,
  LaneEffect,
  LaneEvent,
  LaneState,
} from "../../../agent/core/notify/lane.ts";
import { GIVE_UP_AFTER, lane } from "../../../agent/core/notify/lane.ts";
import type { Notice } from "../../../agent/core/notify/notice.ts";
import type { Instant } from "../../../agent/core/time.ts";
import { instant } from "../../../agent/core/time.ts";

const CONFIG: LaneConfig = { perMinute: 20, digests: true };

const notice = (text: string, more: Partial<Notice> = {}): Notice => ({
  target: { kind: "mail", to: ["ops@example.org"], from: undefined },
  source: "test",
  title: "",
  text,
  severity: "info",
  json: undefined,
  key: text,
  throttleMs: 0,
  at: 0,
  ...more,
});

/** A lane on a clock of its own. */
class Rig {
  now: Instant = instant(1e9);
  state: LaneState = lane.initial;
  readonly effects: LaneEffect[] = [];
  readonly #config: LaneConfig;
  #id = 0;

  constructor(config: LaneConfig = CONFIG) {
    this.#config = config;
  }

  deliver(event: LaneEvent): void {
    const { state, effects } = lane.step(this.#config, this.state, event, this.now);
    this.state = state;
    this.effects.push(...effects);
  }

  add(...notices: readonly Notice[]): void {
    for (const one of notices) {
      this.#id += 1;
      const queued = { id: this.#id, notice: one, giveUpAt: instant(this.now + GIVE_UP_AFTER) };
      this.deliver({ kind: "queued", queued });
    }
  }

  fail(reason = "down", retryAfterMs?: number): void {
    this.deliver({ kind: "failed", reason, retryAfterMs });
  }

  sleep(span: number): void {
    this.now = instant(this.now + span * 1e6);
  }

  /** Carries out a word, where it means anything now. */
  act(kind: string): void {
    if (kind === "wait" && lane.deadline(this.state) !== undefined) this.wait();
    if (this.state.sending.length === 0) return;
    if (kind === "failed") this.fail();
    if (kind === "refused") this.deliver({ kind, reason: "no" });
    if (kind === "delivered") this.deliver({ kind });
  }

  /** Goes to the next deadline; answers how many seconds that was. */
  wait(): number {
    const at = lane.deadline(this.state);
    assert.ok(at !== undefined, "nothing is due");
    assert.ok(at > this.now, "a deadline that has passed would be served at once, for ever");
    const span = (at - this.now) / 1e6;
    this.now = at;
    this.deliver({ kind: "tick" });
    return span;
  }

  /** What was tried to be sent, as texts. */
  get sent(): readonly string[] {
    return this.effects.flatMap((effect) => (effect.kind === "send" ? [effect.notice.text] : []));
  }
}

describe("order and patience", () => {
  test("one after another, each when the one before was delivered", () => {
    const rig = new Rig();
    rig.add(notice("a"), notice("b"));
    assert.deepEqual(rig.sent, ["a"]);
    rig.deliver({ kind: "delivered" });
    rig.deliver({ kind: "delivered" });
    assert.deepEqual(rig.sent, ["a", "b"]);
    assert.deepEqual(rig.effects.at(-1), { kind: "done", ids: [2] });
  });

  test("what fails is tried again after 1, 2, 4 … seconds, 10 minutes at most", () => {
    const rig = new Rig();
    rig.add(notice("a"));
    const spans = Array.from({ length: 13 }, () => {
      rig.fail();
      return rig.wait();
    });
    assert.deepEqual(spans, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]);
  });

  test("the other side may ask for more, and not for ever", () => {
    const rig = new Rig();
    rig.add(notice("a"));
    rig.fail("slow down", 90_000);
    assert.equal(rig.wait(), 90);
    rig.fail("slow down", 1e12);
    assert.equal(rig.wait(), 3_600);
  });

  test("after a day it is dead, and the younger ones go on", () => {
    const rig = new Rig({ ...CONFIG, digests: false });
    rig.add(notice("a"));
    rig.fail();
    rig.sleep(23 * 3_600);
    rig.add(notice("b"));
    rig.sleep(2 * 3_600);
    rig.fail("still down");
    assert.deepEqual(
      rig.effects.filter(({ kind }) => kind === "dead"),
      [{ kind: "dead", ids: [1], reason: "still down" }],
    );
    rig.wait();
    assert.equal(rig.sent.at(-1), "b");
  });

  test("what is refused is dead at once, and the next one goes at once", () => {
    const rig = new Rig();
    rig.add(notice("a"), notice("b"));
    rig.deliver({ kind: "refused", reason: "HTTP 404" });
    assert.deepEqual(rig.effects.slice(1), [
      { kind: "dead", ids: [1], reason: "HTTP 404" },
      { kind: "send", notice: notice("b") },
    ]);
  });

  test("who asks does not wait for the next try", () => {
    const rig = new Rig();
    rig.add(notice("a"));
    rig.fail();
    rig.deliver({ kind: "hasten" });
    assert.deepEqual(rig.sent, ["a", "a"]);
  });

  test("after a failure those that waited go as one, as bad as the worst", () => {
    const rig = new Rig();
    rig.add(notice("a"));
    rig.fail();
    rig.add(notice("b", { severity: "critical" }), notice("c"));
    rig.wait();
    const last = rig.effects.at(-1);
    assert.ok(last?.kind === "send");
    assert.match(last.notice.title, /^3 notifications: a …$/);
    assert.equal(last.notice.severity, "critical");
    assert.deepEqual(
      last.notice.text.split("\n"),
      ["a", "b", "c"].map((text) => `00:00:00Z  ${text}`),
    );
    rig.deliver({ kind: "delivered" });
    assert.deepEqual(rig.effects.at(-1), { kind: "done", ids: [1, 2, 3] });
  });

  test("a body that is somebody's own JSON is never part of a digest", () => {
    const rig = new Rig();
    rig.add(notice("a"));
    rig.fail();
    rig.add(notice("b"), notice("c", { json: { c: 1 } }), notice("d"));
    rig.wait();
    rig.deliver({ kind: "delivered" });
    assert.equal(rig.sent.at(-1), "c");
  });
});

describe("never too much", () => {
  test("of one key within the throttle the first is told, the last at its end, with a count", () => {
    const rig = new Rig();
    const flap = (text: string) => notice(text, { key: "k", throttleMs: 300_000 });
    rig.add(flap("down 1"));
    rig.deliver({ kind: "delivered" });
    rig.add(flap("up 1"), flap("down 2"), flap("up 2"));
    assert.deepEqual(rig.sent, ["down 1"]);
    assert.deepEqual(
      rig.effects.filter(({ kind }) => kind === "folded"),
      [
        { kind: "folded", ids: [2] },
        { kind: "folded", ids: [3] },
      ],
    );
    assert.equal(rig.wait(), 300);
    assert.deepEqual(rig.sent.at(-1), "up 2\n(2 more in the last 5 min)");
    rig.deliver({ kind: "delivered" });
    rig.add(flap("down 3"));
    assert.equal(rig.sent.length, 2, "the next window began when it was told");
  });

  test("other keys pass, and the same key after the throttle", () => {
    const rig = new Rig();
    rig.add(notice("a", { throttleMs: 1_000 }), notice("b", { throttleMs: 1_000 }));
    rig.deliver({ kind: "delivered" });
    rig.deliver({ kind: "delivered" });
    rig.sleep(2);
    rig.add(notice("a", { throttleMs: 1_000 }));
    assert.deepEqual(rig.sent, ["a", "b", "a"]);
  });

  test("20 in a minute, and all the others as one at its end", () => {
    const rig = new Rig();
    for (let at = 0; at < 50; at += 1) {
      rig.add(notice(`n${at}`));
      if (rig.state.sending.length > 0) rig.deliver({ kind: "delivered" });
    }
    assert.equal(rig.sent.length, 20);
    assert.equal(rig.wait(), 60);
    assert.equal(rig.sent.length, 21);
    rig.deliver({ kind: "delivered" });
    const done = rig.effects.at(-1);
    assert.ok(done?.kind === "done");
    assert.equal(done.ids.length, 30);
    rig.add(notice("after"));
    assert.equal(rig.sent.at(-1), "after");
  });

  test("alerts that have a life of their own wait, and are not made one", () => {
    const rig = new Rig({ perMinute: 2, digests: false });
    rig.add(notice("a"), notice("b"), notice("c"), notice("d"));
    rig.deliver({ kind: "delivered" });
    rig.deliver({ kind: "delivered" });
    assert.deepEqual(rig.sent, ["a", "b"]);
    rig.wait();
    rig.deliver({ kind: "delivered" });
    assert.deepEqual(rig.sent, ["a", "b", "c", "d"]);
  });

  test("ten thousand keys are not remembered", () => {
    const rig = new Rig({ perMinute: undefined, digests: true });
    for (let at = 0; at < 3_000; at += 1) {
      rig.add(notice(`n${at}`, { throttleMs: 1e9 }));
      rig.deliver({ kind: "delivered" });
    }
    assert.ok(rig.state.throttled.length <= 1_000);
  });
});

test("whatever happens, each notice is settled once, in order, and no deadline lies behind", () => {
  const action = fc.oneof(
    fc.record({
      kind: fc.constant("add"),
      throttle: fc.boolean(),
      key: fc.integer({ max: 2, min: 0 }),
    }),
    fc.constantFrom(
      { kind: "delivered" },
      { kind: "failed" },
      { kind: "refused" },
      { kind: "wait" },
    ),
  );
  const config = fc.record({
    perMinute: fc.constantFrom(undefined, 1, 3),
    digests: fc.boolean(),
  });
  fc.assert(
    fc.property(config, fc.array(action, { maxLength: 60 }), (settings, actions) => {
      const rig = new Rig(settings);
      let added = 0;
      for (const one of actions) {
        if ("throttle" in one) {
          added += 1;
          const throttleMs = one.throttle ? 90_000 : 0;
          rig.add(notice(`n${added}`, { key: `k${one.key}`, throttleMs }));
        } else rig.act(one.kind);
      }
      // In the end everything is delivered.
      for (let turn = 0; turn < 1_000 && settledIds(rig.effects).length < added; turn += 1) {
        rig.act(rig.state.sending.length > 0 ? "delivered" : "wait");
      }
      const settled = settledIds(rig.effects);
      assert.equal(settled.length, added);
      assert.equal(new Set(settled).size, added);
    }),
    { numRuns: 200 },
  );
});

const settledIds = (effects: readonly LaneEffect[]): readonly number[] =>
  effects.flatMap((effect) => (effect.kind === "send" ? [] : effect.ids));
