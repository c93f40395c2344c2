import { z } from "zod";
import type { CheckReport } from "../../agent/cli/check.ts";
import type { DemoReport } from "../../agent/cli/demo/scripted.ts";
import type { DoctorReport } from "../../agent/cli/doctor/finding.ts";
import type { ReplayOutcome } from "../../agent/cli/host.ts";
import type { VersionReport } from "../../agent/cli/version.ts";
import type { KeywordDescription } from "../../agent/config/keepalived/describe-keywords.ts";
import type {
  AgentEvent,
  NotificationsReport,
  ServiceStatus,
  Status,
} from "../../agent/control/protocol.ts";
import type { ReloadOutcome } from "../../agent/control/target.ts";
import { bfdReport } from "./bfd-schemas.ts";
import { checkSchema } from "./check-schema.ts";
import { childProcess, count, diagnostic, family, state, wallClock } from "./common-schemas.ts";
import type { Json, Same } from "./json.ts";
import {
  policyCheckSchema,
  policyGrantsSchema,
  policyRunSchema,
  policySimulateSchema,
} from "./policy-schemas.ts";
import { alarm, dropReason, reason } from "./reason-schemas.ts";
import { service, servicesSchema } from "./service-schemas.ts";

// One schema for every --json. Their types are held equal to the program's at the end of the file;
// docs/schema/*.json is written from them by test/schema/write.ts.

const address = z.string().describe("An IP address in canonical text (RFC 5952).");
const fault = z.strictObject({
  cause: z.enum([
    "interface-missing",
    "interface-down",
    "tracked-interface-down",
    "source-address-missing",
    "address-lost",
    "track-group-lost",
    "no-unicast-peer",
    "socket",
    "packet-filter",
    "tracker",
    "sync-group",
  ]),
  subject: z.string(),
});

const peer = z.strictObject({
  address,
  priority: z.int().min(0).max(255),
  advertisementInterval: count.describe("Microseconds."),
  checksum: z.enum(["message", "pseudo-header"]).optional(),
  sameAddresses: z.boolean().describe("Its address list equals ours."),
  advertisements: count,
  lastHeardAt: wallClock,
});

const counters = z.strictObject({
  advertisementsSent: count,
  advertisementsReceived: count,
  priorityZeroSent: count,
  priorityZeroReceived: count,
  becameActive: count,
  released: count,
  sendErrors: count,
  gateLate: count,
  leasesLapsed: count,
  mandatesLost: count,
  dropped: z.partialRecord(dropReason, count),
  alarms: z.partialRecord(alarm, count),
  alarmTimes: z
    .partialRecord(
      alarm,
      z.strictObject({
        at: count.describe("Wall-clock milliseconds."),
        lasts: z.boolean().describe("Its end is noticed, and has not come."),
      }),
    )
    .describe("When each alarm was last raised."),
});

const mandate = z.strictObject({
  name: z.string().describe("Of the sync group, or of the router that is in none."),
  mode: z.enum(["advisory", "required"]).nullable().describe("null: no lease, only fencing."),
  fences: z.array(z.string()),
  state: z.enum(["none", "sought", "granted", "failsafe"]),
  epoch: z.string().nullable(),
  remaining: count.nullable().describe("Microseconds; null: no lease vouches for it."),
  waiting: z
    .strictObject({
      because: z.enum(["store-unreachable", "store-refused", "fencing", "fence-failed"]),
      reason: z.string(),
      remedy: z.string().nullable(),
    })
    .nullable(),
  taken: z.boolean().describe("Somebody else has it."),
  holder: z.string().nullable(),
});

const store = z.strictObject({
  store: z.string().describe("zookeeper, etcd, consul, kubernetes or redis."),
  endpoints: z.array(z.string()),
  condition: z
    .enum(["unknown", "serves", "unreachable", "refused"])
    .describe("unknown: it has not been asked yet."),
  reason: z.string().nullable().describe("Why it does not serve."),
  remedy: z.string().nullable(),
  since: wallClock.nullable(),
  leases: z.array(
    z.strictObject({
      group: z.string().describe("The sync group, or the router that is in none."),
      lease: z.string().describe("Its name in the store."),
      state: z.enum(["unknown", "free", "ours", "taken"]).describe("ours: this node has it."),
      holder: z.string().nullable(),
    }),
  ),
});

