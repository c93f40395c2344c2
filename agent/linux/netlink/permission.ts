import { KernelError } from "../../ports/error.ts";
import { BodyWriter } from "../../wire/netlink/attribute.ts";
import { encodeMessage, FLAG } from "../../wire/netlink/message.ts";
import { AF, RTM } from "../../wire/netlink/rtnetlink.ts";
import type { Channel } from "./channel.ts";

/**
 * Throws a KernelError when this process may not change the network that it is in. Without this
 * question a router would become active, and only then find that it cannot have its addresses.
 *
 * The kernel looks at the permission before it looks at the request, which removes an address from no
 * interface.
 */
export async function requireAdministration(requests: Channel): Promise<void> {
  const nothing = new BodyWriter().u8(AF.inet).u8(32).u8(0).u8(0).u32(0).finish();
  const [answer] = await requests.request([
    encodeMessage(RTM.deleteAddress, FLAG.request | FLAG.ack, nothing),
  ]);
  if (answer?.errno !== "EPERM") return;
  throw new KernelError(
    "network-refused",
    "this process may not change addresses, routes and links (EPERM)",
    "run Holdfast as root, or give it CAP_NET_ADMIN (AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN in the unit)",
  );
}
