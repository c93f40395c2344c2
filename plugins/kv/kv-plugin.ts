import { join } from "node:path";
import type { Json } from "../../sdk/index.ts";
import type { Plugin, PluginHost } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";
import { atMost, badArgument, textArgument } from "../call/arguments.ts";
import type { ActiveCall } from "../call/calls.ts";
import { openCalls } from "../call/calls.ts";
import { DurableMap } from "./durable-map.ts";

const LONGEST_KEY = 256;

/**
 * `kv.get(key)`, `kv.set(key, value)`, `kv.delete(key)`: a map of each policy's own, of 64 KiB, at
 * `<directory>/<policy>.json`, for its owner only. Every policy has it: the permission is not asked
 * for. A change is on disk when it resolves.
 */
export function kvPlugin(directory: string): Plugin {
  return {
    name: "kv",
    permission: "kv",
    methods: ["get", "set", "delete"],
    checkPermission: (permission) =>
      permission === null ? undefined : "kv needs no permission; leave it out",
    missing: () => [],
    open: (host) => openMaps(directory, host),
  };
}

function openMaps(directory: string, { log }: PluginHost) {
  const maps = new Map<string, Promise<DurableMap>>();
  const mapOf = (policy: string): Promise<DurableMap> => {
    if (!/^[A-Za-z0-9_][\w.-]{0,127}$/.test(policy)) {
      throw new CallError("EINVAL", "the policy's name is none for a file");
    }
    const known = maps.get(policy);
    if (known !== undefined) return known;
    const opened = DurableMap.open(join(directory, `${policy}.json`), (aside) =>
      log("warn", `what policy ${policy} kept is spoiled; it is at ${aside}, and it begins anew`),
    );
    maps.set(policy, opened);
    // It is tried again at the next call.
    opened.catch(() => maps.delete(policy));
    return opened;
  };
  const change = async (call: ActiveCall, key: string, value: Json): Promise<Json> => {
    call.doing = `keeping ${JSON.stringify(key.slice(0, 40))}`;
    const changed = await (await mapOf(call.policy)).set(key, value);
    if (changed === "too-large") throw new CallError("EFBIG", "a policy may keep 64 KiB in all");
    return null;
  };
  return openCalls(
    {
      get: async (args, call) => {
        atMost(args, 1);
        const key = keyOf(args);
        return (await mapOf(call.policy)).get(key);
      },
      set: (args, call) => {
        atMost(args, 2);
        const [, value] = args;
        if (value === undefined) throw badArgument("value is missing");
        return change(call, keyOf(args), value);
      },
      delete: (args, call) => {
        atMost(args, 1);
        return change(call, keyOf(args), null);
      },
    },
    async () => {
      const opened = await Promise.allSettled(maps.values());
      const done = opened.filter((map) => map.status === "fulfilled");
      await Promise.all(done.map(({ value }) => value.settled()));
    },
  );
}

const keyOf = (args: readonly Json[]): string => {
  const key = textArgument(args[0], "key", LONGEST_KEY);
  if (key === "") throw badArgument("key is empty");
  return key;
};
