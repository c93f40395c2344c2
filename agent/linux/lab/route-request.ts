import { KernelError } from "../../ports/error.ts";
import { BodyWriter, byteOrder, decodeAttributes } from "../../wire/netlink/attribute.ts";
import type { NetlinkMessage } from "../../wire/netlink/message.ts";
import {
  CONTROL,
  decodeAcknowledgement,
  decodeMessages,
  encodeMessage,
  FLAG,
} from "../../wire/netlink/message.ts";
import { lastErrno, libc } from "../libc.ts";
import { MSG_DONTWAIT, SOCK_NONBLOCK_CLOEXEC, SOCK_RAW } from "../socket-option.ts";

const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const RECEIVE_BYTES = 32_768;

/**
 * rtnetlink for the lab, one request at a time. The kernel works a request off before the send
 * returns, so the answer waits already and everything here is synchronous.
 */
export class RouteSocket {
  readonly #fd: number;

  /** Opens it in the namespace that the main thread is in. */
  constructor() {
    this.#fd = libc().socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK_CLOEXEC, NETLINK_ROUTE);
    if (this.#fd < 0) throw refused("a netlink socket", lastErrno());
  }

  /** Sends a request and throws a KernelError, with `what` in its message, if it is refused. */
  request(type: number, flags: number, body: Uint8Array, what: string): NetlinkMessage | undefined {
    const message = encodeMessage(type, FLAG.request | FLAG.ack | flags, body);
    const kernel = new Uint8Array(12);
    new DataView(kernel.buffer).setUint16(0, AF_NETLINK, byteOrder);
    const sent = libc().sendto(this.#fd, message, message.length, 0, kernel, kernel.length);
    if (sent < 0) throw refused(what, lastErrno());
    let answer: NetlinkMessage | undefined;
    for (;;) {
      for (const part of this.#receive(what)) {
        if (part.type !== CONTROL.error) {
          answer = part;
          continue;
        }
        const { code, text } = decodeAcknowledgement(part);
        if (code !== 0) throw refused(what, text ?? `errno ${code}`);
        return answer;
      }
    }
  }

  close(): void {
    libc().close(this.#fd);
  }

  #receive(what: string): readonly NetlinkMessage[] {
    const bytes = new Uint8Array(RECEIVE_BYTES);
    const length = libc().recv(this.#fd, bytes, bytes.length, MSG_DONTWAIT);
    if (length < 0) throw refused(what, lastErrno());
    return decodeMessages(bytes.subarray(0, length));
  }
}

/** The body of a link request: ifinfomsg, to which attributes are added. */
export function linkBody(family: number, index: number, flags = 0, change = 0): BodyWriter {
  return new BodyWriter().u8(family).u8(0).u16(0).u32(index).u32(flags).u32(change);
}

/** Index and attributes of a link message. */
export function readLink({ body }: NetlinkMessage): { index: number; mac: string } {
  const index = new DataView(body.buffer, body.byteOffset).getInt32(4, byteOrder);
  const mac = decodeAttributes(body, 16).get(1) ?? new Uint8Array();
  return { index, mac: Array.from(mac, (octet) => octet.toString(16).padStart(2, "0")).join(":") };
}

function refused(what: string, reason: string): KernelError {
  return new KernelError(
    "lab-refused",
    `the lab's network cannot be built: ${what}: ${reason}`,
    "a kernel with veth and bridge is needed, and root or a user namespace with a network of its own",
  );
}
