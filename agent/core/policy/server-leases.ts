import { assertNever } from "../assert.ts";
import type { Machine, Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { after, earliest } from "../time.ts";

/** What a policy said of real servers in passing, and until when; by name of the real server. */
export type ServerLeasesState = Readonly<
  Record<string, { readonly weight: number; readonly until: Instant }>
>;

export type ServerLeasesEvent =
  | {
      readonly kind: "weight";
      readonly server: string;
      readonly weight: number;
      readonly time: Micros;
    }
  | { readonly kind: "clear"; readonly server: string }
  /** The policy is gone for good. */
  | { readonly kind: "clear-all" }
  | { readonly kind: "tick" };

/** What holds for a real server from now on; `undefined`: nothing. */
export interface ServerLeasesEffect {
  readonly kind: "hold";
  readonly server: string;
  readonly weight: number | undefined;
}

type Step = Transition<ServerLeasesState, ServerLeasesEffect>;

function step(
  _config: undefined,
  state: ServerLeasesState,
  event: ServerLeasesEvent,
  now: Instant,
): Step {
  switch (event.kind) {
    case "weight": {
      const { server, weight } = event;
      const until = after(now, event.time);
      const next = { ...state, [server]: { weight, until } };
      if (state[server]?.weight === weight) return { state: next, effects: [] };
      return { state: next, effects: [{ kind: "hold", server, weight }] };
    }
    case "clear":
      return keep(state, ([server]) => server !== event.server);
    case "clear-all":
      return keep(state, () => false);
    case "tick":
      return keep(state, ([, { until }]) => now < until);
    default:
      return assertNever(event);
  }
}

type Entry = readonly [string, ServerLeasesState[string]];

function keep(state: ServerLeasesState, holds: (entry: Entry) => boolean): Step {
  const entries = Object.entries(state);
  const effects = entries
    .filter((entry) => !holds(entry))
    .map(([server]): ServerLeasesEffect => ({ kind: "hold", server, weight: undefined }));
  if (effects.length === 0) return { state, effects };
  return { state: Object.fromEntries(entries.filter(holds)), effects };
}

/** What one policy said of real servers in passing: each word lapses, so that none outlives its reason. */
export const serverLeases: Machine<
  undefined,
  ServerLeasesState,
  ServerLeasesEvent,
  ServerLeasesEffect
> = {
  initial: {},
  step,
  deadline: (state) => earliest(...Object.values(state).map(({ until }) => until)),
};