const router = z.strictObject({
  name: z.string(),
  vrid: z.int().min(1).max(255),
  family,
  version: z.union([z.literal(2), z.literal(3)]),
  interface: z.string().nullable(),
  state,
  priority: z.strictObject({
    base: z.int().min(1).max(255),
    effective: z.int().min(1).max(255),
    contributions: z.array(
      z.strictObject({ source: z.string(), weight: z.number(), since: wallClock }),
    ),
  }),
  preempt: z.boolean(),
  advertisementInterval: count.describe("Microseconds."),
  syncGroup: z.string().nullable(),
  addresses: z.array(
    z.strictObject({
      address,
      prefixLength: z.int().min(0).max(128),
      interface: z.string(),
      installed: z.boolean().describe("On this host now, put there by the agent."),
      advertised: z.boolean(),
    }),
  ),
  fencing: z.strictObject({
    mode: z.enum(["auto", "gate", "lifetime", "off"]),
    kind: z.enum(["gate", "lifetime", "off"]),
    gate: z
      .strictObject({
        state: z.enum(["open", "shut", "contested"]),
        remaining: count.describe("Microseconds until the kernel shuts it by itself."),
        margin: count.describe("Microseconds that the kernel may learn of an extension late."),
      })
      .nullable(),
  }),
  mandate: mandate.nullable().describe("null: it needs none."),
  faults: z.array(fault),
  active: z.strictObject({ address, priority: z.int() }).nullable(),
  lastTransition: z
    .strictObject({ from: state, to: state, reason, faults: z.array(fault), at: wallClock })
    .nullable(),
  peers: z.array(peer),
  counters,
});

const check = z.strictObject({
  name: z.string().describe("For example `script chk_nginx` or `policy nginx/alive`."),
  verdict: z.enum(["unknown", "up", "down"]),
  stale: z.boolean(),
  reason: z.string(),
  since: wallClock.nullable(),
  runs: count,
  failures: count,
  lastMs: z.number().nullable(),
});

const policy = z.strictObject({
  name: z.string(),
  file: z.string(),
  state: z.enum(["running", "refused", "quarantined"]),
  version: count.describe("Counts versions that ran, from 1."),
  loadedAt: wallClock.nullable(),
  problems: z.array(z.string()).describe("Why the file as it is now does not run."),
  strikes: count,
  checks: z.array(z.string()),
});

export const statusSchema = z.strictObject({
  protocol: z.literal(1),
  version: z.string(),
  node: z.string().describe("Version of Node."),
  routerId: z.string().nullable().describe("router_id, else the name of the host."),
  processes: z.strictObject({
    supervisor: childProcess,
    vrrp: childProcess,
    director: childProcess,
    witness: childProcess.optional().describe("Where groups need a mandate."),
  }),
  configuration: z.strictObject({
    file: z.string(),
    generation: count.describe("Counts accepted configurations, from 1."),
    loadedAt: wallClock,
    refused: z.array(diagnostic).describe("Not empty: the last file was refused."),
    warnings: count,
  }),
  current: z.boolean().describe("false: the vrrp process did not answer."),
  routers: z.array(router),
  director: z
    .strictObject({
      checks: z.array(check),
      policies: z.array(policy),
      notifications: z.strictObject({
        queued: count,
        delivered: count,
        dead: count.describe("Given up; `holdfast notifications` shows them."),
      }),
      services: z.array(service).describe("Virtual servers."),
      ipvs: z.string().nullable().describe("Why the kernel's load balancer cannot be had."),
    })
    .nullable()
    .describe("null while the director does not answer."),
  groups: z.array(z.strictObject({ name: z.string(), state, members: z.array(z.string()) })),
  bfd: bfdReport.describe("BFD sessions."),
  store: store
    .optional()
    .describe("The store of leases, where groups need one and the witness process runs."),
});

export const eventSchema = z.strictObject({
  sequence: count.describe("Without gaps within one run of the agent."),
  at: wallClock,
  kind: z.enum([
    "transition",
    "group-transition",
    "alarm",
    "priority",
    "configuration",
    "process",
    "check",
    "policy",
    "peer",
    "notification",
    "real-server",
    "quorum",
    "balancing",
    "bfd",
  ]),
  subject: z.string(),
  message: z.string(),
  detail: z.record(z.string(), z.unknown()),
});

export const notificationsSchema = z.strictObject({
  targets: z.array(
    z.strictObject({
      target: z.string(),
      queued: count,
      delivered: count.describe("Since the director was started."),
      dead: count,
      lastError: z.strictObject({ at: wallClock, reason: z.string() }).nullable(),
      nextTryAt: wallClock.nullable(),
    }),
  ),
  dead: z
    .array(
      z.strictObject({
        id: count.describe("For `holdfast notifications retry` and `discard`."),
        target: z.string(),
        source: z.string().describe("For example `policy nginx` or `keepalived.conf`."),
        title: z.string(),
        at: wallClock,
        reason: z.string(),
        diedAt: wallClock,
      }),
    )
    .describe("Given up, oldest first."),
  dropped: count.describe("Since the director was started, for want of room."),
});

