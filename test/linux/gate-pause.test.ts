import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import type { Micros } from "../../agent/core/time.ts";
import { milliseconds, seconds } from "../../agent/core/time.ts";
import { FilterKeeper } from "../../agent/linux/netlink/filter-keeper.ts";
import type { AddressKind, FilterPart } from "../../agent/linux/netlink/filter-part.ts";
import { addressKey, makeTables } from "../../agent/linux/netlink/filter-part.ts";
import { gate as openGate } from "../../agent/linux/netlink/gate.ts";
import { GatePart } from "../../agent/linux/netlink/gate-part.ts";
import { GATE, OPEN } from "../../agent/linux/netlink/gate-ruleset.ts";
import { tablesFor } from "../../agent/linux/netlink/gated-element.ts";
import { Transactions } from "../../agent/linux/netlink/transactions.ts";
import type { FilterEvent } from "../../agent/ports/filter-event.ts";
import type { Gate, Opening, OpeningOutcome } from "../../agent/ports/gate.ts";
import {
  elementsOf,
  encodeElement,
  extendElements,
  renewElements,
  setTimeoutIn,
} from "../../agent/wire/netlink/nftables.ts";
import {
  GateRig,
  KEEP,
  needsNft,
  nft,
  now,
  opening,
  ruleset,
  VIP,
  VIP_LINK,
  VIP6,
} from "./gate-rig.ts";
import { address, enterNamespace } from "./network-rig.ts";

const ALL = [VIP, VIP6, VIP_LINK];
/** What runs out during the pause, and the pause. */
const SHORT = milliseconds(200);
const PAUSE_MS = 250;
const LONG = seconds(5);

/** Everything stands still: nothing of this process runs. */
const standStill = (ms: number): void =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** Asked for its changes when the gate has reckoned its own, before the kernel hears of either. */
class PausingPart implements FilterPart {
  readonly contents = [];
  /** What is done each time: nothing, or a pause. */
  readonly pauses: (() => void)[] = [];
  /** What to look at when the kernel has answered, before anything else is asked of it. */
  answered: () => void = () => undefined;
  refusals = 0;

  needed = (): boolean => true;
  whole = () => this.changes();
  changes() {
    this.pauses.shift()?.();
    return [];
  }
  carriedOut(): boolean {
    this.answered();
    return false;
  }
  refused(): boolean {
    this.refusals += 1;
    this.answered();
    return false;
  }
  again(): void {}
  clear(): void {}
  gone(): void {}
  fits = (): boolean => true;
  due = (): boolean => false;
}

