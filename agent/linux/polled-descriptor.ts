import koffi from "koffi";
import { libc } from "./libc.ts";
import { MSG_DONTWAIT } from "./socket-option.ts";

/** Messages read in one turn of the loop: a flood must not keep others waiting. */
const MOST_A_TURN = 64;

/**
 * Reads a socket whenever something waits, in the loop's check phase. `received` gets bytes that are
 * overwritten by the next message. Closing it closes the descriptor, by `closeDescriptor`.
 */
export function pollDescriptor(
  fd: number,
  longest: number,
  received: (bytes: Uint8Array) => void,
  closeDescriptor: (fd: number) => void = libc().close,
): { close(): void } {
  const buffer = new Uint8Array(longest);
  let scheduled: NodeJS.Immediate | undefined;
  let closed = false;
  const read = (): void => {
    scheduled = undefined;
    for (let count = 0; count < MOST_A_TURN && !closed; count += 1) {
      // A failed read is an error that came back by ICMP, or the end of what waits.
      const length = libc().recv(fd, buffer, buffer.length, MSG_DONTWAIT);
      if (length < 0) return;
      received(buffer.subarray(0, length));
    }
  };
  // An exception in koffi's callback would be lost: only take note here.
  const poll = koffi.node.poll(fd, { readable: true }, () => {
    scheduled ??= setImmediate(read);
  });
  return {
    close() {
      if (closed) return;
      closed = true;
      if (scheduled !== undefined) clearImmediate(scheduled);
      poll.close();
      closeDescriptor(fd);
    },
  };
}
