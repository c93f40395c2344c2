import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Pair } from "../lab/pair.ts";
import type { SeenAdvertisement } from "../lab/vrrp-frames.ts";
import { advertisements } from "../lab/vrrp-frames.ts";
import type { Cell } from "./cells.ts";
import { CELLS, configuration, describeCell, SERVICE } from "./cells.ts";
import type { Brand } from "./programs.ts";
import { build, otherBrand, TAKEOVER_MS } from "./programs.ts";

const HIGH = 200;
const LOW = 100;

/** Both programs on one segment: the lower priority alone, then preempted, then handed over to. */
const meet = (cell: Cell, highIs: Brand): Promise<void> =>
  Pair.run({}, async (pair) => {
    const source = (host: 1 | 2): string =>
      cell.family === "ipv4"
        ? `192.0.2.${host}`
        : (host === 1 ? pair.first : pair.second).linkLocal;
    const [highNode, lowNode] = pair.nodes;
    const high = pair.add(build(highIs, highNode, configuration(cell, HIGH, source(2))));
    const lowConfig = configuration(cell, LOW, source(1));
    const low = pair.add(build(otherBrand(highIs), lowNode, lowConfig));
    const watch = await pair.watch(SERVICE[cell.family]);
    const capture = await pair.capture();

    await low.start();
    await watch.until([lowNode], TAKEOVER_MS);
    await high.start();
    await watch.until([highNode], TAKEOVER_MS);
    // Settled: an interval later the lower one is silent.
    const preempted = capture.frames.length;
    await capture.until(
      (frames) => sentBy(advertisements(frames.slice(preempted)), source(1)).length >= 3,
      TAKEOVER_MS,
    );
    const settled = advertisements(capture.frames).slice(-2);
    await high.stop();
    await watch.until([lowNode], TAKEOVER_MS);

    const seen = advertisements(await capture.stop());
    assert.deepEqual(
      settled.map((advert) => advert.source),
      [source(1), source(1)],
    );
    assert.ok(seen.every((advert) => advert.version === cell.version && advert.vrid === 51));
    assert.ok(seen.every(({ source: from }) => from === source(1) || from === source(2)));
    assert.equal(sentBy(seen, source(1)).at(-1)?.priority, 0, "the stop was not told");
    assert.deepEqual(
      watch.history.filter(({ held }) => held).map(({ node }) => node),
      ["second", "first", "second"],
    );
  });

const sentBy = (
  adverts: readonly SeenAdvertisement[],
  source: string,
): readonly SeenAdvertisement[] => adverts.filter((advert) => advert.source === source);

describe("beside keepalived", { concurrency: 4 }, () => {
  for (const cell of CELLS) {
    for (const [role, highIs] of [
      ["high", "holdfast"],
      ["low", "keepalived"],
    ] as const) {
      test(`${describeCell(cell)}: Holdfast has the ${role} priority`, () => meet(cell, highIs));
    }
  }
});
