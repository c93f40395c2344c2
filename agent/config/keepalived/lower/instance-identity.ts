import type { Family } from "../../../core/address.ts";
import { isLinkLocal } from "../../../core/address.ts";
import { OWNER_PRIORITY } from "../../../core/vrrp/virtual-router.ts";
import { DEFAULTS } from "../../defaults.ts";
import type { InstanceDraft } from "./instance-draft.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";

/** What makes a virtual router the one it is, and its mode. */
export interface Identity {
  readonly vrid: number;
  readonly family: Family;
  readonly version: 2 | 3;
  readonly strict: boolean;
  readonly priority: number;
  readonly initialActive: boolean;
}

/** `undefined`, with errors, when the instance could not be told from others or has no place to be. */
export function completeIdentity(
  draft: InstanceDraft,
  inherited: { readonly version: 2 | 3; readonly strict: boolean },
  lowering: Lowering,
): Identity | undefined {
  const strict = draft.strict?.value ?? inherited.strict;
  const family = draft.family ?? "ipv4";
  const placed = hasPlace(draft, family, lowering);
  const vrid = draft.vrid?.value;
  if (vrid === undefined) {
    report(
      lowering,
      "identity-missing",
      draft.name,
      `${draft.name.text} has no usable virtual_router_id`,
      "write virtual_router_id N, from 1 to 255, the same on every node",
    );
  }
  if (vrid === undefined || !placed) return undefined;
  const version = completeVersion(draft, family, inherited.version, lowering);
  return { vrid, family, version, strict, ...completePriority(draft, strict, lowering) };
}

/** An interface, or for unicast at least an address to send from. */
function hasPlace(draft: InstanceDraft, family: Family, lowering: Lowering): boolean {
  if (draft.interface !== undefined) return true;
  if (draft.peers.length > 0 && draft.source !== undefined) {
    if (family === "ipv4" || !isLinkLocal(draft.source.value)) return true;
    report(
      lowering,
      "identity-missing",
      draft.source.at,
      "a link-local source address says nothing without an interface",
      "write interface NAME, or a global unicast_src_ip",
    );
    return false;
  }
  report(
    lowering,
    "identity-missing",
    draft.name,
    `${draft.name.text} has no usable interface`,
    "write interface NAME; with unicast_peer, unicast_src_ip is enough",
  );
  return false;
}

function completeVersion(
  draft: InstanceDraft,
  family: Family,
  inherited: 2 | 3,
  lowering: Lowering,
): 2 | 3 {
  const said = draft.version;
  if (family === "ipv4") return said?.value ?? inherited;
  if (said?.value === 2) {
    report(
      lowering,
      "version-conflict",
      said.at,
      "VRRP version 2 has no IPv6; version 3 is used",
      "write version 3",
    );
  }
  return 3;
}

/** `state MASTER` alone means the address owner; otherwise state decides nothing by itself. */
function completePriority(
  draft: InstanceDraft,
  strict: boolean,
  lowering: Lowering,
): Pick<Identity, "priority" | "initialActive"> {
  const { state, name } = draft;
  const wantsActive = state?.value === "MASTER";
  const priority = draft.priority?.value ?? (wantsActive ? OWNER_PRIORITY : DEFAULTS.priority);
  const owner = priority === OWNER_PRIORITY;
  if (draft.priority === undefined && state?.value === "MASTER") {
    report(
      lowering,
      "owner-by-default",
      state.at,
      `state MASTER without priority makes ${name.text} the address owner: priority 255, which no weight changes`,
      "write priority N; 100 is usual",
    );
  }
  if (strict && state !== undefined && wantsActive !== owner) {
    report(
      lowering,
      "strict-override",
      state.at,
      `in strict mode only the address owner (priority 255) is MASTER; ${name.text} starts as ${owner ? "MASTER" : "BACKUP"}`,
      "write state BACKUP for every priority below 255",
    );
  }
  return { priority, initialActive: strict || state === undefined ? owner : wantsActive };
}
