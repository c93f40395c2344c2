import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  ServerLeasesEvent,
  ServerLeasesState,
} from "../../../agent/core/policy/server-leases.ts";
import { serverLeases } from "../../../agent/core/policy/server-leases.ts";
import { seconds } from "../../../agent/core/time.ts";
import { at } from "../vrrp/example.ts";

const said = (server: string, weight: number, time: number): ServerLeasesEvent => ({
  kind: "weight",
  server,
  weight,
  time: seconds(time),
});

test("a word holds until its lease ends, is renewed in silence, and can be taken back", () => {
  const lines: readonly (readonly [number, ServerLeasesEvent, ...string[]])[] = [
    [0, said("a", 5, 30), "a 5"],
    [10, said("a", 5, 30)],
    [10, said("b", 0, 60), "b 0"],
    [39, { kind: "tick" }],
    [40, { kind: "tick" }, "a nothing"],
    [41, { kind: "clear", server: "c" }],
    [41, { kind: "clear", server: "b" }, "b nothing"],
    [42, said("a", 5, 30), "a 5"],
    [43, said("a", 6, 30), "a 6"],
    [44, { kind: "clear-all" }, "a nothing"],
  ];
  let state: ServerLeasesState = serverLeases.initial;
  for (const [when, event, ...expected] of lines) {
    const next = serverLeases.step(undefined, state, event, at(when * 1_000_000));
    state = next.state;
    const words = next.effects.map(({ server, weight }) => `${server} ${weight ?? "nothing"}`);
    assert.deepEqual(words, expected, `${event.kind} at ${when} s`);
  }
  assert.equal(serverLeases.deadline(state), undefined);
});
