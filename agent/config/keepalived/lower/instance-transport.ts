import type { Family } from "../../../core/address.ts";
import type { InstanceConfig, Transport } from "../../config.ts";
import type { Inherited } from "./inherited.ts";
import type { InstanceDraft } from "./instance-draft.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";

/** Unicast where there are peers, whatever groups are named; otherwise multicast. */
export function completeTransport(
  draft: InstanceDraft,
  family: Family,
  strict: boolean,
  inherited: Inherited,
  lowering: Lowering,
): Transport | undefined {
  const { unicast, peers } = draft;
  if (peers.length > 0 && strict) {
    report(
      lowering,
      "strict-refuses",
      unicast ?? draft.name,
      `strict mode has no unicast; keepalived removes ${draft.name.text}, and its addresses with it`,
      "remove vrrp_strict or strict_mode, or remove unicast_peer",
    );
    return undefined;
  }
  const unicastWithoutPeer = unicast !== undefined && peers.length === 0;
  if (unicastWithoutPeer && !draft.faultWithoutPeer) {
    report(
      lowering,
      "peers-none",
      unicast,
      `${draft.name.text} has unicast settings and no peer: it uses multicast`,
      "write unicast_peer { ADDRESS }, or unicast_fault_no_peer",
    );
  }
  if (peers.length === 0 && !(unicastWithoutPeer && draft.faultWithoutPeer)) {
    const inheritedGroup = family === "ipv4" ? inherited.groupIpv4 : inherited.groupIpv6;
    return { mode: "multicast", group: draft.group?.value ?? inheritedGroup };
  }
  if (draft.group !== undefined) {
    report(lowering, "setting-ignored", draft.group.at, "unicast wins over mcast_dst_ip");
  }
  const limited = peers.some(({ peer }) => peer.minTtl !== undefined || peer.maxTtl !== undefined);
  return {
    mode: "unicast",
    peers: peers.map(({ peer }) => peer),
    ttl: draft.ttl?.value,
    checkSource: limited || (draft.checkUnicastSource?.value ?? inherited.checkUnicastSource),
    faultWithoutPeer: draft.faultWithoutPeer,
  };
}

/** The source address, and whether its loss is a fault. */
export function completeSource(
  draft: InstanceDraft,
  lowering: Lowering,
): Pick<InstanceConfig, "sourceAddress" | "trackSourceAddress"> {
  if (draft.trackSource !== undefined && draft.source === undefined) {
    report(
      lowering,
      "setting-ignored",
      draft.trackSource,
      "track_src_ip watches mcast_src_ip or unicast_src_ip, and neither is given",
    );
  }
  return {
    sourceAddress: draft.source?.value,
    trackSourceAddress: draft.trackSource !== undefined && draft.source !== undefined,
  };
}
