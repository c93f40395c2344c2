import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Instant } from "../../../agent/core/time.ts";
import { seconds } from "../../../agent/core/time.ts";
import type { LeaseAnswer } from "../../../agent/core/witness/lease-answer.ts";
import type {
  LookoutEffect,
  LookoutEvent,
  LookoutState,
} from "../../../agent/core/witness/lookout.ts";
import { initialLookout, lookoutDeadline } from "../../../agent/core/witness/lookout.ts";
import { stepLookout } from "../../../agent/core/witness/step-lookout.ts";
import type { StoreView } from "../../../agent/core/witness/store-view.ts";

const SILENT: StoreView & LeaseAnswer = { kind: "unreachable", reason: "no route" };
const REFUSED: StoreView & LeaseAnswer = { kind: "refused", reason: "who?", remedy: "log in" };
const FREE: StoreView = { kind: "free" };

/** Turns that nobody needs. */
const ENDLESS = 10_000;

/** A lookout, and a store that says the same to each look. */
class Scene {
  idle: readonly string[] = ["a"];
  view: StoreView | "nothing" = FREE;
  nowS = 0;
  state: LookoutState = initialLookout(7);
  /** Seconds at which it looked, and at what. */
  readonly looks: [number, string][] = [];
  readonly said: string[] = [];

  deliver(event: LookoutEvent): void {
    const now = Math.round(this.nowS * 1_000_000) as Instant;
    const config = { idle: this.idle, requestTime: seconds(1) };
    const { state, effects } = stepLookout(config, this.state, event, now);
    this.state = state;
    for (const effect of effects) this.#execute(effect);
  }

  answer(answer: LeaseAnswer, name = "a"): void {
    this.deliver({ kind: "answered", name, answer });
  }

  advance(span: number): void {
    const until = this.nowS + span;
    for (let turn = 0; turn < ENDLESS; turn += 1) {
      const deadline = lookoutDeadline(this.state);
      const at = deadline === undefined ? Number.POSITIVE_INFINITY : deadline / 1_000_000;
      if (at > until) break;
      this.nowS = at;
      this.deliver({ kind: "tick" });
    }
    this.nowS = until;
  }

  #execute(effect: LookoutEffect): void {
    if (effect.kind === "look") {
      const { id, name } = effect;
      this.looks.push([this.nowS, name]);
      if (this.view !== "nothing") this.deliver({ kind: "looked", id, view: this.view });
      return;
    }
    const { news } = effect;
    const words = news.kind === "trouble" ? [news.failure.kind, news.failure.reason] : [news.kind];
    if (news.kind === "trouble" && news.urgent) words.unshift("urgent");
    this.said.push(words.join(" "));
  }
}

function opened(view: StoreView | "nothing" = FREE): Scene {
  const scene = new Scene();
  scene.view = view;
  scene.deliver({ kind: "opened" });
  return scene;
}

