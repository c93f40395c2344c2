import type { Exposure, Walk } from "../../path-walk.ts";
import { exposure, walk } from "../../path-walk.ts";
import type { ConfigHost } from "../config-host.ts";

/** A program that is there and may be run. */
export interface FoundProgram {
  /** As it is run: the path that was written, or what PATH has of its name. */
  readonly path: string;
  /** Without links. */
  readonly realPath: string;
  /** Why others than root decide what it does. */
  readonly exposed: Exposure | undefined;
}

export type ProgramLookup =
  | ({ readonly ok: true } & FoundProgram)
  | { readonly ok: false; readonly reason: string; readonly hint: string };

/** Where names without a slash are looked for when PATH is not set. */
const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** S_IXUSR | S_IXGRP | S_IXOTH: without all of them not even root runs it. */
const EXECUTABLE = 0o111;
const ROOT = 0;

/** Looks programs up, each once: large configurations name few of them many times. */
export class Programs {
  readonly #host: ConfigHost;
  readonly #found = new Map<string, ProgramLookup>();
  readonly #texts = new Map<string, string | undefined>();

  constructor(host: ConfigHost) {
    this.#host = host;
  }

  /** Finds a program as keepalived does: by its path, or by its name in PATH. */
  find(name: string): ProgramLookup {
    const found = this.#found.get(name) ?? this.#look(name);
    this.#found.set(name, found);
    return found;
  }

  /** What a script says; `undefined`: it is no text, or may not be read here. */
  text(path: string): string | undefined {
    if (this.#texts.has(path)) return this.#texts.get(path);
    const read = this.#host.readProgram(path);
    const text = read.ok && !read.text.includes("\0") ? read.text : undefined;
    this.#texts.set(path, text);
    return text;
  }

  #look(name: string): ProgramLookup {
    if (name.startsWith("/")) return program(name, walk(name, this.#host));
    if (name.includes("/")) {
      return {
        ok: false,
        reason: `"${name}" is no absolute path: what it means depends on where the agent was started`,
        hint: "write the whole path, from / on",
      };
    }
    return this.#search(name);
  }

  #search(name: string): ProgramLookup {
    const search = this.#host.env("PATH") ?? SEARCH_PATH;
    for (const directory of search.split(":")) {
      if (!directory.startsWith("/")) continue;
      const path = `${directory.replace(/\/+$/, "")}/${name}`;
      const found = program(path, walk(path, this.#host));
      if (found.ok) return found;
    }
    return {
      ok: false,
      reason: `there is no program "${name}" in ${search}`,
      hint: "write the whole path of the program, or install it",
    };
  }
}

function program(path: string, found: Walk): ProgramLookup {
  if (!found.ok) {
    return {
      ok: false,
      reason:
        found.errno === "ENOENT"
          ? `there is no ${found.path}`
          : `${found.path} cannot be looked at (${found.errno})`,
      hint: "correct the path, or put the program there",
    };
  }
  const { entry } = found;
  if (entry.kind !== "file") {
    const what = entry.kind === "directory" ? "is a directory" : "is no regular file";
    return { ok: false, reason: `${path} ${what}`, hint: "name a program" };
  }
  if ((entry.mode & EXECUTABLE) === 0) {
    return { ok: false, reason: `${path} is not executable`, hint: `chmod +x ${path}` };
  }
  return { ok: true, path, realPath: found.path, exposed: exposure(found.steps, [ROOT]) };
}
