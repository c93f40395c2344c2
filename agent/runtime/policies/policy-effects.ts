import type { Json } from "../../../sdk/index.ts";
import type { Notice, NoticeData, NoticeTarget, Severity } from "../../core/notify/notice.ts";
import type { LeasesEvent } from "../../core/policy/leases.ts";
import { DEFAULT_LEASE, LONGEST_LEASE } from "../../core/policy/leases.ts";
import type { ServerLeasesEvent } from "../../core/policy/server-leases.ts";
import type { Micros } from "../../core/time.ts";
import { micros } from "../../core/time.ts";
import { parseDuration } from "../../policy/duration.ts";
import type { RealmEffect } from "../../sandbox/sandbox.ts";
import type { LogLevel } from "../ipc.ts";
import { oneLine } from "./check-answer.ts";
import type { Labels } from "./ports.ts";

/** What a policy wants done, as far as it makes sense and is permitted. */
export type PolicyEffect =
  | { readonly kind: "log"; readonly level: LogLevel; readonly text: string }
  | {
      readonly kind: "metric";
      readonly how: "gauge" | "count";
      readonly name: string;
      readonly value: number;
      readonly labels: Labels;
    }
  | { readonly kind: "notice"; readonly notice: Notice }
  | { readonly kind: "lease"; readonly event: LeasesEvent }
  | { readonly kind: "server-lease"; readonly event: ServerLeasesEvent }
  /** Why nothing is done. */
  | { readonly kind: "refused"; readonly message: string };

type Permissions = Readonly<Record<string, Json>>;
type Reader = (args: readonly Json[], from: EffectSource) => PolicyEffect;

/** Who says it. */
export interface EffectSource {
  readonly policy: string;
  readonly permissions: Permissions;
  readonly settingsFile: string;
  /** Wall clock. */
  readonly at: number;
}

const LONGEST_LINE = 2_000;
const LONGEST_TITLE = 200;
const MOST_WEIGHT = 253;
const MOST_SERVER_WEIGHT = 65_535;

/** Reads an effect. Its text was made by a policy: nothing in it is believed. */
export function readEffect(effect: RealmEffect, from: EffectSource): PolicyEffect {
  const reader = READERS.get(effect.operation);
  if (reader === undefined) {
    return refused(`there is no ${effect.operation.slice(0, 80)} here`);
  }
  const args = parseList(effect.arguments);
  return args === undefined ? refused(`${effect.operation}: no list`) : reader(args, from);
}

const refused = (message: string): PolicyEffect => ({ kind: "refused", message });

const log =
  (level: LogLevel): Reader =>
  ([message, fields]) => {
    const shown = typeof message === "string" ? message : JSON.stringify(message ?? null);
    const more = isRecord(fields) ? ` ${JSON.stringify(fields)}` : "";
    return { kind: "log", level, text: oneLine(shown + more, LONGEST_LINE) };
  };

const metric =
  (how: "gauge" | "count"): Reader =>
  ([name, given, labels]) => {
    const value = how === "count" ? (given ?? 1) : given;
    if (typeof name !== "string" || typeof value !== "number") {
      return refused(`metrics.${how}: write a name and a number`);
    }
    const entries = Object.entries(isRecord(labels) ? labels : {});
    const texts = entries.map(([label, text]) => [label, String(text)] as const);
    return { kind: "metric", how, name, value, labels: Object.fromEntries(texts) };
  };

const mail: Reader = ([message], from) => {
  const to = listOf(member(from.permissions, "mail"), "to");
  if (to.length === 0) return missing("mail.send", "mail", from);
  if (!isRecord(message)) return refused("mail.send: write { subject, text }");
  const { subject, text } = message;
  if (typeof subject !== "string" || typeof text !== "string") {
    return refused("mail.send: subject and text must be texts");
  }
  const target: NoticeTarget = { kind: "mail", to, from: undefined };
  return notice(from, target, message, { title: subject, text, severity: "info", json: undefined });
};

const webhook: Reader = ([name, message], from) => {
  const hooks = member(from.permissions, "webhook");
  const target = typeof name === "string" ? member(hooks, name) : undefined;
  if (target === undefined) {
    return missing("webhook.post", `webhook ${oneLine(String(name), 64)}`, from);
  }
  if (!isRecord(message)) return refused("webhook.post: write { text }");
  const json = message["json"] as NoticeData | undefined;
  if (json === undefined && typeof message["text"] !== "string") {
    return refused("webhook.post: text must be a text");
  }
  const url = typeof target === "string" ? target : String(member(target, "url") ?? "");
  const preset = typeof target === "string" ? "json" : String(member(target, "preset") ?? "json");
  return notice(from, { kind: "webhook", preset, url }, message, {
    ...wordsOf(message, from),
    json,
  });
};

const syslog: Reader = ([message], from) => {
  if (!isRecord(message) || typeof message["text"] !== "string") {
    return refused("syslog.send: write { text }");
  }
  return notice(from, { kind: "syslog" }, message, {
    ...wordsOf(message, from),
    json: undefined,
  });
};

function wordsOf(
  { title, text, severity }: { readonly [key: string]: Json },
  { policy }: EffectSource,
): Pick<Notice, "title" | "text" | "severity"> {
  return {
    title: typeof title === "string" ? title : policy,
    text: typeof text === "string" ? text : "",
    severity: isSeverity(severity) ? severity : "info",
  };
}

