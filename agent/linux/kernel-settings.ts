import { release } from "node:os";
import type { KernelSettings } from "../config/kernel-settings.ts";
import { KERNEL_SETTINGS } from "../config/kernel-settings.ts";
import { KernelError } from "../ports/error.ts";
import type { ReadKernelSettings } from "../ports/kernel-settings.ts";
import { insideNamedNamespace } from "./namespace.ts";
import { readText } from "./read-text.ts";
import { readSysctl } from "./sysctl.ts";

/** Rules of the packet filter that masquerade hold one of these: the third column is how many do. */
const MASQUERADES = /^(?:nft_masq|xt_MASQUERADE|ipt_MASQUERADE) \d+ [1-9]/m;

/** There as soon as ip_vs is. */
const IP_VS = "net.ipv4.vs.expire_nodest_conn";

export const readKernelSettings: ReadKernelSettings = (namespace) => {
  if (namespace === undefined) return read();
  try {
    return insideNamedNamespace(namespace, read);
  } catch (error) {
    if (error instanceof KernelError) return error;
    throw error;
  }
};

function read(): KernelSettings | undefined {
  if (readSysctl(IP_VS) === undefined) return undefined;
  const values: Record<string, string> = {};
  for (const name of KERNEL_SETTINGS) {
    const value = readSysctl(name);
    if (value !== undefined) values[name] = value;
  }
  return {
    release: release(),
    values,
    masquerades: MASQUERADES.test(readText("/proc/modules") ?? ""),
  };
}