describe("whoever wants nothing of the store", () => {
  test("looks at once, and then seldom, at one lease after the other", () => {
    const scene = new Scene();
    scene.idle = ["a", "b"];
    scene.deliver({ kind: "opened" });
    assert.deepEqual(scene.looks, [
      [0, "a"],
      [0, "b"],
    ]);
    scene.advance(300);
    const times = scene.looks.filter(([, name]) => name === "b").map(([at]) => at);
    assert.ok(times.length >= 11 && times.length <= 21, `${times}`);
    for (const [at, time] of times.entries()) {
      const before = times[at - 1];
      assert.ok(before === undefined || time - before >= 15, `${times}`);
    }
    assert.deepEqual(scene.said, []);
    assert.deepEqual(scene.state.leases, { a: { kind: "free" }, b: { kind: "free" } });
  });

  test("does not look at what is sought here, nor at anything where all is", () => {
    const scene = opened();
    scene.idle = [];
    scene.advance(120);
    assert.equal(scene.looks.length, 1);
    scene.idle = ["b"];
    scene.advance(31);
    assert.deepEqual(scene.looks.at(-1)?.[1], "b");
  });

  test("is told of a refusal at once, of another one as well, and of its end", () => {
    const scene = opened(REFUSED);
    assert.deepEqual(scene.said, ["refused who?"]);
    assert.deepEqual(scene.state.condition, REFUSED);
    scene.advance(60);
    assert.deepEqual(scene.said, ["refused who?"], "once");
    scene.view = { ...REFUSED, reason: "not you" };
    scene.advance(10);
    scene.view = FREE;
    scene.advance(10);
    assert.deepEqual(scene.said, ["refused who?", "refused not you", "serves-again"]);
    assert.equal(scene.state.condition.kind, "serves");
  });

  test("is told of silence when a second look was in vain, within seconds", () => {
    const scene = opened("nothing");
    scene.advance(2.9);
    assert.deepEqual([scene.said, scene.state.condition.kind], [[], "unknown"]);
    scene.advance(1.2);
    assert.deepEqual(scene.said, ["unreachable no answer in time"]);
    scene.view = SILENT;
    scene.advance(60);
    assert.equal(scene.said.length, 1, "for another reason it is the same silence");
  });

  test("is told nothing of a single look in vain", () => {
    const scene = opened();
    scene.view = SILENT;
    scene.advance(30);
    const before = scene.looks.length;
    const missed = opened();
    missed.view = "nothing";
    for (let turn = 0; turn < 60 && missed.state.misses === 0; turn += 1) missed.advance(1);
    assert.equal(missed.state.misses, 1);
    missed.view = FREE;
    missed.advance(5);
    assert.deepEqual([missed.said, missed.state.condition.kind], [[], "serves"]);
    assert.ok(before > 2, "who is not answered asks more often");
  });

  test("a store that comes and goes is told of once in ten seconds, and not forgotten", () => {
    const scene = opened();
    for (let turn = 0; turn < 20; turn += 1) {
      scene.answer(SILENT);
      scene.nowS += 0.5;
      scene.answer({ kind: "held", epoch: "1" });
      scene.nowS += 0.5;
    }
    const told = () => scene.said.filter((line) => line.endsWith("no route")).length;
    assert.equal(told(), 2);
    scene.nowS += 1;
    scene.answer(SILENT);
    scene.nowS += 10;
    scene.answer(SILENT);
    assert.equal(told(), 3, "silence that began while nothing was told is told of later");
  });
});

describe("requests for leases", () => {
  test("in vain are told at once, and as urgent, though a look was in vain before", () => {
    const scene = opened(REFUSED);
    scene.idle = [];
    scene.answer(REFUSED);
    scene.answer(REFUSED);
    assert.deepEqual(scene.said, ["refused who?", "urgent refused who?"]);
  });

  test("tell whose leases are; a look that left before a failure counts no more", () => {
    const scene = opened("nothing");
    scene.answer({ kind: "taken", holder: "b" });
    assert.deepEqual(scene.state.leases, { a: { kind: "taken", holder: "b" } });
    scene.answer({ kind: "held", epoch: "1" });
    assert.deepEqual(scene.state.leases, { a: { kind: "ours" } });
    scene.answer({ kind: "lost" });
    assert.deepEqual(scene.state.leases, {});
    scene.answer(SILENT);
    scene.deliver({ kind: "looked", id: 1, view: FREE });
    assert.equal(scene.state.condition.kind, "unreachable");
  });

  test("that are over are followed by a look: somebody else has it now", () => {
    const scene = opened();
    scene.idle = [];
    scene.answer({ kind: "held", epoch: "1" });
    scene.idle = ["a"];
    scene.view = { kind: "taken", holder: "b" };
    scene.deliver({ kind: "rested", name: "a" });
    assert.deepEqual(scene.state.leases, {});
    scene.advance(2);
    assert.deepEqual(scene.state.leases, { a: { kind: "taken", holder: "b" } });
  });

  test("know more than a look that was under way", () => {
    const scene = opened("nothing");
    scene.idle = [];
    scene.answer({ kind: "held", epoch: "1" });
    scene.deliver({ kind: "looked", id: 1, view: FREE });
    assert.deepEqual(scene.state.leases, { a: { kind: "ours" } });
  });
});
