import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Trust } from "../../policy/ownership.ts";
import { agentTrust, ownershipFault, resolveTrusted } from "../../policy/ownership.ts";

/** holdfast.conf cannot be written, or should not. */
export class GrantsNotWritten extends Error {
  override readonly name = "GrantsNotWritten";
  readonly code = "grants-not-written";
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/**
 * Adds text at the end of holdfast.conf, which is made, for its owner only, where there is none. Throws
 * GrantsNotWritten for a file that others could change, and for what the system refuses.
 */
export function appendGrants(file: string, text: string, trust = agentTrust()): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    const { path, fault } = resolveTrusted(dirname(file), trust);
    if (fault !== undefined) throw new GrantsNotWritten(fault.message, fault.hint);
    append(join(path, basename(file)), text, trust);
  } catch (error) {
    if (error instanceof GrantsNotWritten) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new GrantsNotWritten(
      `${file} cannot be written (${code})`,
      "become root, or name another file with --settings",
    );
  }
}

function append(path: string, text: string, trust: Trust): void {
  const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants;
  const flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
  const descriptor = openSync(path, flags, 0o600);
  try {
    const stats = fstatSync(descriptor);
    const fault = ownershipFault(path, stats, trust);
    if (fault !== undefined) throw new GrantsNotWritten(fault.message, fault.hint);
    if (stats.size === 0) fchmodSync(descriptor, 0o600);
    writeSync(descriptor, `${separator(descriptor, stats.size)}${text}`);
  } finally {
    closeSync(descriptor);
  }
}

/** An empty line between what is there and what is added. */
function separator(descriptor: number, size: number): string {
  if (size === 0) return "";
  const last = Buffer.alloc(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last.toString() === "\n" ? "\n" : "\n\n";
}
