import type { Stats } from "node:fs";
import {
  closeSync,
  constants,
  fstatSync,
  globSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
} from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import process, { env } from "node:process";
import type { ConfigHost, FileText, PathEntry } from "../config/keepalived/config-host.ts";
import { accounts } from "./accounts.ts";

/** Largest configuration file that is read, in bytes. */
const maxFileSize = 256 * 1024 * 1024;
/** As much of a program is looked at: scripts are shorter. */
const programBytes = 65_536;
/** S_IXUSR | S_IXGRP | S_IXOTH: keepalived takes no configuration from executable files. */
const executable = 0o111;

/** What reading a configuration asks of the machine, answered by this one. */
export function configHost(options: {
  /** `-i`; without it, the first label of the host name. */
  readonly configId: string | undefined;
  readonly workingDirectory: string;
}): ConfigHost {
  return {
    workingDirectory: options.workingDirectory,
    configId: options.configId ?? hostname().split(".")[0] ?? "",
    readFile: readText,
    glob: findFiles,
    env: (name) => env[name],
    random: (min, max) => min + Math.floor(Math.random() * (max - min + 1)),
    hostName: hostname(),
    uid: process.geteuid?.() ?? 0,
    entry: entryAt,
    readProgram,
    user: (name) => accounts().user(name),
    group: (name) => accounts().group(name),
  };
}

/** Reads a regular file that is not executable. */
function readText(path: string): FileText {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return { ok: false, errno: "EISDIR" };
    if (!stat.isFile()) return { ok: false, errno: "not a regular file" };
    if ((stat.mode & executable) !== 0) {
      return { ok: false, errno: "executable, which keepalived passes over (chmod a-x)" };
    }
    if (stat.size > maxFileSize) return { ok: false, errno: "EFBIG" };
    return { ok: true, text: readFileSync(path, "utf8") };
  } catch (error) {
    return { ok: false, errno: errnoOf(error) };
  }
}

export function entryAt(path: string): PathEntry {
  try {
    const stat = lstatSync(path);
    const kind = kindOf(stat);
    const target = kind === "link" ? readlinkSync(path) : undefined;
    return { ok: true, kind, uid: stat.uid, gid: stat.gid, mode: stat.mode & 0o7777, target };
  } catch (error) {
    return { ok: false, errno: errnoOf(error) };
  }
}

function kindOf(stat: Stats): "file" | "directory" | "link" | "other" {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  return stat.isSymbolicLink() ? "link" : "other";
}

function readProgram(path: string): FileText {
  try {
    // Opening a pipe must not wait for its writer.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!fstatSync(file).isFile()) return { ok: false, errno: "not a regular file" };
      const bytes = Buffer.alloc(programBytes);
      return {
        ok: true,
        text: bytes.toString("utf8", 0, readSync(file, bytes, 0, programBytes, 0)),
      };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return { ok: false, errno: errnoOf(error) };
  }
}

function findFiles(pattern: string, directory: string): readonly string[] {
  if (!/[*?[]/.test(pattern)) {
    const path = resolve(directory, pattern);
    return isOther(path) ? [path] : [];
  }
  const found = globSync(pattern, { cwd: directory });
  return found
    .filter((path) => !hidden(path, pattern))
    .map((path) => resolve(directory, path))
    .filter(isOther)
    .sort();
}

/** glob(3) matches a leading dot only where the pattern writes it. */
function hidden(path: string, pattern: string): boolean {
  const names = path.split("/");
  const written = pattern.split("/");
  return names.some((name, i) => /^\.[^./]/.test(name) && written[i]?.startsWith(".") !== true);
}

/** Whether something that is no directory is there. */
function isOther(path: string): boolean {
  try {
    return !statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function errnoOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : String(error);
}
