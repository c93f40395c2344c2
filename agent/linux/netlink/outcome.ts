import type { RequestOutcome } from "../../ports/network.ts";
import type { Answer } from "./channel.ts";

export const DONE: RequestOutcome = { ok: true, foreign: false };
export const FOREIGN: RequestOutcome = { ok: true, foreign: true };

/** What an errno means, and what to do next. */
const MEANINGS: Readonly<Record<string, string>> = {
  EPERM: "not permitted: run Holdfast as root or give it CAP_NET_ADMIN",
  EACCES: "not permitted: run Holdfast as root or give it CAP_NET_ADMIN",
  EEXIST: "it is there already: remove it, or take it out of the configuration",
  ENODEV: "there is no such interface: check its name, or wait until it appears",
  ENOENT: "the kernel does not know what it names: check tables, interfaces and priorities",
  ESRCH: "there is no such entry",
  ENETDOWN: "the interface is down: switch it on",
  ENETUNREACH: "the gateway cannot be reached: check its address, or add onlink",
  EHOSTUNREACH: "the gateway cannot be reached: check its address, or add onlink",
  EINVAL: "the kernel finds it invalid: check the line's values",
  EOPNOTSUPP: "this kernel lacks the feature: load its module or take the word out",
  ENOTSUP: "this kernel lacks the feature: load its module or take the word out",
  EAFNOSUPPORT: "this kernel has no such address family: is IPv6 switched off?",
  ENOBUFS: "the kernel is out of memory for it: try again",
  ENOMEM: "the kernel is out of memory: free some",
  ENOSPC: "a limit of the kernel is reached: raise it (for example net.ipv6.route.max_size)",
  EBUSY: "it is in use: see what else holds it",
  ETIMEDOUT: "the kernel gave no answer within 2 seconds: try again",
  ECANCELED: "the agent is stopping",
};

/**
 * The outcome of one request. `what` says it in the infinitive ("add 192.0.2.1/24 on eth0");
 * `expected` are errnos that mean that the wish is fulfilled already.
 */
export function outcomeOf(
  { errno, text }: Answer,
  what: string,
  expected: readonly string[],
): RequestOutcome {
  if (errno === undefined || expected.includes(errno)) return DONE;
  return refused(errno, what, text);
}

export function refused(errno: string, what: string, text?: string): RequestOutcome {
  const said = text === undefined ? "" : ` (the kernel says: ${text})`;
  return { ok: false, errno, message: `cannot ${what}: ${errno}: ${meaningOf(errno)}${said}` };
}

export const meaningOf = (errno: string): string =>
  MEANINGS[errno] ?? "see errno(3), and the kernel's log";
