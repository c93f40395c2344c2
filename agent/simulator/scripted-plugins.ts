import { ownPlugins } from "../../plugins/registry.ts";
import type { Json } from "../../sdk/index.ts";
import type { OpenPlugin, Plugin } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";
import { memoryKv } from "./memory-kv.ts";
import type { AskedCall, ScriptedWorld } from "./scripted-world.ts";

/** How calls of one plugin are told apart, and scripted. */
interface CallForm {
  /** What a call says besides its target. */
  readonly detail?: (args: readonly Json[]) => string | undefined;
  /** What its permission must cover; by default a list of the target alone. */
  readonly asked?: (target: string, args: readonly Json[]) => Json;
  /** As it is scripted, after the target. */
  readonly hint: string;
}

const FORMS: Readonly<Record<string, CallForm>> = {
  http: { hint: ".replies(200)" },
  tcp: { detail: ([, options]) => textOf(options, "send"), hint: ".replies()" },
  udp: { detail: ([, payload]) => text(payload), hint: '.replies("…")' },
  dns: {
    detail: ([, type]) => text(type) ?? "A",
    asked: (target, [, , options]) => {
      const server = textOf(options, "server");
      return [server === undefined ? target : `${target}@${server}`];
    },
    hint: '.resolves(["…"])',
  },
  icmp: { hint: ".replies()" },
  tls: { hint: ".shows({})" },
  gateway: { hint: ".replies()" },
  exec: { hint: '.exits(0, "…")' },
  file: { hint: '.is("…"), or .gone()' },
  interface: { hint: ".is({})" },
};

/** None of them is opened: what they know is what permissions mean. */
const unused = (): never => {
  throw new TypeError("a simulation touches nothing of its host");
};

/** The plugins of the agent, with a script in place of the world. */
export function scriptedPlugins(world: ScriptedWorld): readonly Plugin[] {
  const plugins = ownPlugins({
    runProgram: unused,
    user: unused,
    privileged: false,
    openPings: unused,
    openProbes: unused,
    processTable: unused,
    readInterface: unused,
    kvDirectory: "",
  });
  return plugins.map((plugin) => ({ ...plugin, open: () => openFor(plugin, world) }));
}

/** An operator's own plugin: it permits everything, and has the methods that were scripted. */
export function scriptedOwnPlugin(name: string, world: ScriptedWorld): Plugin {
  const key = `plugin ${name}`;
  return {
    name,
    permission: name,
    get methods() {
      return world.methodsOf(key);
    },
    checkPermission: () => undefined,
    missing: () => [],
    open: () => ({
      call: (method, args) =>
        world.answer({
          plugin: { name: key },
          operation: `plugin ${name}`,
          target: method,
          detail: undefined,
          args,
          hint: `plugin("${name}", "${method}").answers(null)`,
        }),
      close: () => Promise.resolve(),
    }),
  };
}

function openFor(plugin: Plugin, world: ScriptedWorld): OpenPlugin {
  const close = (): Promise<void> => Promise.resolve();
  if (plugin.name === "kv") return memoryKv(world.kv);
  if (plugin.name === "process") return { ...openProcesses(world), close };
  return {
    call: (method, args, { permission }) => {
      try {
        return call(plugin, method, args, permission, world);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    close,
  };
}

function call(
  plugin: Plugin,
  method: string,
  args: readonly Json[],
  permission: Json,
  world: ScriptedWorld,
): Promise<Json> {
  const { name } = plugin;
  const form = FORMS[name];
  const operation = `${name}.${method}`;
  const [first] = args;
  if (form === undefined) throw new CallError("unknown", `a simulation has no ${operation}`);
  if (typeof first !== "string") throw new CallError("argument", `${operation}: name a target`);
  const target = name === "http" ? normalUrl(first) : first;
  const allowed =
    name === "exec"
      ? isRecord(permission) && Object.hasOwn(permission, target)
      : plugin.missing(form.asked?.(target, args) ?? [target], permission).length === 0;
  if (!allowed) throw world.forbidden({ operation, target });
  const hint = `${name}("${target}")${form.hint}`;
  const asked: AskedCall = { plugin, operation, target, detail: form.detail?.(args), args, hint };
  if (name === "file") return Promise.resolve(readFile(asked, method, world));
  if (name === "interface") return Promise.resolve(readInterface(asked, world));
  return world.answer(asked);
}

function readFile(asked: AskedCall, method: string, world: ScriptedWorld): Json {
  const { target } = asked;
  if (!world.files.has(target)) throw world.unscripted(asked);
  const found = world.files.get(target);
  if (method === "exists") return found !== undefined;
  if (found === undefined) throw world.failure(asked, "ENOENT");
  return found;
}

function readInterface(asked: AskedCall, world: ScriptedWorld): Json {
  if (!world.interfaces.has(asked.target)) throw world.unscripted(asked);
  const found = world.interfaces.get(asked.target);
  if (found === undefined) throw world.failure(asked, "ENODEV");
  return { ...found };
}

function openProcesses(world: ScriptedWorld): Pick<OpenPlugin, "call" | "watch"> {
  return {
    call: (method) => Promise.reject(new CallError("unknown", `there is no process.${method}`)),
    watch(permission, changed) {
      const names = Array.isArray(permission) ? (permission as readonly string[]) : [];
      const counts = (): Readonly<Record<string, number>> =>
        Object.fromEntries(names.map((name) => [name, world.count(name)]));
      changed(counts());
      return world.watchCounts(() => changed(counts()));
    },
  };
}

/** `http://127.0.0.1` and `http://127.0.0.1:80/` are one. */
export function normalUrl(url: string): string {
  return URL.canParse(url) ? new URL(url).href : url;
}

const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text = (value: Json | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;

const textOf = (value: Json | undefined, member: string): string | undefined =>
  isRecord(value) ? text(value[member]) : undefined;
