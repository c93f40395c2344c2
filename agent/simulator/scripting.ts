import type { Certificate, Duration, InterfaceView, Json } from "../../sdk/index.ts";
import type {
  AnswerOptions,
  ScriptedFailure,
  ScriptedTalk,
  Simulation,
} from "../../sdk/testing.ts";
import type { Micros } from "../core/time.ts";
import { micros } from "../core/time.ts";
import { parseDuration } from "../policy/duration.ts";
import { normalUrl } from "./scripted-plugins.ts";
import type { ScriptedWorld } from "./scripted-world.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** The members of a simulation that script calls. */
export type Scripting = Pick<
  Simulation,
  | "http"
  | "tcp"
  | "udp"
  | "dns"
  | "icmp"
  | "tls"
  | "gateway"
  | "exec"
  | "file"
  | "interface"
  | "plugin"
  | "processes"
>;

/** Reads a time of the test's author. Throws a TypeError for what is none. */
export function durationOf(text: Duration): Micros {
  const time = parseDuration(text);
  if (time === undefined) {
    throw new TypeError(`${JSON.stringify(text)} is no time; write a number and ms, s, m or h`);
  }
  return time;
}

const DAY_MS = 86_400_000;
const DAYS_LEFT = 90;

const LINK: InterfaceView = {
  up: true,
  carrier: true,
  mtu: 1_500,
  addresses: [],
  receivedBytes: 0,
  sentBytes: 0,
  errors: 0,
};

interface ScriptKey {
  readonly plugin: string;
  readonly target: string;
  readonly detail: string | undefined;
}

interface Script {
  gives(value: (ms: number, args: readonly Json[]) => Json, options?: AnswerOptions): void;
  readonly failing: ScriptedFailure;
}

/** Scripts calls to one target of a plugin. */
function scriptFor(world: ScriptedWorld, key: ScriptKey): Script {
  const delayOf = (options?: AnswerOptions): Micros =>
    options?.after === undefined ? micros(0) : durationOf(options.after);
  return {
    gives: (value, options) => {
      const delay = delayOf(options);
      const ms = delay / 1_000;
      world.script({ ...key, answer: { kind: "value", value: (args) => value(ms, args) }, delay });
    },
    failing: {
      fails: (code, options) => {
        world.script({ ...key, answer: { kind: "failure", code }, delay: delayOf(options) });
      },
      hangs: () => world.script({ ...key, answer: { kind: "none" }, delay: micros(0) }),
    },
  };
}

export function scriptingOf(world: ScriptedWorld, clock: VirtualClock): Scripting {
  const on = (plugin: string, target: string, detail?: string): Script =>
    scriptFor(world, { plugin, target, detail });
  const talk =
    (plugin: string) =>
    (target: string, sent?: string): ScriptedTalk => {
      const { gives, failing } = on(plugin, target, sent);
      return {
        ...failing,
        replies: (received = "", options) => gives((ms) => ({ ms, received }), options),
      };
    };
  return {
    http: (url) => {
      const { gives, failing } = on("http", normalUrl(url));
      return {
        ...failing,
        replies: (status, body = "", options = {}) =>
          gives((ms) => ({ status, headers: options.headers ?? {}, body, ms }), options),
      };
    },
    tcp: talk("tcp"),
    udp: talk("udp"),
    dns: (name, type) => {
      const { gives, failing } = on("dns", name, type);
      return { ...failing, resolves: (records, options) => gives(() => records, options) };
    },
    icmp: (target) => {
      const { gives, failing } = on("icmp", target);
      const all = (ms: number, [, options]: readonly Json[]): Json => {
        const count = countOf(options);
        return { sent: count, received: count, ms };
      };
      return { ...failing, replies: (options) => gives(all, options) };
    },
    tls: (target) => {
      const { gives, failing } = on("tls", target);
      return {
        ...failing,
        shows: (shown, options) => gives(() => certificate(shown, clock.wallClock()), options),
      };
    },
    gateway: (address) => {
      const { gives, failing } = on("gateway", address);
      return { ...failing, replies: (options) => gives((ms) => ({ ms }), options) };
    },
    exec: (name) => {
      const { gives, failing } = on("exec", name);
      return {
        ...failing,
        exits: (code, stdout = "", options) => gives((ms) => ({ code, stdout, ms }), options),
      };
    },
    file: (path) => ({
      is: (text) => void world.files.set(path, text),
      gone: () => void world.files.set(path, undefined),
    }),
    interface: (name) => ({
      is: (state) => void world.interfaces.set(name, { ...LINK, ...state }),
      gone: () => void world.interfaces.set(name, undefined),
    }),
    plugin: (name, method) => {
      const { gives, failing } = on(`plugin ${name}`, method);
      return { ...failing, answers: (value, options) => gives(() => value, options) };
    },
    processes: (name, count) => world.setCount(name, count),
  };
}

function countOf(options: Json | undefined): number {
  if (typeof options !== "object" || options === null || !("count" in options)) return 1;
  const { count } = options;
  return typeof count === "number" ? count : 1;
}

/** A good one, but for what is said of it; the end follows from the days that are left. */
function certificate(shown: Partial<Certificate>, now: number): Json {
  const { daysLeft = DAYS_LEFT } = shown;
  const whole: Certificate = {
    subject: "CN=www.example.org",
    issuer: "CN=Example CA",
    names: ["www.example.org"],
    notBefore: now - DAYS_LEFT * DAY_MS,
    notAfter: now + daysLeft * DAY_MS,
    daysLeft,
    valid: daysLeft >= 0,
    ...shown,
  };
  return { ...whole };
}
