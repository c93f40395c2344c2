import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { expectationText, expectedOutage } from "../../agent/cli/demo/expectation.ts";
import { ClientRecord } from "../../agent/cli/demo/outage.ts";
import type { Picture } from "../../agent/cli/demo/view.ts";
import { draw } from "../../agent/cli/demo/view.ts";
import { PLAIN, styleFor } from "../../agent/cli/style.ts";
import { sampleStatus } from "./sample-status.ts";

describe("the expected outage", () => {
  const timing = { advertisementMs: 200, backupPriority: 100 };
  test("after a graceful stop is one skew time", () => {
    assert.deepEqual(expectedOutage("stop", timing), { fromMs: 121.875, toMs: 121.875 });
    assert.equal(expectationText(expectedOutage("stop", timing)), "122 ms");
  });
  for (const kind of ["kill", "pause", "cut"] as const) {
    test(`after ${kind} counts from the last advertisement, up to an interval back`, () => {
      assert.equal(expectationText(expectedOutage(kind, timing)), "522–722 ms");
    });
  }
});

describe("the client's record", () => {
  const record = new ClientRecord();
  for (const sentMs of [0, 5, 10, 15, 520, 525, 530]) {
    record.add({ sentMs, by: sentMs < 100 ? "node 1" : "node 2" });
  }

  test("has the longest gap since a moment", () => {
    assert.equal(record.longestGap(12), 505);
    assert.equal(record.longestGap(15), 505);
    assert.equal(record.longestGap(521), 5);
    assert.equal(record.longestGap(1_000), 0);
  });

  test("knows who answers for good", () => {
    assert.equal(record.settledOn("node 2", 530, 9), true);
    assert.equal(record.settledOn("node 2", 530, 20), false, "it does not go that far back");
    assert.equal(record.settledOn("node 1", 530, 9), false);
    assert.equal(record.settledOn("node 2", 600, 9), false, "nothing was answered since");
    assert.equal(new ClientRecord().settledOn("node 1", 0, 100), false);
  });

  test("puts answers that overtook each other in order", () => {
    const late = new ClientRecord();
    for (const sentMs of [0, 10, 5, 15]) late.add({ sentMs, by: "node 1" });
    assert.equal(late.longestGap(0), 5);
    assert.equal(late.last?.sentMs, 15);
  });
});

describe("the live view", () => {
  const picture: Picture = {
    address: "192.0.2.100",
    stations: [
      { name: "node 1", condition: "killed", plugged: true, router: undefined },
      { name: "node 2", condition: "running", plugged: false, router: sampleStatus.routers[0] },
    ],
    chosen: 1,
    client: { sentMs: 1_000, by: "node 2" },
    nowMs: 1_020,
    wallClock: Date.now(),
    outages: [{ what: "kill", node: "node 1", outageMs: 604.4, expected: "522–722 ms" }],
    events: [],
    columns: 80,
    rows: 30,
  };

  test("says who holds the address, what was measured, and what becomes of it elsewhere", () => {
    const text = draw(picture, PLAIN).join("\n");
    assert.match(text, /node 1 +killed +up/);
    assert.match(text, /▸ +node 2 +running +cut +active/);
    assert.match(text, /client: node 2 answers/);
    assert.match(text, /kill node 1: 604 ms without an answer, expected 522–722 ms/);
    assert.match(text, /node 1: its kernel lets go of the address by itself; r restores/);
  });

  test("says that nobody answers", () => {
    assert.match(draw({ ...picture, nowMs: 1_500 }, PLAIN).join("\n"), /no answer for 500 ms/);
  });

  for (const columns of [20, 40, 80, 200]) {
    test(`fits ${columns} columns`, () => {
      for (const line of draw({ ...picture, columns }, styleFor(true))) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours' own bytes
        assert.ok([...line.replaceAll(/\u001b\[[0-9;]*m/g, "")].length <= columns, line);
      }
    });
  }
});
