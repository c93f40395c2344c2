import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { openCalls } from "../call/calls.ts";
import { PRESET_NAMES, presetOf } from "./presets.ts";

type Fields = Readonly<Record<string, Json>>;

/** What a webhook of a permission is: a URL alone is one of the preset `json`. */
interface Target {
  readonly preset: string;
  readonly url: string;
}

const LONGEST_URL = 1_024;

/**
 * The permission `webhook: { slack: { preset: "slack", url: "${secret:slack}" } }`. A grant of a name
 * alone leaves the address to the policy; one with a target holds for that target only. Nothing is
 * called here: what policies send are notices, and the outbox delivers them.
 */
export const webhookPermission: Plugin = {
  name: "webhook",
  permission: "webhook",
  methods: [],
  checkPermission(permission) {
    // A grant may list names.
    if (Array.isArray(permission)) return undefined;
    if (!isFields(permission)) return "webhook is an object of names, each with its address";
    for (const [name, value] of Object.entries(permission)) {
      const problem = targetProblem(value);
      if (problem !== undefined) return `webhook ${name} ${problem}`;
    }
    return undefined;
  },
  missing(asked, granted) {
    if (!isFields(asked)) return [];
    return Object.entries(asked)
      .filter(([name, value]) => !isGranted(name, value, granted))
      .map(([name]) => `webhook ${name}`);
  },
  open: () => openCalls({}),
};

const isFields = (value: Json): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `undefined` for what has not the form of a target. */
function targetOf(value: Json): Target | undefined {
  if (typeof value === "string") return { preset: "json", url: value };
  if (!isFields(value)) return undefined;
  const { preset, url } = value;
  return typeof preset === "string" && typeof url === "string" ? { preset, url } : undefined;
}

/** What is wrong with it, to be read after its name. */
function targetProblem(value: Json): string | undefined {
  const target = targetOf(value);
  if (target === undefined) return "is neither a URL nor a preset and a URL";
  const preset = presetOf(target.preset);
  if (preset === undefined) {
    return `has no known preset; there are ${PRESET_NAMES.join(", ")}`;
  }
  if (target.url.length > LONGEST_URL) return `has a URL of more than ${LONGEST_URL} characters`;
  // What a secret holds is known when it is sent.
  if (target.url.startsWith("${secret:")) return undefined;
  if (!/^https?:\/\/[^\s/?#@]+([/?#]\S*)?$/.test(target.url)) {
    return `has no URL such as "https://example.org/hook", or "\${secret:name}"`;
  }
  const lacking = (preset.needs ?? []).find((name) => !target.url.includes(`${name}=`));
  return lacking === undefined ? undefined : `lacks ${lacking}=… in the query of its URL`;
}

function isGranted(name: string, asked: Json, granted: Json): boolean {
  if (Array.isArray(granted)) return granted.includes(name) || granted.includes("*");
  if (!isFields(granted)) return false;
  const given = Object.hasOwn(granted, name) ? granted[name] : granted["*"];
  if (given === undefined) return false;
  if (given === null || given === true || given === "*") return true;
  const [wide, narrow] = [targetOf(given), targetOf(asked)];
  return wide !== undefined && wide.preset === narrow?.preset && wide.url === narrow.url;
}
