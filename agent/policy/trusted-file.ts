import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import type { OwnershipFault, Trust } from "./ownership.ts";
import { ownershipFault, resolveTrusted } from "./ownership.ts";

/** Largest source file that is read: four times the largest bundle. */
const MOST_BYTES = 1_048_576;

export type TrustedText =
  | { readonly ok: true; readonly path: string; readonly text: string }
  | {
      readonly ok: false;
      readonly kind: "owner" | "unreadable";
      readonly message: string;
      readonly hint: string;
    };

/**
 * Reads a file whose owner, mode and folders are trusted. What is checked is what is read: the file is
 * opened first. `undefined` trusts everything.
 */
export function readTrusted(path: string, trust: Trust | undefined): TrustedText {
  try {
    const resolved = resolveTrusted(path, trust);
    if (resolved.fault !== undefined) return refused(resolved.fault);
    return readOpened(resolved.path, trust);
  } catch (error) {
    return unreadable(path, error);
  }
}

function readOpened(path: string, trust: Trust | undefined): TrustedText {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return notRead(`${path} is no regular file`, "name a file");
    if (stats.size > MOST_BYTES) {
      return notRead(`${path} has ${stats.size} bytes`, "a source file has at most 1 MiB");
    }
    const fault = trust === undefined ? undefined : ownershipFault(path, stats, trust);
    if (fault !== undefined) return refused(fault);
    return { ok: true, path, text: readFileSync(descriptor, "utf8") };
  } finally {
    closeSync(descriptor);
  }
}

const refused = ({ message, hint }: OwnershipFault): TrustedText => ({
  ok: false,
  kind: "owner",
  message,
  hint,
});

const notRead = (message: string, hint: string): TrustedText => ({
  ok: false,
  kind: "unreadable",
  message,
  hint,
});

function unreadable(path: string, error: unknown): TrustedText {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  if (code === "ENOENT") return notRead(`there is no ${path}`, "create it, or correct its name");
  return notRead(`${path} cannot be read (${code})`, "name a file that this user may read");
}
