import type { Json } from "../../sdk/index.ts";
import type { OpenPlugin } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";

/** `ctx.kv` that forgets: nothing is written anywhere. */
export const memoryKv = (kept: Map<string, Json>): OpenPlugin => ({
  call(method, [key, value]) {
    if (typeof key !== "string" || key === "") {
      return Promise.reject(new CallError("argument", `kv.${method}: name a key`));
    }
    if (method === "get") return Promise.resolve(kept.get(key) ?? null);
    if (method === "delete" || value === undefined) kept.delete(key);
    else kept.set(key, value);
    return Promise.resolve(null);
  },
  close: () => Promise.resolve(),
});
