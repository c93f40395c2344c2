import { z } from "zod";
import type { PolicyCheckReport } from "../../agent/cli/policy/check.ts";
import type { PolicyGrantsReport } from "../../agent/cli/policy/grants.ts";
import type { DryRunReport } from "../../agent/policy/dry-run-report.ts";
import type { SimulationReport } from "../../agent/policy/simulation-report.ts";
import { count, diagnostic, state } from "./common-schemas.ts";
import type { Json, Same } from "./json.ts";

// Of what `holdfast policy …` prints with --json.

const milliseconds = z.number().nonnegative().describe("Milliseconds.");
const after = z.number().nonnegative().describe("Milliseconds since the start.");

export const policyCheckSchema = z.strictObject({
  accepted: z.boolean(),
  errors: count,
  warnings: count,
  policies: z.array(
    z.strictObject({
      name: z.string(),
      file: z.string(),
      permissions: z
        .array(z.string())
        .nullable()
        .describe("Names of the permissions that it asks for; null: they could not be read."),
    }),
  ),
  diagnostics: z.array(diagnostic),
});

export const policyGrantsSchema = z.strictObject({
  file: z.string().describe("holdfast.conf."),
  policies: z.array(
    z.strictObject({
      name: z.string(),
      granted: z
        .record(z.string(), z.json())
        .describe("What it asks for and is granted, in the SDK's form."),
      missing: z.array(z.string()).describe("Lines for its grant block."),
    }),
  ),
});

export const policySimulateSchema = z.strictObject({
  policy: z.string(),
  scenario: z.string(),
  lasted: milliseconds,
  routers: z.array(
    z.strictObject({
      name: z.string(),
      history: z
        .array(z.strictObject({ after, state, priority: z.number() }))
        .describe("From the start on: another one for each change of its state or its priority."),
    }),
  ),
  timeline: z.array(
    z.strictObject({
      after,
      kind: z.enum([
        "transition",
        "priority",
        "check",
        "policy",
        "service",
        "peer",
        "mail",
        "webhook",
        "syslog",
        "log",
        "error",
        "scenario",
      ]),
      subject: z.string(),
      message: z.string(),
    }),
  ),
  errors: z
    .array(
      z.strictObject({
        at: z.number().describe("Milliseconds since 1970, on the simulation's clock."),
        where: z.string().describe("For example `check alive`, `hook transition`, `policy`."),
        message: z.string(),
        stack: z.array(z.string()).describe("`nginx.ts:14:15` and the like, innermost first."),
      }),
    )
    .describe("Mistakes of the policy, and calls of which the scenario says nothing."),
});

export const policyRunSchema = z.strictObject({
  policy: z.string(),
  problems: z.array(z.string()).describe("Why it does not run; empty when it does."),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      result: z
        .enum(["good", "bad", "skipped", "failed"])
        .describe("failed: it threw, took too long, or answered nonsense."),
      reason: z.string(),
      milliseconds,
    }),
  ),
  weights: z
    .array(
      z.strictObject({
        service: z.string(),
        server: z.string(),
        weight: z.number().int(),
        configured: z.number().int(),
      }),
    )
    .describe("The weights that it would give real servers."),
  claims: z.array(
    z.strictObject({
      router: z.string(),
      source: z.string().describe("For example `policy nginx/alive`."),
      weight: z
        .number()
        .nullable()
        .describe("Added to the priority; null: the router would be in fault."),
      reason: z.string(),
    }),
  ),
  said: z
    .array(
      z.strictObject({
        kind: z.enum(["mail", "webhook", "syslog", "log", "metric"]),
        to: z.string(),
        text: z.string(),
      }),
    )
    .describe("None of it was sent."),
  ungranted: z.array(z.string()).describe("Lines for its grants in holdfast.conf."),
});

/** Does not compile unless every schema and its type in the program say the same. */
export const POLICY_HELD_EQUAL: readonly [
  Same<Json<PolicyCheckReport>, Json<z.infer<typeof policyCheckSchema>>>,
  Same<Json<PolicyGrantsReport>, Json<z.infer<typeof policyGrantsSchema>>>,
  Same<Json<SimulationReport>, Json<z.infer<typeof policySimulateSchema>>>,
  Same<Json<DryRunReport>, Json<z.infer<typeof policyRunSchema>>>,
] = [true, true, true, true];
