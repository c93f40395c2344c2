import type { EntryOutcome, SandboxFailure, SavedState } from "./sandbox.ts";

/** What came of handing something to a realm. */
export interface Turn {
  readonly calls: readonly TurnCall[];
  readonly effects: readonly TurnEffect[];
  /** Effects that were dropped, as the turn said too much. */
  readonly dropped: number;
  readonly outcomes: readonly { readonly id: number; readonly outcome: EntryOutcome }[];
  /** The realm ended: it must be made anew, and what was in flight in it has its outcome here. */
  readonly lost: RealmLoss | undefined;
}

export interface TurnCall {
  readonly call: number;
  readonly operation: string;
  readonly arguments: string;
}

export interface TurnEffect {
  readonly operation: string;
  readonly arguments: string;
}

export interface RealmLoss {
  readonly failure: SandboxFailure;
  /** Its whole module cannot be trusted any more, and must not even be disposed of. */
  readonly poisoned: boolean;
}

/** What the guest side told, as it came. */
export interface Told {
  readonly calls: TurnCall[];
  readonly effects: TurnEffect[];
  readonly outcomes: { readonly id: number; readonly outcome: EntryOutcome }[];
  dropped: number;
  /** Something came that has no meaning. */
  broken: boolean;
  loaded: { readonly shape: string; readonly state: SavedState } | undefined;
}

export const nothingTold = (): Told => ({
  calls: [],
  effects: [],
  outcomes: [],
  dropped: 0,
  broken: false,
  loaded: undefined,
});

/**
 * Reads what the guest side told: JSON of a list. Answers whether it had the form that it must have;
 * the text comes out of a place that runs foreign code, so nothing is taken on trust.
 */
export function readTold(text: string, told: Told): boolean {
  let items: unknown;
  try {
    items = JSON.parse(text);
  } catch {
    return false;
  }
  return Array.isArray(items) && items.every((item) => Array.isArray(item) && readItem(item, told));
}

function readItem([kind, ...parts]: readonly unknown[], told: Told): boolean {
  return typeof kind === "string" && (READERS.get(kind)?.(parts, told) ?? false);
}

type Reader = (parts: readonly unknown[], told: Told) => boolean;

const READERS: ReadonlyMap<string, Reader> = new Map(
  Object.entries<Reader>({
    done: ([id, result, state], told) => {
      if (!isCount(id) || !isText(result) || !isTextOrNull(state)) return false;
      told.outcomes.push({ id, outcome: { ok: true, result, state: state ?? undefined } });
      return true;
    },
    fail: ([id, kind, message, stack], told) => {
      if (!isCount(id) || !isKind(kind) || !isText(message) || !isText(stack)) return false;
      told.outcomes.push({
        id,
        outcome: { ok: false, failure: { kind, message, stack: [stack] } },
      });
      return true;
    },
    call: ([call, operation, args], told) => {
      if (!isCount(call) || !isText(operation) || !isText(args)) return false;
      told.calls.push({ call, operation, arguments: args });
      return true;
    },
    effect: ([operation, args], told) => {
      if (!isText(operation) || !isText(args)) return false;
      told.effects.push({ operation, arguments: args });
      return true;
    },
    dropped: ([count], told) => {
      if (!isCount(count)) return false;
      told.dropped += count;
      return true;
    },
    loaded: ([shape, state], told) => {
      if (!isText(shape) || !isTextOrNull(state)) return false;
      told.loaded = { shape, state: state ?? undefined };
      return true;
    },
  }),
);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value);
const isKind = (value: unknown): value is "exception" | "invalid" =>
  value === "exception" || value === "invalid";
