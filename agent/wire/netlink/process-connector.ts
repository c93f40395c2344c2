import { byteOrder, textIn } from "./attribute.ts";
import { CONTROL, encodeMessage, HEADER_LENGTH } from "./message.ts";

/** CN_IDX_PROC, which is also the multicast group. */
export const PROCESS_GROUP = 1;
const CN_VAL_PROC = 1;
const LISTEN = 1;
/** cb_id, sequence, acknowledgement, length and flags. */
const CONNECTOR_LENGTH = 20;
const EVENT_AT = HEADER_LENGTH + CONNECTOR_LENGTH;
/** `what`, cpu and time stamp. */
const DETAIL_AT = EVENT_AT + 16;
const WHAT = { none: 0, fork: 1, exec: 2, name: 0x200, exit: 0x8000_0000 } as const;
const COMM_LENGTH = 16;

/** What the kernel's process connector tells of. Threads other than a process's first are left out. */
export type KernelProcessEvent =
  | { readonly kind: "fork"; readonly parent: number; readonly pid: number }
  | { readonly kind: "exec"; readonly pid: number }
  | { readonly kind: "name"; readonly pid: number; readonly comm: string }
  | { readonly kind: "exit"; readonly pid: number }
  /** The answer to a subscription; `acknowledges`: its token. Errno 0: granted. */
  | { readonly kind: "answer"; readonly acknowledges: number; readonly errno: number };

/** Asks the kernel to begin telling; its answer acknowledges `token`. linux/cn_proc.h, PROC_CN_MCAST_LISTEN. */
export function encodeListen(token: number): Uint8Array {
  const body = new Uint8Array(CONNECTOR_LENGTH + 4);
  const view = new DataView(body.buffer);
  view.setUint32(0, PROCESS_GROUP, byteOrder);
  view.setUint32(4, CN_VAL_PROC, byteOrder);
  view.setUint32(12, token, byteOrder);
  view.setUint16(16, 4, byteOrder);
  view.setUint32(CONNECTOR_LENGTH, LISTEN, byteOrder);
  return encodeMessage(CONTROL.done, 0, body);
}

/** One datagram; `undefined`: nothing that matters here, or nothing of the kernel's making. */
export function decodeProcessEvent(bytes: Uint8Array): KernelProcessEvent | undefined {
  if (bytes.length < DETAIL_AT + 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (index: number) =>
    bytes.length < DETAIL_AT + 4 * index + 4 ? 0 : view.getUint32(DETAIL_AT + 4 * index, byteOrder);
  if (view.getUint32(HEADER_LENGTH, byteOrder) !== PROCESS_GROUP) return undefined;
  switch (view.getUint32(EVENT_AT, byteOrder)) {
    case WHAT.none: {
      // One more than the field of the request; the sequence number is a count of the kernel's own.
      const acknowledges = (view.getUint32(HEADER_LENGTH + 12, byteOrder) - 1) >>> 0;
      return { kind: "answer", acknowledges, errno: word(0) };
    }
    case WHAT.fork:
      return word(2) === word(3) ? { kind: "fork", parent: word(1), pid: word(2) } : undefined;
    case WHAT.exec:
      return { kind: "exec", pid: word(1) };
    case WHAT.name:
      return word(0) === word(1)
        ? {
            kind: "name",
            pid: word(1),
            comm: textIn(bytes.subarray(DETAIL_AT + 8, DETAIL_AT + 8 + COMM_LENGTH)) ?? "",
          }
        : undefined;
    case WHAT.exit:
      return word(0) === word(1) ? { kind: "exit", pid: word(1) } : undefined;
    default:
      return undefined;
  }
}
