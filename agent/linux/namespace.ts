import { closeSync, openSync } from "node:fs";
import { KernelError } from "../ports/error.ts";
import { lastErrno, libc } from "./libc.ts";

const CLONE_NEWNET = 0x4000_0000;
const OWN = "/proc/self/ns/net";
/** That of the first process. */
const FIRST = "/proc/1/ns/net";
/** Where iproute2 keeps the namespaces that have a name. */
const NAMED = "/run/netns";

/**
 * A network namespace, held by a descriptor: it lives as long as that or a process in it. Only the
 * main thread may enter and leave; sockets belong to the namespace in which they were opened, and
 * programs to that in which they were started.
 */
export interface Namespace {
  readonly fd: number;
  /** Runs `work`, which must be synchronous, inside, and comes back. */
  run<Result>(work: () => Result): Result;
  close(): void;
}

/** Makes a new namespace; this thread stays where it is. Throws a KernelError. */
export function createNamespace(): Namespace {
  const home = openSync(OWN, "r");
  try {
    if (libc().unshare(CLONE_NEWNET) !== 0) throw namespaceRefused(lastErrno());
    const fd = openSync(OWN, "r");
    enter(home);
    return { fd, run: (work) => insideNamespace(fd, work), close: () => closeSync(fd) };
  } finally {
    closeSync(home);
  }
}

/**
 * Moves this process into the namespace that `ip netns add <name>` made, for the setting
 * net_namespace. To be called before anything else: threads that exist stay behind, and with them
 * asynchronous file access to /proc/sys/net and name resolution; better, call it in the parent just
 * before the process is started. Throws a KernelError.
 */
export function enterNamedNamespace(name: string): void {
  const fd = openNamed(name);
  try {
    enter(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Runs `work`, which must be synchronous, in the namespace that `ip netns add <name>` made; `""`: in the one
 * that the machine started with. Throws a KernelError.
 */
export function insideNamedNamespace<Result>(name: string, work: () => Result): Result {
  const fd = name === "" ? openFirst() : openNamed(name);
  try {
    return insideNamespace(fd, work);
  } finally {
    closeSync(fd);
  }
}

function openFirst(): number {
  try {
    return openSync(FIRST, "r");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new KernelError(
      "namespace-missing",
      `the network namespace that the machine started with cannot be opened at ${FIRST} (${reason})`,
      "run as root, and not in a container; or name one of those that `ip netns list` shows",
    );
  }
}

function openNamed(name: string): number {
  if (!/^[^/]{1,255}$/.test(name) || name === "." || name === "..") {
    throw new KernelError(
      "namespace-missing",
      `"${name}" cannot be the name of a network namespace`,
      "name one of those that `ip netns list` shows",
    );
  }
  try {
    return openSync(`${NAMED}/${name}`, "r");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new KernelError(
      "namespace-missing",
      `the network namespace "${name}" cannot be opened at ${NAMED}/${name} (${reason})`,
      `make it first: ip netns add ${name}`,
    );
  }
}

/** Runs `work`, which must be synchronous, in the namespace of a descriptor. Throws a KernelError. */
export function insideNamespace<Result>(fd: number, work: () => Result): Result {
  const home = openSync(OWN, "r");
  try {
    enter(fd);
    try {
      return work();
    } finally {
      enter(home);
    }
  } finally {
    closeSync(home);
  }
}

function enter(fd: number): void {
  if (libc().setns(fd, CLONE_NEWNET) !== 0) throw namespaceRefused(lastErrno());
}

function namespaceRefused(errno: string): KernelError {
  return new KernelError(
    "namespace-refused",
    `the kernel refused a network namespace (${errno})`,
    errno === "EPERM"
      ? "run as root, or in a user namespace: unshare --user --map-root-user --net"
      : "a kernel with network namespaces is needed (CONFIG_NET_NS)",
  );
}
