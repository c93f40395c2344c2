import { assertNever } from "../assert.ts";
import type { DestinationKey } from "../ipvs/service.ts";
import type { Machine, Transition } from "../machine.ts";
import { plainEqual } from "../plain-equal.ts";
import type { Instant, Micros } from "../time.ts";
import { after } from "../time.ts";

/** Weights of real servers of one service, 0–65535; who is not named has its own. */
export type ServerWeights = Readonly<Record<DestinationKey, number>>;

/** What a policy said of one service last, and until when; `undefined`: nothing that holds. */
export type ServerWeightsState =
  | { readonly weights: ServerWeights; readonly until: Instant }
  | undefined;

export type ServerWeightsEvent =
  | { readonly kind: "answer"; readonly weights: ServerWeights; readonly time: Micros }
  /** The policy balances the service no more. */
  | { readonly kind: "clear" }
  | { readonly kind: "tick" };

/** What holds from now on; `undefined`: nothing. `lapsed`: for want of another answer. */
export interface ServerWeightsEffect {
  readonly kind: "hold";
  readonly weights: ServerWeights | undefined;
  readonly lapsed: boolean;
}

type Step = Transition<ServerWeightsState, ServerWeightsEffect>;

const NONE: ReadonlySet<string> = new Set();

function step(
  _config: undefined,
  state: ServerWeightsState,
  event: ServerWeightsEvent,
  now: Instant,
): Step {
  switch (event.kind) {
    case "answer": {
      const { weights, time } = event;
      const next = { weights, until: after(now, time) };
      // The same again is renewed in silence.
      if (plainEqual(state?.weights, weights, NONE)) return { state: next, effects: [] };
      return { state: next, effects: [{ kind: "hold", weights, lapsed: false }] };
    }
    case "clear":
      return gone(state, false);
    case "tick":
      return state === undefined || now < state.until ? { state, effects: [] } : gone(state, true);
    default:
      return assertNever(event);
  }
}

const gone = (state: ServerWeightsState, lapsed: boolean): Step => ({
  state: undefined,
  effects: state === undefined ? [] : [{ kind: "hold", weights: undefined, lapsed }],
});

/** What one policy says of the weights of a whole service: one word, which lapses unless it is said anew. */
export const serverWeights: Machine<
  undefined,
  ServerWeightsState,
  ServerWeightsEvent,
  ServerWeightsEffect
> = { initial: undefined, step, deadline: (state) => state?.until };
