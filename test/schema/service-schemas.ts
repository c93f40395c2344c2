import { z } from "zod";
import { count, wallClock } from "./common-schemas.ts";

const verdict = z.enum(["unknown", "up", "down"]);

const realServer = z.strictObject({
  server: z.string().describe("For example `10.0.0.1:80`."),
  state: z
    .enum(["up", "down", "held", "leaving", "removed"])
    .describe("removed: an operator took it away, and the file has it."),
  reason: z.string(),
  since: wallClock.nullable(),
  configuredWeight: count,
  weight: count.nullable().describe("What the kernel is to have; null: it is not in the pool."),
  kernelWeight: count.nullable().describe("What the kernel has."),
  connections: z
    .strictObject({ active: count, inactive: count })
    .nullable()
    .describe("As they were counted last."),
  override: z
    .strictObject({
      kind: z.enum(["drain", "disable", "weight"]),
      weight: count.optional(),
      who: z.string(),
      at: wallClock,
    })
    .nullable()
    .describe("What an operator said of it."),
  change: z
    .strictObject({
      kind: z.enum(["added", "removed"]),
      who: z.string(),
      at: wallClock,
      like: z.string().nullable().describe("Whose method and checks it has."),
    })
    .nullable()
    .describe("An operator added it beside the file, or took it away."),
  contributions: z
    .array(
      z.strictObject({
        source: z.string().describe("For example `policy least-latency balance`."),
        kind: z.enum(["weight", "balance", "down"]),
        weight: count.nullable().describe("null: it takes the server out."),
        since: wallClock,
      }),
    )
    .describe("What policies say of it."),
  checks: z.array(
    z.strictObject({
      kind: z.string(),
      verdict,
      reason: z.string(),
      runs: count,
      failures: count,
      failing: count.describe("Failed runs in a row, up to the last one."),
      lastMs: z.number().nullable().describe("Milliseconds of the last run."),
      p50Ms: z.number().nullable().describe("Of the last 64 runs that succeeded, the middle."),
      p99Ms: z.number().nullable().describe("99 % of them took no longer."),
    }),
  ),
});

export const service = z.strictObject({
  name: z.string().describe("For example `[192.0.2.1]:tcp:80`."),
  targets: z.array(z.string()).describe("The kernel's services: `tcp 192.0.2.1:80`."),
  scheduler: z.string(),
  quorum: z.strictObject({
    up: z.boolean(),
    weight: count.describe("Live weight."),
    wanted: count,
    hysteresis: count,
  }),
  sorryServer: z.strictObject({ server: z.string(), active: z.boolean() }).nullable(),
  held: count.describe("Real servers that the guard against mass failures holds in the pool."),
  suspended: z.boolean().describe("Its checks stand still: ha_suspend."),
  retiring: z.boolean().describe("Not configured any more; connections are finished."),
  refused: z.array(z.string()).describe("What the kernel refuses of it."),
  realServers: z.array(realServer),
});

export const servicesSchema = z.array(service);
