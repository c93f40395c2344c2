import { byteOrder, decodeAttributes, textIn } from "./attribute.ts";

/** Length of `nlmsghdr`. */
export const HEADER_LENGTH = 16;

/** Message types below 16 belong to netlink itself. */
export const CONTROL = { noop: 1, error: 2, done: 3, overrun: 4 } as const;

/** `nlmsg_flags`. The upper half means one thing for a NEW request and another for a GET. */
export const FLAG = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  /** The dump saw a change while it ran, so it may hold an object twice or not at all. */
  dumpInterrupted: 0x10,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  dump: 0x300,
  /** On an error reply: the request is not repeated in it. */
  capped: 0x100,
  /** On an error reply: attributes follow. */
  extended: 0x200,
} as const;

const NLMSGERR_ATTR_MSG = 1;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** What follows the header, without padding. */
  readonly body: Uint8Array;
}

/** What an NLMSG_ERROR says; code 0 is a success. */
export interface Acknowledgement {
  /** Positive errno. */
  readonly code: number;
  /** The kernel's own words, where it has any. */
  readonly text: string | undefined;
}

/** One message, padded to a multiple of four, with sequence number 0. */
export function encodeMessage(type: number, flags: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(messageLength(body));
  writeHeader(new DataView(bytes.buffer), 0, { type, flags, sequence: 0, body });
  bytes.set(body, HEADER_LENGTH);
  return bytes;
}

/** Bytes from where a message with this body begins to where the next one does. */
export const messageLength = (body: Uint8Array): number => (HEADER_LENGTH + body.length + 3) & ~3;

/** Writes the header of a message to where it begins. */
export function writeHeader(
  view: DataView,
  at: number,
  { type, flags, sequence, body }: NetlinkMessage,
): void {
  view.setUint32(at, HEADER_LENGTH + body.length, byteOrder);
  view.setUint16(at + 4, type, byteOrder);
  view.setUint16(at + 6, flags, byteOrder);
  view.setUint32(at + 8, sequence, byteOrder);
}

/** The same message, with these flags besides its own. */
export function withFlags(message: Uint8Array, flags: number): Uint8Array {
  const bytes = message.slice();
  const view = new DataView(bytes.buffer);
  view.setUint16(6, view.getUint16(6, byteOrder) | flags, byteOrder);
  return bytes;
}

/** Copies messages behind one another and numbers them from `firstSequence` on. */
export function joinMessages(
  messages: readonly Uint8Array[],
  firstSequence: number,
  port: number,
): Uint8Array {
  const bytes = new Uint8Array(messages.reduce((sum, { length }) => sum + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [index, message] of messages.entries()) {
    bytes.set(message, at);
    view.setUint32(at + 8, firstSequence + index, byteOrder);
    view.setUint32(at + 12, port, byteOrder);
    at += message.length;
  }
  return bytes;
}

/** All whole messages in a datagram. What does not parse ends the list. */
export function decodeMessages(bytes: Uint8Array): readonly NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: NetlinkMessage[] = [];
  let at = 0;
  while (at + HEADER_LENGTH <= bytes.length) {
    const length = view.getUint32(at, byteOrder);
    if (length < HEADER_LENGTH || at + length > bytes.length) break;
    messages.push({
      type: view.getUint16(at + 4, byteOrder),
      flags: view.getUint16(at + 6, byteOrder),
      sequence: view.getUint32(at + 8, byteOrder),
      body: bytes.subarray(at + HEADER_LENGTH, at + length),
    });
    at += (length + 3) & ~3;
  }
  return messages;
}

/** Reads the body of an NLMSG_ERROR. */
export function decodeAcknowledgement(message: NetlinkMessage): Acknowledgement {
  const { body, flags } = message;
  if (body.length < 4 + HEADER_LENGTH) return { code: 0, text: undefined };
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const code = Math.abs(view.getInt32(0, byteOrder));
  if ((flags & FLAG.extended) === 0) return { code, text: undefined };
  const repeated = (flags & FLAG.capped) === 0 ? view.getUint32(4, byteOrder) : HEADER_LENGTH;
  const attributes = decodeAttributes(body, 4 + Math.max(HEADER_LENGTH, (repeated + 3) & ~3));
  return { code, text: textIn(attributes.get(NLMSGERR_ATTR_MSG)) };
}
