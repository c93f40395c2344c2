import type { ConfigHost, PathEntry } from "./keepalived/config-host.ts";

export type FoundEntry = Extract<PathEntry, { readonly ok: true }>;

/** Something on the way to a file: a directory, a symbolic link, or the file itself. */
export interface Step {
  readonly path: string;
  readonly entry: FoundEntry;
}

/** Where an absolute path leads, links followed as the kernel follows them. */
export type Walk =
  | {
      readonly ok: true;
      /** Without links. */
      readonly path: string;
      readonly entry: FoundEntry;
      /** Everything that decides where the path leads, from `/` on. */
      readonly steps: readonly Step[];
    }
  | {
      readonly ok: false;
      /** What is missing or in the way. */
      readonly path: string;
      readonly errno: string;
    };

/** The kernel's own limit. */
const MOST_LINKS = 40;

const partsOf = (path: string): string[] =>
  path.split("/").filter((part) => part !== "" && part !== ".");

/** Goes along an absolute path, one name at a time. */
export function walk(path: string, host: Pick<ConfigHost, "entry">): Walk {
  const walker = new Walker(host, path);
  let name = walker.next();
  while (name !== undefined && walker.failure === undefined) {
    walker.enter(name);
    name = walker.next();
  }
  const { failure, last, steps } = walker;
  if (failure !== undefined) return failure;
  return { ok: true, path: last.path, entry: last.entry, steps };
}

const NOWHERE: Step = {
  path: "/",
  entry: { ok: true, kind: "directory", uid: 0, gid: 0, mode: 0o755, target: undefined },
};

class Walker {
  readonly steps: Step[] = [];
  failure: Extract<Walk, { readonly ok: false }> | undefined;
  readonly #host: Pick<ConfigHost, "entry">;
  /** Names that are still to be gone along, the next one last. */
  readonly #ahead: string[];
  /** Where it stands: directories, without links. */
  #stack: readonly Step[] = [];
  #links = 0;

  constructor(host: Pick<ConfigHost, "entry">, path: string) {
    this.#host = host;
    this.#ahead = partsOf(path).reverse();
    this.#look("/");
  }

  get last(): Step {
    return this.#stack.at(-1) ?? NOWHERE;
  }

  next(): string | undefined {
    return this.#ahead.pop();
  }

  enter(name: string): void {
    const { path } = this.last;
    if (name !== "..") this.#look(`${path === "/" ? "" : path}/${name}`);
    else if (this.#stack.length > 1) this.#stack = this.#stack.slice(0, -1);
  }

  #look(path: string): void {
    const entry = this.#host.entry(path);
    if (!entry.ok) {
      this.failure = { ok: false, path, errno: entry.errno };
      return;
    }
    const step = { path, entry };
    this.steps.push(step);
    if (entry.kind === "link") this.#follow(step);
    else this.#stack = [...this.#stack, step];
  }

  #follow({ path, entry: { target = "" } }: Step): void {
    this.#links += 1;
    if (this.#links > MOST_LINKS) this.failure = { ok: false, path, errno: "ELOOP" };
    if (target.startsWith("/")) this.#stack = this.#stack.slice(0, 1);
    this.#ahead.push(...partsOf(target).reverse());
  }
}

/** Why others than the trusted users decide what a path leads to, and the command that ends it. */
export interface Exposure {
  readonly path: string;
  readonly reason: string;
  readonly remedy: string;
}

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
/** In a directory with it, only the owner of an entry may take it away or put another in its place. */
const STICKY = 0o1000;
const ROOT_GROUP = 0;

/** The first thing on the way that others may change. A group counts, unless it is root's own. */
export function exposure(steps: readonly Step[], trusted: readonly number[]): Exposure | undefined {
  for (const step of steps) {
    const found = exposureOf(step, trusted);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function exposureOf(
  { path, entry: { uid, gid, kind, mode } }: Step,
  trusted: readonly number[],
): Exposure | undefined {
  if (!trusted.includes(uid)) {
    const reason = `${path} belongs to the user ${uid}`;
    return { path, reason, remedy: `chown ${kind === "link" ? "-h " : ""}root ${path}` };
  }
  // A link has no permissions of its own.
  if (kind === "link" || (kind === "directory" && (mode & STICKY) !== 0)) return undefined;
  const others = (mode & OTHERS_WRITE) !== 0;
  if (!others && ((mode & GROUP_WRITES) === 0 || gid === ROOT_GROUP)) return undefined;
  const who = others ? "everybody" : `the group ${gid}`;
  return { path, reason: `${who} may write ${path}`, remedy: `chmod go-w ${path}` };
}
