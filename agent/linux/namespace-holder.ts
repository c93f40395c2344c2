import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { NamespaceHolder } from "../ports/last-will.ts";
import { insideNamedNamespace } from "./namespace.ts";
import { readText } from "./read-text.ts";
import { HOLDER_NAME, holderOf } from "./sole-holder.ts";

const LOOK_MS = 20;
/** Who takes orphans in. */
const FIRST = 1;
const SIGKILL_PENDING = 1n << 8n;
/** Of /proc/net/unix: the socket listens. */
const ACCEPTS_CONNECTIONS = 0x1_0000;

/**
 * Who holds addresses in this network namespace or the named one; `undefined`: nobody who could. Throws a
 * KernelError.
 */
export function namespaceHolder(
  namespace: string | undefined,
  name = HOLDER_NAME,
): NamespaceHolder | undefined {
  const find = () => holderOf(name);
  const pid = namespace === undefined ? find() : insideNamedNamespace(namespace, find);
  if (pid === undefined) return undefined;
  if (pid === 0) return { kind: "unseen" };
  const supervisor = supervisorOf(pid);
  if (supervisor === undefined) return { kind: "orphan", pid };
  return { kind: "agent", pid, supervisor, controlSocket: controlSocketOf(supervisor) };
}

/** Answers whether this process has ended within the time. */
export async function ended(pid: number, limitMs: number): Promise<boolean> {
  for (let waited = 0; familyOf(pid) !== undefined; waited += LOOK_MS) {
    if (waited >= limitMs) return false;
    await pause(LOOK_MS);
  }
  return true;
}

/**
 * A supervisor shares its process group with its children; who takes orphans in has one of its own, or is the
 * first process and another program. One that was killed and cannot end (a file system or a driver that hangs)
 * does nothing any more either. What is asked here of a process that has no dump needs no privilege.
 */
function supervisorOf(pid: number): number | undefined {
  const { parent, group } = familyOf(pid) ?? { parent: 0, group: 0 };
  if (parent === 0 || familyOf(parent)?.group !== group || isDoomed(parent)) return undefined;
  return parent === FIRST && !isOurProgram(parent) ? undefined : parent;
}

/** `undefined`: it has ended, be it that its parent has not noticed yet. proc_pid_stat(5). */
function familyOf(pid: number): { readonly parent: number; readonly group: number } | undefined {
  const stat = readText(`/proc/${pid}/stat`) ?? "";
  // The name before it may hold anything.
  const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (state === undefined || !/^[^ZX]$/.test(state)) return undefined;
  return { parent: Number(parent), group: Number(group) };
}

function isDoomed(pid: number): boolean {
  const status = readText(`/proc/${pid}/status`) ?? "";
  const pending = [...status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)];
  return pending.some(([, mask]) => (BigInt(`0x${mask}`) & SIGKILL_PENDING) !== 0n);
}

/** One with more privileges than we have is taken for it. */
const isOurProgram = (pid: number): boolean =>
  [undefined, linkOf("/proc/self/exe")].includes(linkOf(`/proc/${pid}/exe`));

/** The only one with a path on which a supervisor listens. */
function controlSocketOf(pid: number): string | undefined {
  try {
    const sockets = new Set(
      readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)),
    );
    for (const line of readFileSync(`/proc/${pid}/net/unix`, "utf8").split("\n")) {
      const [, flags = "0", inode, path] =
        /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (\/.*)$/.exec(line) ?? [];
      const listens = (Number.parseInt(flags, 16) & ACCEPTS_CONNECTIONS) !== 0;
      if (listens && sockets.has(`socket:[${inode}]`)) return path;
    }
  } catch {
    // It has ended, or we may not ask.
  }
  return undefined;
}

/** `undefined`: it is gone, or we may not ask. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
