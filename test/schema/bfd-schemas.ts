import { z } from "zod";
import { count, wallClock } from "./common-schemas.ts";

const sessionState = z.enum(["admin-down", "down", "init", "up"]);

const diagnostic = z.enum([
  "none",
  "detection-time-expired",
  "echo-failed",
  "neighbour-signalled-down",
  "forwarding-plane-reset",
  "path-down",
  "concatenated-path-down",
  "administratively-down",
  "reverse-concatenated-path-down",
  "reserved",
]);

const timing = {
  minTx: count.describe("Microseconds."),
  minRx: count.describe("Microseconds."),
  multiplier: count,
};

const session = z.strictObject({
  name: z.string(),
  neighbour: z.string(),
  source: z.string().nullable().describe("null: any address of this host."),
  interface: z.string().nullable(),
  hops: z.enum(["single", "multiple"]),
  passive: z.boolean(),
  state: sessionState,
  verdict: z
    .enum(["unknown", "up", "down"])
    .describe("What counts for those who depend on it; unknown: it has had no time to come up."),
  diagnostic: diagnostic.describe("Why it last went down."),
  discriminator: count,
  local: z.strictObject(timing),
  remote: z
    .strictObject({ ...timing, state: sessionState, diagnostic, discriminator: count })
    .nullable()
    .describe("null: not heard within a detection time."),
  transmitInterval: count.nullable().describe("Microseconds, as agreed."),
  detectionTime: count.nullable().describe("Microseconds, as agreed."),
  flaps: count.describe("How often it left `up`."),
  lastChange: z.strictObject({
    from: sessionState,
    to: sessionState,
    reason: z.enum([
      "startup",
      "shutdown",
      "neighbour-heard",
      "handshake-complete",
      "detection-time-expired",
      "neighbour-signalled-down",
      "neighbour-shut-down",
    ]),
    at: wallClock,
  }),
  problem: z.string().nullable().describe("Why it cannot send or listen."),
  counters: z.strictObject({ sent: count, received: count, sendErrors: count }),
});

export const bfdReport = z.strictObject({
  sessions: z.array(session),
  dropped: z
    .partialRecord(
      z.enum([
        "truncated",
        "version",
        "length",
        "multiplier-zero",
        "multipoint",
        "discriminator-zero",
        "authentication",
        "ttl",
        "unknown-discriminator",
        "wrong-neighbour",
        "unknown-neighbour",
        "discriminator-missing",
      ]),
      count,
    )
    .describe("Received packets that were of no use, by reason."),
});
