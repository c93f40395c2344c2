import { isLinkLocal } from "../../../core/address.ts";
import type { AddressConfig } from "../../config.ts";
import type { AddressWord, InstanceDraft } from "./instance-draft.ts";
import type { Identity } from "./instance-identity.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";

/** The count of addresses is one byte. RFC 9568 §5.2.5. */
const MOST_ADVERTISED = 255;

export interface InstanceAddresses {
  readonly addresses: readonly AddressConfig[];
  readonly excludedAddresses: readonly AddressConfig[];
}

/** `undefined`, with an error, when nothing is left to hold. */
export function completeAddresses(
  draft: InstanceDraft,
  { version, strict, family }: Identity,
  fallbackInterface: string | undefined,
  lowering: Lowering,
): InstanceAddresses | undefined {
  const seen = new Set<string>();
  const several = draft.addresses.length + draft.excluded.length > 1;
  const advertised = several ? distinct(draft.addresses, seen, lowering) : draft.addresses;
  const excluded = several ? distinct(draft.excluded, seen, lowering) : draft.excluded;
  if (!checkPresence(draft, advertised.length, version === 3 || strict, lowering)) return undefined;
  const first = advertised[0];
  if (family === "ipv6" && draft.peers.length === 0 && first !== undefined) {
    checkFirst(first, lowering);
  }
  const surplus = advertised.length > MOST_ADVERTISED ? advertised.splice(MOST_ADVERTISED) : [];
  if (surplus[0] !== undefined) {
    report(
      lowering,
      "address-moved",
      surplus[0].at,
      `an advertisement lists ${MOST_ADVERTISED} addresses at most; this one and ${surplus.length - 1} more are held, but not advertised`,
      "put them into virtual_ipaddress_excluded",
    );
  }
  const place = ({ address }: AddressWord): AddressConfig => {
    const on = address.interface ?? fallbackInterface;
    const elsewhere = on !== undefined && on !== draft.interface?.value;
    const useVirtualMac = address.useVirtualMac || (draft.virtualLinkForAddresses && elsewhere);
    if (on === address.interface && useVirtualMac === address.useVirtualMac) return address;
    return { ...address, interface: on, useVirtualMac };
  };
  return {
    addresses: advertised.map(place),
    excludedAddresses: surplus.concat(excluded).map(place),
  };
}

function distinct(
  words: readonly AddressWord[],
  seen: Set<string>,
  lowering: Lowering,
): AddressWord[] {
  return words.filter(({ address, at }) => {
    const key = `${address.address}%${address.interface ?? ""}`;
    if (!seen.has(key)) {
      seen.add(key);
      return true;
    }
    report(lowering, "address-duplicate", at, `${address.address} is listed already`);
    return false;
  });
}

function checkPresence(
  draft: InstanceDraft,
  count: number,
  required: boolean,
  lowering: Lowering,
): boolean {
  if (count > 0 || (!required && draft.noAddresses)) return true;
  report(
    lowering,
    required ? "addresses-missing" : "addresses-none",
    draft.name,
    required
      ? `${draft.name.text} lists no address to advertise; VRRP version 3 and strict mode need one`
      : `${draft.name.text} lists no address to advertise`,
    "write virtual_ipaddress { ADDRESS }",
  );
  return !required;
}

/** RFC 9568 §5.2.9: of IPv6 addresses the first is link-local. */
function checkFirst({ address, at }: AddressWord, lowering: Lowering): void {
  if (isLinkLocal(address.address)) return;
  report(
    lowering,
    "first-address-not-link-local",
    at,
    `the first IPv6 address of an instance should be link-local, ${address.address} is not`,
    "put a link-local address such as fe80::1 first, on every node",
  );
}