describe("the gate and a pause before the kernel is told", {
  skip: needsNft,
  timeout: 30_000,
}, () => {
  let rig: GateRig;
  let part: PausingPart;
  let gate: Gate;
  let events: FilterEvent[];
  before(() => {
    rig = new GateRig();
  });
  beforeEach(async () => {
    part = new PausingPart();
    const gating = new GatePart();
    const keeper = new FilterKeeper([gating, part]);
    gate = openGate(gating, keeper, () => keeper.close());
    events = [];
    gate.subscribe((event) => events.push(event));
    await gate.guard(
      ALL.map((one) => rig.at(one)),
      KEEP,
    );
  });
  afterEach(async () => {
    part.needed = () => false;
    await gate.close();
    await rig.tidy();
  });
  after(() => rig?.dispose());

  const answering = (): readonly string[] => ALL.filter((one) => rig.asks(one));
  const lease = (one: string, length: Micros): Opening => opening([rig.at(one)], length);

  /**
   * Opens each for its time, and has all extended, the kernel being told of it only after a pause in
   * which the short times end. Answers how that ended, and who answered whenever the kernel had said something.
   */
  async function extendInPause(
    first: () => readonly Opening[],
    extended: () => readonly Opening[],
    meanwhile: () => void = () => undefined,
    pauseMs = PAUSE_MS,
  ): Promise<{ outcomes: readonly OpeningOutcome[]; seen: readonly (readonly string[])[] }> {
    for (;;) {
      const opened = first();
      for (const outcome of await gate.open(opened)) assert.equal(outcome, "open");
      const seen: (readonly string[])[] = [];
      let inTime = false;
      part.pauses.push(() => {
        // A busy machine may be too late for that.
        inTime = opened.every(({ deadline }) => now() < deadline);
        if (!inTime) return;
        standStill(pauseMs);
        meanwhile();
        part.answered = () => void seen.push(answering());
      });
      const outcomes = await gate.open(extended());
      part.answered = () => undefined;
      if (inTime) return { outcomes, seen };
    }
  }

  test("what ran out in it is never opened again", async () => {
    const { outcomes, seen } = await extendInPause(
      () => ALL.map((one) => lease(one, SHORT)),
      () => ALL.map((one) => lease(one, SHORT)),
    );
    assert.deepEqual(outcomes, ["late", "late", "late"]);
    assert.deepEqual(seen.slice(0, 2), [[], []]);
    assert.equal(part.refusals, 1);
    assert.deepEqual(events, []);
    assert.doesNotMatch(nft("list set inet holdfast open4"), /elements/);
    assert.deepEqual(await gate.open([lease(VIP, LONG)]), ["open"]);
    assert.deepEqual(answering(), [VIP]);
  });

  test("one that ran out shuts no other, and is opened if its new lease runs", async () => {
    const { outcomes, seen } = await extendInPause(
      () => [lease(VIP, SHORT), lease(VIP6, SHORT), lease(VIP_LINK, LONG)],
      () => [lease(VIP, SHORT), lease(VIP6, LONG), lease(VIP_LINK, LONG)],
    );
    assert.deepEqual(outcomes, ["late", "open", "open"]);
    for (const each of seen) assert.deepEqual([each.at(-1), each.includes(VIP)], [VIP_LINK, false]);
    assert.deepEqual(seen.at(-1), [VIP6, VIP_LINK]);
    assert.equal(part.refusals, 1);
    assert.deepEqual(events, []);
  });

  test("what was not open is not opened after it, unless its lease still runs", async () => {
    let litAt = now();
    let inTime = false;
    const seen: (readonly string[])[] = [];
    const light = (): void => {
      litAt = now();
    };
    const open = (): void => {
      // The fuse of a busy machine may have burnt down by itself.
      inTime = now() - litAt < SHORT / 2;
      if (!inTime) return;
      standStill(PAUSE_MS);
      part.answered = () => void seen.push(answering());
    };
    for (;;) {
      part.pauses.push(light, open);
      const outcomes = await gate.open([lease(VIP, SHORT), lease(VIP6, LONG)]);
      if (inTime) {
        assert.deepEqual(outcomes, ["late", "open"]);
        break;
      }
      await gate.shut(ALL.map((one) => rig.at(one)));
    }
    assert.deepEqual(seen.flat(), [VIP6]);
    assert.equal(part.refusals, 1);
    assert.deepEqual(events, []);
  });

  test("what the kernel shut some ticks early is opened anew, and from then on extended again", async () => {
    const { outcomes } = await extendInPause(
      () => [lease(VIP, SHORT)],
      () => [lease(VIP, LONG)],
      () => spawnSync("nft", ["delete", "element", "inet", "holdfast", "open4", `{ ${VIP} }`]),
      SHORT / 1000 - 60,
    );
    assert.deepEqual(outcomes, ["open"]);
    assert.equal(part.refusals, 1);
    assert.deepEqual(events, []);
    assert.deepEqual(answering(), [VIP]);
    const { seen } = await extendInPause(
      () => [lease(VIP, SHORT)],
      () => [lease(VIP, SHORT)],
    );
    assert.deepEqual(seen.slice(0, 2), [[], []]);
  });

  test("what else was asked for with it happens all the same", async () => {
    const other = rig.at("192.0.2.101");
    const asked: Promise<unknown>[] = [];
    const { outcomes } = await extendInPause(
      () => [lease(VIP, SHORT), lease(VIP_LINK, LONG)],
      () => {
        asked.push(gate.guard([other], KEEP), gate.release([rig.at(VIP6)]));
        asked.push(gate.guard([rig.at(VIP)], seconds(120)));
        asked.push(gate.passFrom(["02:00:00:00:00:07"]));
        return [lease(VIP, LONG), lease(VIP_LINK, LONG)];
      },
      () => asked.push(gate.shut([rig.at(VIP_LINK)])),
    );
    assert.deepEqual(outcomes, ["open", "open"]);
    for (const answer of await Promise.all(asked)) assert.equal(answer, undefined);
    // It is behind the gate no more, and the client's questions are answered.
    assert.deepEqual(answering(), [VIP, VIP6]);
    assert.match(nft("list set inet holdfast guarded4"), /192\.0\.2\.101/);
    assert.match(nft("list set arp holdfast guarded4"), /192\.0\.2\.101/);
    assert.match(nft("list set inet holdfast guarded4"), /192\.0\.2\.100 timeout 2m/);
    assert.match(nft("list set inet holdfast from"), /02:00:00:00:00:07/);
    assert.deepEqual(events, []);
  });

  test("tables that are gone after it are put back, and told", async () => {
    const { outcomes, seen } = await extendInPause(
      () => [lease(VIP, SHORT), lease(VIP6, LONG)],
      () => [lease(VIP, SHORT), lease(VIP6, LONG)],
      () => nft("flush ruleset"),
    );
    assert.deepEqual(outcomes, ["late", "open"]);
    assert.deepEqual(seen.at(-1), [VIP6]);
    assert.deepEqual(events, [{ kind: "restored" }]);
  });

  test("tables that are gone are put back without another try where nothing can have run out", async () => {
    await gate.open([lease(VIP, LONG)]);
    nft("flush ruleset");
    assert.deepEqual(await gate.open([lease(VIP, LONG)]), ["open"]);
    assert.equal(part.refusals, 1);
    assert.deepEqual(events, [{ kind: "restored" }]);
    assert.deepEqual(answering(), [VIP]);
  });
});

