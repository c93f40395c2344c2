import { plainEqual } from "../core/plain-equal.ts";
import type { VrrpState } from "../core/vrrp/state.ts";
import { step } from "../core/vrrp/step.ts";
import type { VirtualRouter } from "../core/vrrp/virtual-router.ts";
import type { JournalLine } from "./journal.ts";
import { JOURNAL_VERSION } from "./journal.ts";

const NOTHING: ReadonlySet<string> = new Set();

type StepLine = Extract<JournalLine, { readonly router: string }>;

/** Where the machines of today decide otherwise than the journal says. */
export interface Replay {
  readonly steps: number;
  readonly routers: number;
  readonly differences: readonly {
    /** Line of the journal, from 1. */
    readonly line: number;
    readonly subject: string;
    readonly message: string;
  }[];
}

interface Known {
  readonly config: VirtualRouter;
  readonly state: VrrpState;
}

/** Takes every step of a journal again, and compares. Throws a SyntaxError when it is no journal. */
export function replayJournal(text: string): Replay {
  const lines = text.split("\n");
  checkHeader(lines[0] ?? "");
  const known = new Map<string, Known>();
  const differences: Replay["differences"][number][] = [];
  let steps = 0;
  for (const [at, content] of lines.entries()) {
    if (at === 0 || content === "") continue;
    const line = at + 1;
    const recorded = readStep(content, line);
    const before = known.get(recorded.router);
    const config = recorded.config ?? before?.config;
    const state = recorded.before ?? before?.state;
    if (config === undefined || state === undefined) {
      throw new SyntaxError(`line ${line}: the first step of ${recorded.router} lacks its state`);
    }
    steps += 1;
    const message = compare(recorded, config, state);
    if (message !== undefined) differences.push({ line, subject: recorded.router, message });
    known.set(recorded.router, { config, state: recorded.after });
  }
  return { steps, routers: known.size, differences };
}

function compare(recorded: StepLine, config: VirtualRouter, state: VrrpState): string | undefined {
  // Through JSON, as what is compared with went through it.
  const decided: unknown = JSON.parse(
    JSON.stringify(step(config, state, recorded.event, recorded.at)),
  );
  const { state: after, effects } = decided as { state: unknown; effects: unknown };
  const parts = [
    plainEqual(after, recorded.after, NOTHING) ? [] : ["state", after, recorded.after],
    plainEqual(effects, recorded.effects, NOTHING) ? [] : ["effects", effects, recorded.effects],
  ].filter((part) => part.length > 0);
  if (parts.length === 0) return undefined;
  const said = parts.map(
    ([what, now, then]) => `${what} ${JSON.stringify(now)} instead of ${JSON.stringify(then)}`,
  );
  return `${recorded.event.kind}: ${said.join("; ")}`;
}

function checkHeader(content: string): void {
  const header = parse(content, 1);
  if (!("journal" in header)) throw new SyntaxError("line 1: this is not a journal");
  if (header.journal !== JOURNAL_VERSION) {
    throw new SyntaxError(`line 1: journals of version ${String(header.journal)} are not known`);
  }
}

function readStep(content: string, line: number): StepLine {
  const step = parse(content, line);
  for (const key of ["router", "at", "event", "after", "effects"]) {
    if (!(key in step)) throw new SyntaxError(`line ${line}: ${key} is missing`);
  }
  return step as unknown as StepLine;
}

function parse(content: string, line: number): Record<string, unknown> & { journal?: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new SyntaxError(`line ${line}: not JSON`);
  }
  if (typeof value !== "object" || value === null) {
    throw new SyntaxError(`line ${line}: not an object`);
  }
  return value as Record<string, unknown>;
}
