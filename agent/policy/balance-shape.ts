import type { Json } from "../../sdk/index.ts";
import type { CheckerConfig } from "../core/check/checker.ts";
import { DEFAULT_LEASE, LONGEST_LEASE } from "../core/policy/leases.ts";
import type { Micros } from "../core/time.ts";
import { micros, milliseconds, seconds } from "../core/time.ts";
import { CHECK_LIMITS, controlled } from "./check-shape.ts";
import { fits } from "./grant-cover.ts";
import type { ShapeReader } from "./shape-reader.ts";
import { isRecord } from "./shape-reader.ts";

/** How a policy decides the weights of services, defaults filled in. */
export interface BalanceShape {
  readonly every: Micros;
  readonly timeout: Micros;
  /** How long an answer holds. */
  readonly ttl: Micros;
  /** As it asks for them; `*` stands for any text. */
  readonly services: readonly string[];
}

/** Ranges of its times, as the SDK documents them. */
export const BALANCE_LIMITS = {
  shortestEvery: milliseconds(100),
  longestEvery: seconds(3_600),
  /** Periods that an answer holds at least, unless it says otherwise. */
  periods: 3,
} as const;

/** Reads what a policy declares as `balance`; `undefined`: it decides no weights. */
export function readBalance(
  value: Json | undefined,
  permissions: Readonly<Record<string, Json>>,
  reader: ShapeReader,
): BalanceShape | undefined {
  if (value === undefined || value === null) return undefined;
  const path = ["balance"];
  if (!isRecord(value)) {
    reader.refuse(path, "balance must be an object", "write { every, run }");
    return undefined;
  }
  const services = controlled(permissions, "services").filter((name) => typeof name === "string");
  if (services.length === 0) {
    const hint = 'add control: { services: ["[192.0.2.1]:tcp:80"] } to permissions';
    reader.refuse(path, "balance has no service whose weights it could decide", hint);
  }
  for (const member of Object.keys(value)) {
    if (MEMBERS.has(member)) continue;
    const hint = `it has ${[...MEMBERS].join(", ")}, run`;
    reader.refuse([...path, member], `balance has no ${member.slice(0, 40)}`, hint);
  }
  return { ...readTimes(value, reader), services };
}

const MEMBERS: ReadonlySet<string> = new Set(["every", "timeout", "ttl"]);

function readTimes(
  value: { readonly [key: string]: Json },
  reader: ShapeReader,
): Pick<BalanceShape, "every" | "timeout" | "ttl"> {
  const at = (member: string): readonly string[] => ["balance", member];
  const { shortestEvery, longestEvery, periods } = BALANCE_LIMITS;
  const every = reader.duration(value["every"] ?? null, at("every"), shortestEvery, longestEvery);
  const timeout = reader.optional(value["timeout"], (given) =>
    reader.duration(given, at("timeout"), milliseconds(1), CHECK_LIMITS.longestTimeout),
  );
  const ttl = reader.optional(value["ttl"], (given) =>
    reader.duration(given, at("ttl"), micros(Math.min(every, LONGEST_LEASE)), LONGEST_LEASE),
  );
  const usual = Math.min(LONGEST_LEASE, Math.max(DEFAULT_LEASE, periods * every));
  return {
    every,
    timeout: timeout ?? micros(Math.min(every, CHECK_LIMITS.longestDefaultTimeout)),
    ttl: ttl ?? micros(usual),
  };
}

/** Whether it is one of the services that were asked for. */
export const isBalanced = ({ services }: BalanceShape, service: string): boolean =>
  services.some((pattern) => fits(pattern, service));

/** How the machine of checks keeps its times. `startDelay` spreads the first runs of many. */
export const balancerConfig = (
  { every, timeout }: BalanceShape,
  startDelay: Micros,
): CheckerConfig => ({
  interval: every,
  timeout,
  rise: 1,
  fall: 1,
  initial: "unknown",
  // That answers do not come is the weights' business, which lapse.
  staleAfter: undefined,
  startDelay,
});
