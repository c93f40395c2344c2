import { KernelError } from "../../agent/ports/error.ts";
import { CallError } from "../../sdk/plugin.ts";

/** What the kernel and the resolver say, in words. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the other side broke the connection",
  ECONNABORTED: "the connection was broken",
  EPIPE: "the other side closed the connection",
  EHOSTUNREACH: "no route to the host, or it does not answer",
  ENETUNREACH: "no route to the network",
  EHOSTDOWN: "the host is down",
  ETIMEDOUT: "the kernel gave up waiting",
  EADDRNOTAVAIL: "no local address or port is free",
  EACCES: "the kernel does not permit it",
  EPERM: "the kernel does not permit it",
  ENODEV: "there is no such interface",
  EMFILE: "too many open files",
  ENFILE: "too many open files on this host",
  EMSGSIZE: "the message is too long",
  ENOTFOUND: "the name does not exist",
  EAI_AGAIN: "the name server does not answer",
};

/** A code of the kernel or the resolver in words; as it is where there are none. */
export const wordsOf = (code: string): string => WORDS[code] ?? code;

/**
 * The CallError that an error becomes: its code where it has one, words of ours; `unavailable` where
 * this host does not let the agent do it. Texts of foreign
 * errors are not passed on, as they may hold paths.
 */
export function failureOf(error: unknown, doing: string): CallError {
  if (error instanceof CallError) return error;
  if (error instanceof KernelError) {
    return new CallError("unavailable", after(doing, `${error.message}; ${error.remedy}`));
  }
  const code = codeOf(error);
  if (code === undefined) return new CallError("internal", after(doing, "an error in the plugin"));
  return new CallError(code, after(doing, wordsOf(code)));
}

/** `doing: what`. */
export const after = (doing: string, what: string): string =>
  doing === "" ? what : `${doing}: ${what}`;

/** The code of an error of Node or of a library; `undefined`: it has none. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : undefined;
}
