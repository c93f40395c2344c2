import type { FencingSnapshot, RouterSnapshot } from "../../core/vrrp/snapshot.ts";

/** How an active router is kept from being reachable where another one is; empty where it has nothing. */
export function fencingText({ state, fencing, counters }: RouterSnapshot): string {
  if (state !== "active") return "";
  const { gateLate, leasesLapsed } = counters;
  return [
    kindText(fencing),
    ...(gateLate > 0 ? [`extended too late ${gateLate}× so far`] : []),
    ...(leasesLapsed > 0 ? [`ran out ${leasesLapsed}× so far`] : []),
  ].join(", ");
}

function kindText({ mode, kind, gate }: FencingSnapshot): string {
  switch (kind) {
    case "gate":
      return gateText(gate);
    case "lifetime":
      return "lifetime (both-answering window not excluded)";
    case "off":
      return mode === "off" ? "fencing off" : "no fencing: the addresses are this machine's own";
  }
}

function gateText(gate: FencingSnapshot["gate"]): string {
  if (gate === null) return "gate: not shut yet";
  const { state, remaining, margin } = gate;
  if (state !== "open") return state === "contested" ? "gate shut: contested" : "gate shut";
  return `gate open, ${secondsText(remaining)} s left (margin ${Math.round(margin / 1_000)} ms)`;
}

/** Microseconds as seconds with one decimal, never more than there are. */
export const secondsText = (microseconds: number): string =>
  (Math.floor(microseconds / 100_000) / 10).toFixed(1);