describe("the kernel", { skip: needsNft, timeout: 10_000 }, () => {
  const KINDS: readonly (readonly [AddressKind, string])[] = [
    ["4", VIP],
    ["6", VIP6],
    ["6link", VIP_LINK],
  ];

  test("extends no element whose timeout is over, in any set, and then nothing that goes with it", async () => {
    enterNamespace();
    const transactions = new Transactions();
    assert.equal(await transactions.run(() => makeTables(GATE)), undefined);
    const elements = KINDS.flatMap(([kind, text]) =>
      tablesFor(kind).map((table) => ({
        set: [elementsOf(table, OPEN[kind])],
        encoded: encodeElement({ key: addressKey(1, address(text)).bytes, timeoutMs: 0 }),
      })),
    );
    const change = (how: typeof extendElements, which: typeof elements, timeoutMs: number) =>
      transactions.run(() =>
        which.flatMap(({ set, encoded }) => {
          setTimeoutIn(encoded, timeoutMs);
          return how(set, [encoded]);
        }),
      );
    for (const one of elements) {
      const others = elements.filter((each) => each !== one);
      assert.equal(await change(extendElements, [one], 5_000), "ENOENT", "it is not there");
      assert.equal(await change(renewElements, others, 5_000), undefined);
      assert.equal(await change(renewElements, [one], 40), undefined);
      standStill(60);
      assert.equal(await change(extendElements, [...others, one], 60_000), "ENOENT", "it is over");
      assert.doesNotMatch(ruleset(), /timeout 1m/);
      assert.equal(await change(extendElements, others, 5_000), undefined);
      await transactions.run(() => makeTables(GATE));
    }
    transactions.close();
  });
});
