import { z } from "zod";
import { count, diagnostic, family } from "./common-schemas.ts";

export const checkSchema = z.strictObject({
  file: z.string(),
  accepted: z.boolean(),
  errors: count,
  warnings: count,
  diagnostics: z.array(diagnostic),
  routers: z.array(
    z.strictObject({
      name: z.string(),
      vrid: z.int(),
      version: z.union([z.literal(2), z.literal(3)]),
      family,
      interface: z.string().nullable(),
      priority: z.int(),
      advertisementInterval: count.describe("Microseconds."),
      transport: z.enum(["multicast", "unicast"]),
      addresses: z.array(z.string()).describe("With prefix length."),
      syncGroup: z.string().nullable(),
    }),
  ),
  services: z.array(
    z.strictObject({
      name: z.string(),
      scheduler: z.string(),
      quorum: z.number(),
      realServers: z.int(),
      checks: z.int().describe("Of its real servers, together."),
    }),
  ),
  notes: z.array(z.string()).describe("What cannot be said on this host."),
});
