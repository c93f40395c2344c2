import { assertNever } from "../assert.ts";
import type { Machine, Transition } from "../machine.ts";
import type { Instant } from "../time.ts";
import { after, seconds } from "../time.ts";

/** One thing that is said of a key; without a value: nothing is said of it any more. */
export interface BoardEntry<Value> {
  readonly key: string;
  readonly value?: Value;
}

/** What somebody in another process says, and keeps up as long as it lives. */
export interface BoardState<Value> {
  readonly entries: Readonly<Record<string, Value>>;
  /** Parts of everything; they count with the last one. */
  readonly coming: readonly BoardEntry<Value>[];
  /** Its author has said everything, and lives. */
  readonly spoken: boolean;
  /** When what is here counts no more, unless somebody says everything anew. */
  readonly lapseAt: Instant | undefined;
  readonly lapsed: boolean;
}

export type BoardEvent<Value> =
  | {
      readonly kind: "said";
      /** `no`: changes. Else a part of everything, and with the last one nothing else holds. */
      readonly complete: "no" | "part" | "last";
      readonly entries: readonly BoardEntry<Value>[];
    }
  /** The author is gone. */
  | { readonly kind: "lost" }
  | { readonly kind: "tick" };

export type BoardEffect =
  | { readonly kind: "changed"; readonly keys: readonly string[] }
  /** Everything is to be looked at: it was said anew, or counts no more. */
  | { readonly kind: "spoken" }
  | { readonly kind: "lapsed" };

type Step<Value> = Transition<BoardState<Value>, BoardEffect>;

export type Board<Value> = Machine<undefined, BoardState<Value>, BoardEvent<Value>, BoardEffect>;

/** How long what a lost author said goes on to hold. A director is back in a fraction of that. */
export const LAPSE = seconds(5);

/**
 * A board for what one author says.
 *
 * @param keep what holds from now on, of what held before and what is said; and whether what was
 *   held before had lapsed
 */
export function board<Value>(
  keep: (before: Value | undefined, said: Value, lapsed: boolean) => Value = (_, said) => said,
): Board<Value> {
  const merge = (
    { entries: before, lapsed }: BoardState<Value>,
    onto: Readonly<Record<string, Value>>,
    entries: readonly BoardEntry<Value>[],
  ): Readonly<Record<string, Value>> => {
    const merged = new Map(Object.entries(onto));
    for (const { key, value } of entries) {
      if (value === undefined) merged.delete(key);
      else merged.set(key, keep(ownValue(before, key), value, lapsed));
    }
    return Object.fromEntries(merged);
  };

  const said = (
    state: BoardState<Value>,
    { complete, entries }: Extract<BoardEvent<Value>, { readonly kind: "said" }>,
  ): Step<Value> => {
    if (complete === "part") {
      return { state: { ...state, coming: [...state.coming, ...entries] }, effects: [] };
    }
    if (complete === "last") {
      const whole = merge(state, {}, [...state.coming, ...entries]);
      return {
        state: { entries: whole, coming: [], spoken: true, lapseAt: undefined, lapsed: false },
        effects: [{ kind: "spoken" }],
      };
    }
    return {
      state: { ...state, entries: merge(state, state.entries, entries) },
      effects: [{ kind: "changed", keys: entries.map(({ key }) => key) }],
    };
  };

  return {
    initial: { entries: {}, coming: [], spoken: false, lapseAt: undefined, lapsed: false },
    step(_, state, event, now) {
      switch (event.kind) {
        case "said":
          return said(state, event);
        case "lost": {
          // The first loss counts: authors that come and go without a whole word keep nothing up.
          const lapseAt = state.lapsed ? undefined : (state.lapseAt ?? after(now, LAPSE));
          return { state: { ...state, coming: [], spoken: false, lapseAt }, effects: [] };
        }
        case "tick":
          if (state.lapseAt === undefined || now < state.lapseAt) return { state, effects: [] };
          return {
            state: { ...state, lapseAt: undefined, lapsed: true },
            effects: [{ kind: "lapsed" }],
          };
        default:
          return assertNever(event);
      }
    },
    deadline: (state) => state.lapseAt,
  };
}

/** Keys are names that an operator chose: `toString` is one of them. */
export const ownValue = <Value>(
  entries: Readonly<Record<string, Value>>,
  key: string,
): Value | undefined => (Object.hasOwn(entries, key) ? entries[key] : undefined);
