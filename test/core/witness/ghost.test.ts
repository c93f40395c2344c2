import assert from "node:assert/strict";
import { test } from "node:test";
import { unghosted } from "../../../agent/core/witness/ghost.ts";
import type { LeaseAnswer } from "../../../agent/core/witness/lease-answer.ts";

test("a lease of this node's own, of an earlier process, is neither a rival's nor an outage", () => {
  assert.equal(unghosted({ kind: "taken", holder: "lb1/7" }, "lb1/7").kind, "refused");
  const others: readonly LeaseAnswer[] = [
    { kind: "taken", holder: "lb2/9" },
    { kind: "taken", holder: undefined },
    { kind: "held", epoch: "1" },
    { kind: "lost" },
  ];
  for (const answer of others) assert.equal(unghosted(answer, "lb1/7"), answer);
});
