import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionReadings } from "../../../agent/runtime/director/session-readings.ts";

test("BFD sessions are readings: asked for once, and told when they change", () => {
  const told: string[] = [];
  let asked = 0;
  const sessions = new SessionReadings(
    (tracker, { verdict, reason }) => told.push(`${tracker}: ${verdict}, ${reason}`),
    () => {
      asked += 1;
    },
  );
  assert.equal(sessions.get("script peer"), undefined);
  assert.equal(asked, 0);
  assert.equal(sessions.get("track_bfd peer")?.verdict, "unknown");
  assert.equal(sessions.get("track_bfd other")?.verdict, "unknown");
  assert.equal(asked, 1);
  const up = { name: "peer", verdict: "up", reason: "handshake-complete" } as const;
  sessions.hear(up);
  sessions.hear(up);
  const down = { name: "peer", verdict: "down", reason: "detection-time-expired" };
  const event = { at: 1, level: "warn", subject: "peer", message: "" } as const;
  sessions.event({ ...event, kind: "alarm", detail: down });
  sessions.event({ ...event, kind: "bfd", detail: down });
  assert.equal(sessions.get("track_bfd peer")?.verdict, "down");
  assert.deepEqual(told, [
    "track_bfd peer: up, handshake-complete",
    "track_bfd peer: down, detection-time-expired",
  ]);
});