const names = z.array(z.string());

export const reloadSchema = z.discriminatedUnion("accepted", [
  z.strictObject({
    accepted: z.literal(true),
    generation: count,
    diagnostics: z.array(diagnostic),
    plan: z.strictObject({ added: names, removed: names, replaced: names, kept: names }),
  }),
  z.strictObject({
    accepted: z.literal(false),
    generation: count,
    diagnostics: z.array(diagnostic),
    message: z.string(),
  }),
]);

export const keywordsSchema = z.array(
  z.strictObject({
    path: z.string(),
    file: z.enum(["keepalived.conf", "holdfast.conf"]),
    arguments: z.string(),
    block: z.string().optional(),
    scope: z.enum(["vrrp", "later"]).describe("vrrp: works; later: no effect yet."),
    own: z.boolean(),
    deprecatedFor: z.string().optional(),
    default: z.string(),
    meaning: z.string(),
  }),
);

export const doctorSchema = z.strictObject({
  findings: z.array(
    z.strictObject({
      rule: z.string(),
      level: z.enum(["ok", "warning", "problem"]),
      message: z.string(),
      next: z.string().nullable(),
    }),
  ),
  warnings: count,
  problems: count,
});

export const replaySchema = z.strictObject({
  steps: count,
  routers: count,
  differences: z.array(
    z.strictObject({ line: z.int().positive(), subject: z.string(), message: z.string() }),
  ),
});

export const demoSchema = z.strictObject({
  address,
  advertisementInterval: count.describe("Milliseconds."),
  failures: z.array(
    z.strictObject({
      kind: z.enum(["stop", "kill", "pause", "cut"]),
      expected: z.strictObject({ fromMs: z.number(), toMs: z.number() }),
      outage: z.number().nullable().describe("Milliseconds; null: not recovered."),
      returnOutage: z.number().nullable(),
    }),
  ),
  recovered: z.boolean(),
});

export const versionSchema = z.strictObject({
  version: z.string(),
  node: z.string(),
  platform: z.string(),
});

/** File name in docs/schema, the command whose --json it is, and the schema. */
export const SCHEMAS = {
  status: ["holdfast status --json", statusSchema],
  event: ["one line of holdfast events --json", eventSchema],
  notifications: ["holdfast notifications --json", notificationsSchema],
  services: ["holdfast services --json", servicesSchema],
  reload: ["holdfast reload --json", reloadSchema],
  check: ["holdfast check --json", checkSchema],
  keywords: ["holdfast keywords --json", keywordsSchema],
  doctor: ["holdfast doctor --json", doctorSchema],
  replay: ["holdfast replay --json", replaySchema],
  "policy-check": ["holdfast policy check --json", policyCheckSchema],
  "policy-grants": ["holdfast policy grants --json", policyGrantsSchema],
  "policy-run": ["holdfast policy run --json", policyRunSchema],
  "policy-simulate": ["holdfast policy simulate --json", policySimulateSchema],
  demo: ["holdfast demo --json", demoSchema],
  version: ["holdfast version --json", versionSchema],
} as const satisfies Record<string, readonly [string, z.ZodType]>;

/** A JSON schema as it is published. */
export function publishedSchema(name: keyof typeof SCHEMAS): string {
  const [title, schema] = SCHEMAS[name];
  return `${JSON.stringify({ title, ...z.toJSONSchema(schema) }, null, 2)}\n`;
}

/** Does not compile unless every schema and its type in the program say the same. */
export const HELD_EQUAL: readonly [
  Same<Json<Status>, Json<z.infer<typeof statusSchema>>>,
  Same<Json<AgentEvent>, Json<z.infer<typeof eventSchema>>>,
  Same<Json<NotificationsReport>, Json<z.infer<typeof notificationsSchema>>>,
  Same<Json<readonly ServiceStatus[]>, Json<z.infer<typeof servicesSchema>>>,
  Same<Json<ReloadOutcome>, Json<z.infer<typeof reloadSchema>>>,
  Same<Json<CheckReport>, Json<z.infer<typeof checkSchema>>>,
  Same<Json<readonly KeywordDescription[]>, Json<z.infer<typeof keywordsSchema>>>,
  Same<Json<DoctorReport>, Json<z.infer<typeof doctorSchema>>>,
  Same<Json<ReplayOutcome>, Json<z.infer<typeof replaySchema>>>,
  Same<Json<DemoReport>, Json<z.infer<typeof demoSchema>>>,
  Same<Json<VersionReport>, Json<z.infer<typeof versionSchema>>>,
] = [true, true, true, true, true, true, true, true, true, true, true];
