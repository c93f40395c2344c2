import type { Instant } from "../../agent/core/time.ts";
import { micros } from "../../agent/core/time.ts";
import type { Contest } from "../../agent/core/vrrp/contest.ts";
import type { VrrpEffect } from "../../agent/core/vrrp/effect.ts";
import type { VrrpEvent } from "../../agent/core/vrrp/event.ts";
import type { VrrpState } from "../../agent/core/vrrp/state.ts";
import { step } from "../../agent/core/vrrp/step.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import type { SimulatedMachine } from "./machine.ts";
import { production } from "./machine.ts";

type Step = typeof step;

interface Call {
  readonly router: VirtualRouter;
  readonly state: VrrpState;
  readonly event: VrrpEvent;
  readonly now: Instant;
}

/** A machine whose call or answer is changed. */
const mutant = (change: (call: Call) => ReturnType<Step>): SimulatedMachine => ({
  ...production,
  step: (router, state, event, now) => change({ router, state, event, now }),
});

const honest = ({ router, state, event, now }: Call): ReturnType<Step> =>
  step(router, state, event, now);

const isAdvert = (call: Call, wanted: (priority: number, own: number) => boolean): boolean =>
  call.event.kind === "advertisement" &&
  wanted(call.event.advertisement.priority, call.router.priority);

const without = (call: Call, unwanted: (effect: VrrpEffect) => boolean): ReturnType<Step> => {
  const { state, effects } = honest(call);
  return { state, effects: effects.filter((effect) => !unwanted(effect)) };
};

const ignored = (call: Call): ReturnType<Step> => ({ state: call.state, effects: [] });

/** A router that becomes active is reachable at the same moment. */
function openAtOnce(call: Call, which: (contest: Contest) => boolean): ReturnType<Step> {
  const { state, effects } = honest(call);
  const became = state.kind === "active" && call.state.kind !== "active";
  if (!became || state.contest === undefined || !which(state.contest)) return { state, effects };
  const kept = effects.filter(({ kind }) => kind !== "probe-holder");
  const opening: readonly VrrpEffect[] = [
    { kind: "open-addresses" },
    { kind: "announce-addresses", repeat: 1 },
  ];
  return { state: { ...state, contest: undefined }, effects: [...kept, ...opening] };
}

/** Machines with one mistake each, of the kind that implementations have had. */
export const MUTANTS: Readonly<Record<string, SimulatedMachine>> = {
  "an active router ignores higher priorities": mutant((call) =>
    call.state.kind === "active" && isAdvert(call, (priority, own) => priority > own)
      ? ignored(call)
      : honest(call),
  ),
  "an active router ignores an equal priority": mutant((call) =>
    call.state.kind === "active" && isAdvert(call, (priority, own) => priority === own)
      ? ignored(call)
      : honest(call),
  ),
  "a backup counts the active router as dead after one interval": mutant((call) =>
    honest({ ...call, router: { ...call.router, downTimerAdverts: 1 } }),
  ),
  "a backup lets any advertisement pass by": mutant((call) =>
    call.state.kind === "backup" && call.event.kind === "advertisement"
      ? ignored(call)
      : honest(call),
  ),
  "a released address stays on the interface": mutant((call) =>
    without(call, (effect) => effect.kind === "remove-addresses"),
  ),
  "a new active router installs nothing": mutant((call) =>
    without(call, (effect) => effect.kind === "install-addresses"),
  ),
  "a new active router announces nothing": mutant((call) =>
    without(call, (effect) => effect.kind === "announce-addresses"),
  ),
  "a stop sends no priority 0": mutant((call) =>
    without(call, (effect) => effect.kind === "send-advertisement" && effect.priority === 0),
  ),
  "every received packet re-arms the advertisement timer": mutant((call) => {
    const answer = honest(call);
    if (call.event.kind !== "advertisement" || answer.state.kind !== "active") return answer;
    const adverAt = (call.now + call.router.advertisementInterval) as Instant;
    return { ...answer, state: { ...answer.state, adverAt } };
  }),
  "provoked advertisements have no limit": mutant((call) => {
    const { state } = call;
    if (state.kind !== "active") return honest(call);
    const longAgo = (call.now - 1_000_000) as Instant;
    return honest({ ...call, state: { ...state, advertisedAt: longAgo } });
  }),
  "nobody preempts": mutant((call) =>
    honest({ ...call, router: { ...call.router, preempt: call.router.priority === 255 } }),
  ),
  "a backup never takes over": mutant((call) =>
    call.state.kind === "backup" && call.event.kind === "tick" ? ignored(call) : honest(call),
  ),
  "addresses are announced before they are installed": mutant((call) => {
    const { state, effects } = honest(call);
    const rank = (effect: VrrpEffect): number => (effect.kind === "announce-addresses" ? 0 : 1);
    return { state, effects: [...effects].sort((a, b) => rank(a) - rank(b)) };
  }),
  "the slow interval of a peer is not learned": mutant((call) => {
    if (call.event.kind !== "advertisement" || call.router.version !== 3) return honest(call);
    const maxAdvertiseInterval = micros(call.router.advertisementInterval);
    const advertisement = { ...call.event.advertisement, maxAdvertiseInterval };
    return honest({ ...call, event: { kind: "advertisement", advertisement } });
  }),
  "a new active router opens its gate at once": mutant((call) => openAtOnce(call, () => true)),
  "who was silent for too long goes on as if nothing were": mutant((call) => {
    if (call.event.kind !== "lease-lapsed") return honest(call);
    return { state: call.state, effects: [{ kind: "open-addresses" }] };
  }),
  "two who claim at once do not wait for each other": mutant((call) =>
    openAtOnce(call, ({ probing }) => !probing),
  ),
  "a resignation of anybody ends every lease": mutant((call) => {
    const answer = honest(call);
    if (!isAdvert(call, (priority) => priority === 0) || answer.state.kind !== "backup") {
      return answer;
    }
    return { ...answer, state: { ...answer.state, held: undefined } };
  }),
  "an active router keeps the address when its link is gone": mutant((call) =>
    call.state.kind === "active" && call.event.kind === "fault-raised"
      ? ignored(call)
      : honest(call),
  ),
};
