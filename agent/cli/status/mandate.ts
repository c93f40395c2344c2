import type { MandateSnapshot, RouterSnapshot } from "../../core/vrrp/snapshot.ts";
import type { MandateDelay } from "../../core/witness/mandate-news.ts";
import { secondsText } from "./fencing.ts";

export const WAITING: Readonly<Record<MandateDelay, string>> = {
  "store-unreachable": "the store does not answer",
  "store-refused": "the store refuses",
  fencing: "fence agents run",
  "fence-failed": "fencing failed",
};

/** Whether a router has the leave that it needs, and what it waits for; empty where there is nothing to say. */
export function mandateText({ mandate, counters }: RouterSnapshot): string {
  if (mandate === null) return "";
  const lost = counters.mandatesLost > 0 ? `lost ${counters.mandatesLost}× so far` : "";
  const words = stateText(mandate);
  return words === "" ? "" : [words, lost].filter((part) => part !== "").join(", ");
}

function stateText(mandate: MandateSnapshot): string {
  switch (mandate.state) {
    case "none":
      return "";
    case "sought":
      return `waiting: ${delayText(mandate) ?? "for an answer"}`;
    case "granted":
      return [grantText(mandate), ...(mandate.waiting === null ? [] : [delayText(mandate)])].join(
        "; ",
      );
    case "failsafe":
      return `no lease, as ${delayText(mandate) ?? "the store does not answer"}; failsafe: all BFD sessions are up`;
  }
}

function grantText({ mode, epoch, remaining }: MandateSnapshot): string {
  if (remaining === null)
    return mode === null ? "nobody is left to fence" : "active without a lease";
  // Its numbers are padded, so that it compares as text.
  const which = epoch === null ? "" : `, epoch ${epoch.replaceAll(/\b0+(?=\d)/g, "")}`;
  return `lease held${which}, ${secondsText(remaining)} s left`;
}

function delayText({ waiting, taken, holder, fences }: MandateSnapshot): string | undefined {
  if (taken) return holder === null ? "another node has the lease" : `${holder} has the lease`;
  if (waiting === null) return undefined;
  const { because, reason } = waiting;
  return `${WAITING[because]} (${because === "fencing" ? fences.join(", ") : reason})`;
}
