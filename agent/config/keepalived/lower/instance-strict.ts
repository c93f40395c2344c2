import type { AddressConfig } from "../../config.ts";
import type { Inherited } from "./inherited.ts";
import type { InstanceDraft } from "./instance-draft.ts";
import type { Identity } from "./instance-identity.ts";
import type { Lowering, Said } from "./lowering.ts";
import { report } from "./lowering.ts";

/** Switches that strict mode holds in one position. */
export interface StrictSwitches {
  readonly accept: boolean;
  readonly lowerPrioNoAdvert: boolean;
  readonly higherPrioSendAdvert: boolean;
  readonly ownerIgnoreAdverts: boolean;
}

export function completeSwitches(
  draft: InstanceDraft,
  identity: Identity,
  inherited: Inherited,
  addresses: readonly AddressConfig[],
  lowering: Lowering,
): StrictSwitches {
  const forced = (said: Said<boolean> | undefined, held: boolean, otherwise: boolean): boolean =>
    identity.strict ? hold(said, held, lowering) : (said?.value ?? otherwise);
  return {
    accept: completeAccept(draft, identity, addresses, lowering),
    lowerPrioNoAdvert: forced(draft.lowerPrioNoAdvert, true, inherited.lowerPrioNoAdvert),
    higherPrioSendAdvert: forced(draft.higherPrioSendAdvert, false, inherited.higherPrioSendAdvert),
    ownerIgnoreAdverts: forced(draft.ownerIgnoreAdverts, true, inherited.ownerIgnoreAdverts),
  };
}

function hold(said: Said<boolean> | undefined, held: boolean, lowering: Lowering): boolean {
  if (said !== undefined && said.value !== held) {
    report(
      lowering,
      "strict-override",
      said.at,
      `strict mode has it ${held ? "on" : "off"}`,
      "remove the line, or leave strict mode",
    );
  }
  return held;
}

/**
 * Accept_Mode of RFC 9568 §6.1. Strict mode has it off below priority 255, and version 2 cannot have
 * it on: then the address answers ARP, and every packet to it is dropped.
 */
function completeAccept(
  draft: InstanceDraft,
  { priority, strict, version }: Identity,
  addresses: readonly AddressConfig[],
  lowering: Lowering,
): boolean {
  const said = draft.accept;
  if (priority === 255) return said?.value ?? true;
  if (!strict) return said?.value ?? true;
  if (said?.value === true && version === 3) return true;
  if (said?.value === false) return false;
  const some = addresses[0]?.address ?? "its addresses";
  const more = addresses.length > 1 ? ` and ${addresses.length - 1} more` : "";
  report(
    lowering,
    "strict-unreachable",
    said?.at ?? draft.name,
    `strict mode drops every packet to ${some}${more} while ${draft.name.text} holds them below priority 255: they answer ARP, but neither ping nor any service`,
    version === 3
      ? "remove vrrp_strict (or strict_mode), or write accept in the instance"
      : "remove vrrp_strict (or strict_mode); in version 2, accept cannot undo it",
  );
  return false;
}
