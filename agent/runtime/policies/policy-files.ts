import { statSync } from "node:fs";
import type { BuildRequest } from "../../policy/build-policy.ts";
import { buildPolicy } from "../../policy/build-policy.ts";
import { discoverPolicies } from "../../policy/discover.ts";
import type { FileMark, PolicySource } from "./ports.ts";

const GONE: FileMark = { id: "gone", changedAt: 0 };

/** Policies in files. `trust`: whose files count; see `buildPolicy`. */
export function policyFiles(trust?: BuildRequest["trust"]): PolicySource {
  return {
    discover: discoverPolicies,
    build: (directory, file) =>
      buildPolicy(trust === undefined ? { directory, file } : { directory, file, trust }),
    mark: (path) => {
      // Links are followed: what counts is what would be read.
      const found = statSync(path, { bigint: true, throwIfNoEntry: false });
      if (found === undefined) return GONE;
      const { dev, ino, size, mode, uid, mtimeNs, ctimeNs, ctimeMs } = found;
      const id = [dev, ino, size, mode, uid, mtimeNs, ctimeNs].join(":");
      return { id, changedAt: Number(ctimeMs) };
    },
  };
}
