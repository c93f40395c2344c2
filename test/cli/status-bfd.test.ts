import assert from "node:assert/strict";
import { test } from "node:test";
import { bfdLines, bfdProblems } from "../../agent/cli/status/bfd.ts";
import { styleFor } from "../../agent/cli/style.ts";
import type { IpAddress } from "../../agent/core/address.ts";
import type { BfdSnapshot } from "../../agent/core/bfd/snapshot.ts";
import { statusSchema } from "../schema/schemas.ts";
import { SAMPLE_NOW, sampleStatus } from "./sample-status.ts";

const UP: BfdSnapshot = {
  name: "gateway",
  neighbour: "192.0.2.254" as IpAddress,
  source: null,
  interface: null,
  hops: "single",
  passive: false,
  state: "up",
  verdict: "up",
  diagnostic: "none",
  discriminator: 7,
  local: { minTx: 50_000, minRx: 50_000, multiplier: 3 },
  remote: {
    ...{ minTx: 10_500, minRx: 50_000, multiplier: 5 },
    ...{ state: "up", diagnostic: "none", discriminator: 9 },
  },
  transmitInterval: 50_000,
  detectionTime: 250_000,
  flaps: 2,
  lastChange: { from: "init", to: "up", reason: "handshake-complete", at: SAMPLE_NOW - 65_000 },
  problem: null,
  counters: { sent: 10, received: 9, sendErrors: 0 },
};

const DOWN: BfdSnapshot = {
  ...UP,
  name: "far",
  neighbour: "fe80::2" as IpAddress,
  interface: "eth1",
  hops: "multiple",
  state: "down",
  verdict: "down",
  diagnostic: "detection-time-expired",
  remote: null,
  detectionTime: null,
  transmitInterval: null,
  flaps: 0,
  lastChange: { from: "up", to: "down", reason: "detection-time-expired", at: SAMPLE_NOW },
  problem: "UDP port 4784 of BFD cannot be had (EADDRINUSE); stop the other BFD daemon",
};

const REPORT = { sessions: [UP, DOWN], dropped: { ttl: 3 } };

test("sessions for people", () => {
  assert.deepEqual(bfdLines(REPORT, SAMPLE_NOW, styleFor(false)), [
    "",
    "BFD      STATE  NEIGHBOUR              INTERVAL  DETECTION  THEIRS           SINCE      FLAPS  REASON",
    "gateway  up     192.0.2.254            50 ms     250 ms     up, 5 × 10.5 ms  1 min 5 s  2      handshake-complete",
    "far      down   fe80::2%eth1 multihop                                        0 s               detection-time-expired",
  ]);
  assert.deepEqual(bfdLines({ sessions: [], dropped: {} }, SAMPLE_NOW, styleFor(false)), []);
});

test("a session that cannot work is a problem with a next step", () => {
  assert.deepEqual(bfdProblems(REPORT), [
    {
      subject: "bfd far",
      problem: "UDP port 4784 of BFD cannot be had (EADDRINUSE)",
      next: "stop the other BFD daemon",
    },
  ]);
});

test("sessions fit the schema of the status", () => {
  statusSchema.parse(JSON.parse(JSON.stringify({ ...sampleStatus, bfd: REPORT })));
});
