import { z } from "zod";

export const count = z.int().nonnegative();

export const wallClock = z.number().describe("Milliseconds since 1970.");

export const family = z.enum(["ipv4", "ipv6"]);

export const state = z.enum(["initialize", "backup", "active", "fault"]);

const position = z.strictObject({
  file: z.string(),
  line: z.int().positive(),
  column: z.int().positive(),
});

export const diagnostic = z.strictObject({
  code: z.string().describe("Stable kebab-case code of the finding."),
  severity: z.enum(["error", "warning"]),
  position,
  message: z.string(),
  text: z.string().describe("The offending text; empty when something is missing."),
  hint: z.string().optional(),
});

export const childProcess = z.strictObject({
  pid: z.int().nullable().describe("null while it is not running."),
  restarts: count,
  startedAt: wallClock.nullable(),
});
