import { readFileSync, writeFileSync } from "node:fs";

const ROOT = "/proc/sys/";
const PART = /^[^/\0]+$/;

/**
 * The file of a setting. Parts are joined by slashes, or by dots as `sysctl` has them; as there, an
 * interface name that holds dots is written with slashes in their place (`net.ipv4.conf.eth0/5.x`),
 * or the whole path with slashes (`net/ipv4/conf/eth0.5/x`): whichever separator comes first counts.
 * `undefined` for a path that would leave /proc/sys.
 */
export function sysctlFile(path: string): string | undefined {
  const slash = path.indexOf("/");
  const dot = path.indexOf(".");
  const dotted = dot >= 0 && (slash < 0 || dot < slash);
  const parts = dotted ? path.split(".").map((part) => part.replaceAll("/", ".")) : path.split("/");
  const clean = parts.every((part) => PART.test(part) && part !== "." && part !== "..");
  return clean ? ROOT + parts.join("/") : undefined;
}

/** Where a per-interface setting is; the name may hold dots. */
export const interfaceSysctl = (family: "ipv4" | "ipv6", name: string, key: string): string =>
  `net/${family}/conf/${name}/${key}`;

// Synchronous on purpose: Node's threads for asynchronous files may be in another network namespace.

/** The setting without its line end; `undefined` when the kernel has no such setting. */
export function readSysctl(path: string): string | undefined {
  const file = sysctlFile(path);
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8").trimEnd();
  } catch {
    return undefined;
  }
}

/** Answers the errno name when the kernel refuses; "ENOENT" when there is no such setting. */
export function writeSysctl(path: string, value: string): string | undefined {
  const file = sysctlFile(path);
  if (file === undefined) return "EINVAL";
  try {
    // Without O_CREAT and O_TRUNC: a missing setting is then ENOENT, not EACCES.
    writeFileSync(file, value, { flag: "r+" });
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "EIO";
  }
}
