import assert from "node:assert/strict";
import { test } from "node:test";
import type { DestinationKey } from "../../../agent/core/ipvs/service.ts";
import type {
  ServerWeightsEvent,
  ServerWeightsState,
} from "../../../agent/core/policy/server-weights.ts";
import { serverWeights } from "../../../agent/core/policy/server-weights.ts";
import { seconds } from "../../../agent/core/time.ts";
import { at } from "../vrrp/example.ts";

const KEY = "10.0.0.1:80" as DestinationKey;
const answer = (weight: number, time: number): ServerWeightsEvent => ({
  kind: "answer",
  weights: { [KEY]: weight },
  time: seconds(time),
});

test("weights hold until they lapse, are renewed in silence, and can be taken back", () => {
  const lines: readonly (readonly [number, ServerWeightsEvent, string?])[] = [
    [0, { kind: "clear" }],
    [0, answer(5, 30), "5"],
    [20, answer(5, 30)],
    [49, { kind: "tick" }],
    [50, { kind: "tick" }, "lapsed"],
    [51, { kind: "tick" }],
    [60, answer(5, 30), "5"],
    [61, answer(6, 30), "6"],
    [62, { kind: "clear" }, "nothing"],
    [63, { kind: "answer", weights: {}, time: seconds(9) }, "{}"],
  ];
  let state: ServerWeightsState = serverWeights.initial;
  for (const [when, event, expected] of lines) {
    const next = serverWeights.step(undefined, state, event, at(when * 1_000_000));
    state = next.state;
    const words = next.effects.map(({ weights, lapsed }) =>
      weights === undefined ? (lapsed ? "lapsed" : "nothing") : String(weights[KEY] ?? "{}"),
    );
    assert.deepEqual(words, expected === undefined ? [] : [expected], `${event.kind} at ${when} s`);
  }
  assert.equal(serverWeights.deadline(state), 72_000_000);
});
