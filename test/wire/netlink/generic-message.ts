import type { NetlinkMessage } from "../../../agent/wire/netlink/message.ts";

/** A message of a generic family, with this body. */
export const messageOf = (body: Uint8Array): NetlinkMessage => ({
  type: 28,
  flags: 0,
  sequence: 1,
  body,
});