function notice(
  from: EffectSource,
  target: NoticeTarget,
  options: { readonly [key: string]: Json },
  words: Pick<Notice, "title" | "text" | "severity" | "json">,
): PolicyEffect {
  const { dedupe, throttle } = options;
  const time = throttle === undefined ? micros(0) : parseDuration(throttle);
  if (time === undefined) return refused('throttle must be a time such as "5m"');
  const key =
    typeof dedupe === "string" ? dedupe : `${words.title}\n${words.text}${jsonKey(words.json)}`;
  return {
    kind: "notice",
    notice: {
      target,
      source: `policy ${from.policy}`,
      ...words,
      title: oneLine(words.title, LONGEST_TITLE),
      key,
      throttleMs: time / 1_000,
      at: from.at,
    },
  };
}

const jsonKey = (json: NoticeData | undefined): string =>
  json === undefined ? "" : JSON.stringify(json);

const adjust: Reader = ([router, delta, lease], from) => {
  const time = leaseTime(lease);
  if (time === undefined) return refused(BAD_LEASE);
  if (!mayControl(router, from)) return missing("router.adjust", routerWords(router), from);
  if (typeof delta !== "number" || !Number.isInteger(delta) || Math.abs(delta) > MOST_WEIGHT) {
    return refused(`router.adjust: write a whole number from -${MOST_WEIGHT} to ${MOST_WEIGHT}`);
  }
  return { kind: "lease", event: { kind: "adjust", router, delta, time } };
};

const fault: Reader = ([router, reason, lease], from) => {
  const time = leaseTime(lease);
  if (time === undefined) return refused(BAD_LEASE);
  if (!mayControl(router, from)) return missing("router.fault", routerWords(router), from);
  const why = typeof reason === "string" && reason !== "" ? oneLine(reason) : "no reason given";
  return { kind: "lease", event: { kind: "fault", router, reason: why, time } };
};

const clear: Reader = ([router], from) =>
  mayControl(router, from)
    ? { kind: "lease", event: { kind: "clear", router } }
    : missing("router.clear", routerWords(router), from);

const setWeight: Reader = ([server, weight, lease], from) => {
  const time = leaseTime(lease);
  if (time === undefined) return refused(BAD_LEASE);
  if (!mayMove(server, from)) return missing("realServer.setWeight", serverWords(server), from);
  if (typeof weight !== "number" || !Number.isInteger(weight) || !isServerWeight(weight)) {
    return refused(`realServer.setWeight: write a whole number from 0 to ${MOST_SERVER_WEIGHT}`);
  }
  return { kind: "server-lease", event: { kind: "weight", server, weight, time } };
};

const drainServer: Reader = ([server, lease], from) => {
  const time = leaseTime(lease);
  if (time === undefined) return refused(BAD_LEASE);
  if (!mayMove(server, from)) return missing("realServer.drain", serverWords(server), from);
  return { kind: "server-lease", event: { kind: "weight", server, weight: 0, time } };
};

const clearServer: Reader = ([server], from) =>
  mayMove(server, from)
    ? { kind: "server-lease", event: { kind: "clear", server } }
    : missing("realServer.clear", serverWords(server), from);

const isServerWeight = (weight: number): boolean => weight >= 0 && weight <= MOST_SERVER_WEIGHT;

const READERS: ReadonlyMap<string, Reader> = new Map([
  ["log.debug", log("debug")],
  ["log.info", log("info")],
  ["log.warn", log("warn")],
  ["log.error", log("error")],
  ["metrics.gauge", metric("gauge")],
  ["metrics.count", metric("count")],
  ["mail.send", mail],
  ["webhook.post", webhook],
  ["syslog.send", syslog],
  ["router.adjust", adjust],
  ["router.fault", fault],
  ["router.clear", clear],
  ["realServer.setWeight", setWeight],
  ["realServer.drain", drainServer],
  ["realServer.clear", clearServer],
]);

const BAD_LEASE = 'a lease is { ttl: "30s" }, at most "1h"';

function leaseTime(lease: Json | undefined): Micros | undefined {
  if (lease === undefined || lease === null) return DEFAULT_LEASE;
  const ttl = member(lease, "ttl");
  if (ttl === undefined) return isRecord(lease) ? DEFAULT_LEASE : undefined;
  const time = parseDuration(ttl);
  return time !== undefined && time > 0 && time <= LONGEST_LEASE ? time : undefined;
}

const mayControl = (router: Json | undefined, { permissions }: EffectSource): router is string =>
  typeof router === "string" && listOf(permissions["control"], "routers").includes(router);

const mayMove = (server: Json | undefined, { permissions }: EffectSource): server is string =>
  typeof server === "string" && listOf(permissions["control"], "realServers").includes(server);

const serverWords = (server: Json | undefined): string =>
  `real_server ${oneLine(String(server), 128)}`;

const routerWords = (router: Json | undefined): string => `control ${oneLine(String(router), 64)}`;

/** The line of holdfast.conf that is missing. */
const missing = (operation: string, words: string, from: EffectSource): PolicyEffect =>
  refused(
    `${operation} is not permitted; ask for it in permissions, and add to ${from.settingsFile}: ` +
      `policy ${from.policy} { grant { ${words} } }`,
  );

const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const member = (value: Json | undefined, name: string): Json | undefined =>
  isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;

function listOf(value: Json | undefined, name: string): readonly string[] {
  const list = member(value, name);
  if (!Array.isArray(list)) return [];
  return (list as readonly Json[]).filter((each) => typeof each === "string");
}

const isSeverity = (value: Json | undefined): value is Severity =>
  value === "info" || value === "warning" || value === "critical" || value === "resolved";

function parseList(text: string): readonly Json[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as readonly Json[]) : undefined;
  } catch {
    return undefined;
  }
}
