import type { AcceptFilter } from "../../ports/accept-filter.ts";
import type { Gate } from "../../ports/gate.ts";
import { acceptFilter } from "./accept-filter.ts";
import { AcceptPart } from "./accept-part.ts";
import { FilterKeeper } from "./filter-keeper.ts";
import { gate } from "./gate.ts";
import { GatePart } from "./gate-part.ts";

export interface PacketFilter {
  readonly acceptFilter: AcceptFilter;
  readonly gate: Gate;
}

/**
 * The packet filter of the namespace that the main thread is in, over native nftables netlink. Opens
 * nothing before it is needed, and lets go of everything when both are closed. Main thread only.
 */
export function openPacketFilter(): PacketFilter {
  const accepting = new AcceptPart();
  const gating = new GatePart();
  const keeper = new FilterKeeper([accepting, gating]);
  const open = new Set<"accept" | "gate">(["accept", "gate"]);
  const closed = (use: "accept" | "gate") => (): void => {
    open.delete(use);
    if (open.size === 0) keeper.close();
  };
  return {
    acceptFilter: acceptFilter(accepting, keeper, closed("accept")),
    gate: gate(gating, keeper, closed("gate")),
  };
}
