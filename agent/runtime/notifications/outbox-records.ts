import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
} from "node:fs";
import type { Notice } from "../../core/notify/notice.ts";
import type { DeadLetter, Entry } from "./outbox-entry.ts";

/** What an earlier run left. */
export interface OutboxRecords {
  /** In the order in which they came. */
  readonly entries: readonly Entry[];
  readonly dead: readonly DeadLetter[];
  /** Of the file, those that count for nothing any more included. */
  readonly lines: number;
  /** Lines that mean nothing: the last one may have been half written. */
  readonly spoilt: number;
  readonly problem: string | undefined;
}

const NOTHING: OutboxRecords = { entries: [], dead: [], lines: 0, spoilt: 0, problem: undefined };

/** Makes the directory, and reads the log in it. What others may have written counts for nothing. */
export function readOutbox(directory: string, path: string): OutboxRecords {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return NOTHING;
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { uid, mode } = fstatSync(fd);
      if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) {
        return { ...NOTHING, problem: `${path} is not ours alone, and is not read` };
      }
      return parse(readFileSync(fd, "utf8"));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ...NOTHING, problem: `the outbox of earlier cannot be read: ${why}` };
  }
}

function parse(text: string): OutboxRecords {
  const live = new Map<number, Entry>();
  const dead = new Map<number, DeadLetter>();
  let lines = 0;
  let spoilt = 0;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    lines += 1;
    const record = parseLine(line);
    if (record === undefined) spoilt += 1;
    else if (record.kind === "put") {
      dead.delete(record.entry.id);
      live.set(record.entry.id, record.entry);
    } else if (record.kind === "dead") {
      live.delete(record.letter.id);
      dead.set(record.letter.id, record.letter);
    } else {
      for (const id of record.ids) {
        live.delete(id);
        dead.delete(id);
      }
    }
  }
  const entries = [...live.values()].sort((a, b) => a.id - b.id);
  return { entries, dead: [...dead.values()], lines, spoilt, problem: undefined };
}

type Line =
  | { readonly kind: "put"; readonly entry: Entry }
  | { readonly kind: "dead"; readonly letter: DeadLetter }
  | { readonly kind: "done"; readonly ids: readonly number[] };

/** `undefined` for a line that was spoilt. */
function parseLine(line: string): Line | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const [kind, id, notice, reason, diedAt] = value as readonly unknown[];
  if (kind === "done" && Array.isArray(id)) return { kind, ids: id.filter(Number.isSafeInteger) };
  if (typeof id !== "number" || !Number.isSafeInteger(id) || !isNotice(notice)) return undefined;
  if (kind === "put") return { kind, entry: { id, notice } };
  if (kind !== "dead" || typeof reason !== "string" || typeof diedAt !== "number") return undefined;
  return { kind, letter: { id, notice, reason, diedAt } };
}

/** Enough to send it; a text may be anything. */
function isNotice(value: unknown): value is Notice {
  if (typeof value !== "object" || value === null) return false;
  const { target, title, text, key, source, severity, throttleMs, at } = value as Partial<Notice>;
  return (
    [title, text, key, source].every((part) => typeof part === "string") &&
    ["info", "warning", "critical", "resolved"].includes(String(severity)) &&
    typeof throttleMs === "number" &&
    typeof at === "number" &&
    isTarget(target)
  );
}

function isTarget(target: Partial<Notice>["target"]): boolean {
  if (typeof target !== "object" || target === null) return false;
  switch (target.kind) {
    case "mail":
      return Array.isArray(target.to) && target.to.every((to) => typeof to === "string");
    case "webhook":
      return typeof target.url === "string" && typeof target.preset === "string";
    case "syslog":
      return true;
    default:
      return false;
  }
}
