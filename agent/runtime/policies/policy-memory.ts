import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../sandbox/sandbox.ts";
import type { PolicyMemory } from "./ports.ts";

/** The frame around the value: `{"version":…,"value":…}`. */
const FRAME_BYTES = 64;
/** A UTF-16 unit is at most three bytes. */
const LARGEST = 3 * LIMITS.stateBytes + FRAME_BYTES;

/**
 * State in files of their own, `policies/NAME.json` in the state directory. A crash of the machine may
 * lose the last second, never the rest.
 */
export function policyMemory(stateDirectory: string): PolicyMemory {
  const directory = join(stateDirectory, "policies");
  const pathOf = (policy: string): string => join(directory, `${policy}.json`);
  return {
    load: (policy) => {
      try {
        const text = readFileSync(pathOf(policy), "utf8");
        return text.length <= LARGEST && isState(JSON.parse(text)) ? text : undefined;
      } catch {
        return undefined;
      }
    },
    save: (policy, state) => {
      const path = pathOf(policy);
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        writeFileSync(`${path}.new`, state, { mode: 0o600 });
        renameSync(`${path}.new`, path);
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  };
}

const isState = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  "version" in value &&
  typeof value.version === "number" &&
  "value" in value;
