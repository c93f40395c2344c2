import type { RouterState } from "../../../sdk/index.ts";
import type { RouterStart } from "../../../sdk/testing.ts";
import type { VrrpState } from "../../core/vrrp/state.ts";
import type { JournalLine } from "../../runtime/journal.ts";
import { JOURNAL_VERSION } from "../../runtime/journal.ts";
import type { Draft } from "./scenario.ts";

type StepLine = Extract<JournalLine, { readonly router: string }>;

/** Without an advertisement for this long a peer has fallen silent. */
const SILENT_AFTER = 3;

/** Whether a text is what `holdfast journal` wrote. */
export const isJournal = (text: string): boolean => text.startsWith('{"journal":');

/** When a peer was last heard, and how often it advertises. */
interface Peer {
  readonly router: string;
  readonly address: string;
  readonly priority: number;
  /** Milliseconds. */
  readonly at: number;
  readonly interval: number;
}

/**
 * What an agent recorded, as a scenario: its routers as they were at first, how they changed their
 * states, and whom they heard. Its priorities are those that were advertised then. What is in the draft
 * already stays. Throws a SyntaxError with the line for what is no journal.
 */
export function readJournal(file: string, text: string, draft: Draft): void {
  const recorded = new Recorded(draft);
  for (const [index, content] of text.split("\n").entries()) {
    if (content === "") continue;
    const line = parse(content, `${file}:${index + 1}:1`);
    if (index > 0) recorded.step(line as StepLine, `${file}:${index + 1}:1`);
    else if (!("journal" in line) || line.journal !== JOURNAL_VERSION) {
      throw new SyntaxError(`${file}:1:1: it is no journal of version ${JOURNAL_VERSION}`);
    }
  }
  recorded.finish();
}

class Recorded {
  readonly #draft: Draft;
  readonly #peers = new Map<string, Peer>();
  #origin: number | undefined;
  #last = 0;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  step(line: StepLine, place: string): void {
    const { router, at: instant, config, before, event, after, effects } = line;
    const whole = typeof router === "string" && typeof instant === "number" && after && effects;
    if (!whole) throw new SyntaxError(`${place}: it is no step of a journal`);
    this.#origin ??= instant;
    const at = Math.max(0, (instant - this.#origin) / 1_000);
    this.#last = Math.max(this.#last, at);
    if (config !== undefined) this.#router(router, config.priority, before);
    this.#silences(at);
    if (event.kind === "advertisement") {
      const { source, priority, maxAdvertiseInterval } = event.advertisement;
      this.#heard({
        router,
        address: source,
        priority,
        at,
        interval: maxAdvertiseInterval / 1_000,
      });
    }
    for (const effect of effects) {
      if (effect.kind === "transition") this.#transition(router, effect.to, effect.reason, at);
    }
  }

  finish(): void {
    this.#silences(this.#last);
    this.#draft.end ??= this.#last;
  }

  #router(name: string, priority: number, before: VrrpState | undefined): void {
    const { world } = this.#draft;
    if (world.routers?.[name] !== undefined) return;
    const state: RouterStart["state"] = before?.kind === "active" ? "active" : "backup";
    this.#draft.world = { ...world, routers: { ...world.routers, [name]: { priority, state } } };
    const started = before?.kind ?? "initialize";
    if (started === "fault" || started === "initialize") {
      this.#transition(name, started, "recorded", 0);
    }
  }

  #transition(router: string, to: RouterState, reason: string, at: number): void {
    this.#draft.steps.push({
      at,
      text: `transition ${router} ${to} ${reason}`,
      act: (sim) =>
        sim.router(router).state === to ? undefined : sim.transition(router, to, reason),
    });
  }

  /** A peer that goes on as before is nothing new. */
  #heard(peer: Peer): void {
    const { router, address, priority, at } = peer;
    const key = `${router} ${address}`;
    const known = this.#peers.get(key);
    this.#peers.set(key, peer);
    if (known?.priority === priority) return;
    this.#draft.steps.push({
      at,
      text: `peer ${router} ${address} priority ${priority}`,
      act: (sim) => sim.peer(router, { address, priority }),
    });
  }

  #silences(now: number): void {
    for (const [key, { router, address, at, interval }] of this.#peers) {
      const silentAt = at + SILENT_AFTER * interval;
      if (silentAt > now) continue;
      this.#peers.delete(key);
      this.#draft.steps.push({
        at,
        text: `peer ${router} ${address} silent`,
        act: (sim) => sim.peer(router, { address, heard: false }),
      });
    }
  }
}

function parse(content: string, place: string): object {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new SyntaxError(`${place}: it is not JSON, as a journal is`);
}
