import process from "node:process";
import { createContext, Script } from "node:vm";

/** One search may take so long, and blocks everything else in this process meanwhile. */
const MOST_MS = 20;
/** How often one is tried that had hardly begun when its time was over. */
const TRIES = 3;
/** A search that took too long is not tried again for so many times as long. */
const REST = 100;

/**
 * Searches with JavaScript's regular expressions, of which some take for ever on the right text: V8
 * breaks a search off when its time is over. A pattern that needed that rests for a while and counts
 * as not matching meanwhile, so that it takes at most a hundredth of this process. One for each URL
 * of each server, as it is the server that chooses the text.
 */
export class TimedRegex {
  readonly #regex: RegExp;
  /** Characters instead of bytes. */
  readonly #unicode: boolean;
  #restsUntil = 0;

  /** Throws a SyntaxError. The pattern is matched against bytes, unless `flags` has `u` or `v`. */
  constructor(pattern: string, flags: string) {
    this.#unicode = /[uv]/.test(flags);
    this.#regex = new RegExp(pattern, flags.includes("g") ? flags : `${flags}g`);
  }

  /** Where in the bytes it first matches at or after `from`; `undefined`: nowhere. */
  search(body: Buffer, from: number, now: number): number | undefined | "too-slow" {
    if (now < this.#restsUntil) return "too-slow";
    const text = body.toString(this.#unicode ? "utf8" : "latin1");
    const start = this.#unicode ? body.toString("utf8", 0, from).length : from;
    const match = run(this.#regex, text, start);
    if (match === "too-slow") {
      this.#restsUntil = now + MOST_MS * REST;
      return match;
    }
    if (match === undefined || !this.#unicode) return match;
    return Buffer.byteLength(text.slice(0, match));
  }
}

const context: { regex: RegExp | undefined; text: string; start: number } = {
  regex: undefined,
  text: "",
  start: 0,
};
let script: Script | undefined;

function run(regex: RegExp, text: string, start: number): number | undefined | "too-slow" {
  // Each try says where it starts: one that was broken off may have moved `lastIndex`.
  script ??= new Script("regex.lastIndex = start; regex.exec(text)?.index");
  createContext(context);
  Object.assign(context, { regex, text, start });
  try {
    for (let tried = 0; tried < TRIES; tried += 1) {
      const before = ranMs();
      const index = once(script);
      if (index !== "too-slow") return index;
      // Else it is the machine that let it wait.
      if (ranMs() - before >= MOST_MS / 2) break;
    }
    return "too-slow";
  } finally {
    context.text = "";
  }
}

function once(search: Script): number | undefined | "too-slow" {
  try {
    return search.runInContext(context, { timeout: MOST_MS });
  } catch {
    return "too-slow";
  }
}

/** Time that this thread has run; Node before 22.19 has the clock on the wall only. */
function ranMs(): number {
  if (process.threadCpuUsage === undefined) return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
