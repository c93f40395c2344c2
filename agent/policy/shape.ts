import type { Events, Json } from "../../sdk/index.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { nearest } from "../config/keepalived/suggest.ts";
import type { BalanceShape } from "./balance-shape.ts";
import { readBalance } from "./balance-shape.ts";
import type { CheckShape } from "./check-shape.ts";
import { readChecks } from "./check-shape.ts";
import type { Manifest } from "./manifest.ts";
import { isRecord, ShapeReader } from "./shape-reader.ts";

/** Names of the SDK's events. */
export type EventName = keyof Events<string>;

/** What an evaluated policy declares. */
export interface PolicyShape {
  readonly about: string | undefined;
  readonly checks: readonly CheckShape[];
  /** `undefined`: it decides no weights. */
  readonly balance: BalanceShape | undefined;
  readonly events: readonly EventName[];
  /** `undefined`: it keeps no state. */
  readonly stateVersion: number | undefined;
}

export type ShapeOutcome =
  | { readonly ok: true; readonly shape: PolicyShape }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

const LONGEST_ABOUT = 200;

/** Exhaustive: a new event of the SDK does not compile without a line here. */
const EVENTS: Readonly<Record<EventName, true>> = {
  transition: true,
  checkChange: true,
  priorityChange: true,
  realServer: true,
  serviceQuorum: true,
  peer: true,
  start: true,
  stop: true,
};

export const EVENT_NAMES: readonly string[] = Object.keys(EVENTS);

const isEventName = (name: string): name is EventName => Object.hasOwn(EVENTS, name);

/**
 * Reads what a sandbox says of a policy that it evaluated (`LoadedRealm.shape`). The text was made where
 * hostile code ran: nothing in it is believed before it was looked at. Findings stand at the place in
 * the author's file, where that part is written out.
 */
export function readShape(json: string, manifest: Manifest): ShapeOutcome {
  const reader = new ShapeReader(manifest.places);
  const value = parse(json);
  if (!isRecord(value)) {
    reader.refuse([], "the policy is no object", "write export default definePolicy({ … })");
    return { ok: false, problems: reader.problems };
  }
  const shape: PolicyShape = {
    about: readAbout(value["about"], reader),
    checks: readChecks(value["checks"], manifest.permissions, reader),
    balance: readBalance(value["balance"], manifest.permissions, reader),
    events: readEvents(value["events"], reader),
    stateVersion: reader.optional(value["stateVersion"], (version) =>
      reader.integer(version, ["state", "version"], 0, 1_000_000),
    ),
  };
  return reader.problems.length === 0
    ? { ok: true, shape }
    : { ok: false, problems: reader.problems };
}

function parse(json: string): Json | undefined {
  try {
    return JSON.parse(json) as Json;
  } catch {
    return undefined;
  }
}

const readAbout = (value: Json | undefined, reader: ShapeReader): string | undefined =>
  reader.optional(value, (text) => {
    if (typeof text === "string" && text.length <= LONGEST_ABOUT) return text;
    reader.refuse(["about"], `about must be a text of at most ${LONGEST_ABOUT} characters`);
    return undefined;
  });

function readEvents(value: Json | undefined, reader: ShapeReader): readonly EventName[] {
  const names = value ?? [];
  if (!Array.isArray(names)) {
    reader.refuse(["on"], "on must be an object of functions");
    return [];
  }
  const events = new Set<EventName>();
  for (const name of names.slice(0, 2 * EVENT_NAMES.length) as readonly Json[]) {
    if (typeof name === "string" && isEventName(name)) events.add(name);
    else {
      const written = typeof name === "string" ? name.slice(0, 64) : "?";
      const meant = nearest(written, EVENT_NAMES);
      const hint =
        meant === undefined
          ? `events are ${EVENT_NAMES.join(", ")}`
          : `did you mean ${meant.word}?`;
      reader.refuse(["on", written], `there is no event ${written}`, hint);
    }
  }
  return [...events];
}
