import type { IpAddress } from "../core/address.ts";
import type { Claim, ClaimAlarm } from "../core/vrrp/claim.ts";
import { advertised } from "./advertised.ts";
import type { Router } from "./router.ts";

/** More than these of a list are counted: whoever sends it chooses its length. */
const NAMED = 8;

/** What to tell of another that uses this router's VRID, and what to do about it. */
export function claimText(
  router: Router,
  alarm: ClaimAlarm,
  { version, addresses }: Claim,
  from: IpAddress,
): string {
  const { vrid } = router.effective;
  const on = router.binding.transmit?.name ?? router.config.interface;
  switch (alarm) {
    case "vrid-clash":
      return (
        `another virtual router uses VRID ${vrid}${on === undefined ? "" : ` on ${on}`}: ${from} advertises ` +
        `${listText(addresses)}. Give one of the two another virtual_router_id`
      );
    case "address-list-mismatch":
      return `${from} advertises other addresses than this router: ${differences(router, addresses)}. Make virtual_ipaddress alike on all nodes`;
    case "version-mismatch":
      return (
        `${from} claims the same addresses in VRRP version ${version}, this router in version ` +
        `${router.effective.version}: neither takes the other's advertisements. Make version (or ` +
        "vrrp_version) alike on all nodes"
      );
    case "authentication-mismatch":
      return (
        `${from} claims the same addresses, but its authentication is not this router's: neither takes ` +
        "the other's advertisements. Make the type and the secret alike on all nodes"
      );
    case "interval-mismatch":
      return `${from} claims the same addresses, but advertises at another interval, which version 2 refuses. Make advert_int alike on all nodes`;
  }
}

function differences(router: Router, theirs: readonly IpAddress[]): string {
  const own = advertised(router);
  const more = theirs.filter((address) => !own.includes(address));
  const fewer = own.filter((address) => !theirs.includes(address));
  return [
    more.length > 0 ? `${listText(more)} more` : [],
    fewer.length > 0 ? `not ${listText(fewer)}` : [],
  ]
    .flat()
    .join(", ");
}

function listText(addresses: readonly IpAddress[]): string {
  const rest = addresses.length - NAMED;
  const named = addresses.slice(0, NAMED).join(", ");
  if (addresses.length === 0) return "no address";
  return rest > 0 ? `${named} and ${rest} others` : named;
}
