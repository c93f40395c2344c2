import type { Socket } from "node:net";
import { CallError } from "../../sdk/plugin.ts";

/** What may come before the text that is waited for, in bytes. */
const MOST_BYTES = 65_536;

/**
 * Reads up to and with `until`, and answers all of that. Rejects with the socket's error, or a
 * CallError when the other side ends first or sends more than 64 KiB.
 */
export function awaitText(socket: Socket, until: Buffer): Promise<string> {
  let received = Buffer.alloc(0);
  let length = 0;
  return new Promise((resolve, reject) => {
    const append = (chunk: Buffer): void => {
      const searchFrom = Math.max(0, length - until.length + 1);
      received = roomFor(received, length, chunk.length);
      chunk.copy(received, length);
      length += chunk.length;
      const at = received.subarray(0, length).indexOf(until, searchFrom);
      if (at >= 0) resolve(received.toString("utf8", 0, at + until.length));
      if (at >= 0 || length < MOST_BYTES) return;
      socket.destroy();
      reject(new CallError("too-long", `it was not in the first ${MOST_BYTES} bytes`));
    };
    const ended = (): void => {
      const begin = JSON.stringify(received.toString("utf8", 0, Math.min(length, 60)));
      reject(new CallError("closed-early", `the other side ended after ${begin}`));
    };
    socket.on("error", reject);
    socket.on("end", ended);
    socket.on("close", ended);
    socket.on("data", append);
  });
}

/** Grows by doubling, so that a sender of single bytes costs no more than others. */
function roomFor(buffer: Buffer, used: number, more: number): Buffer<ArrayBuffer> {
  if (used + more <= buffer.length) return buffer as Buffer<ArrayBuffer>;
  const larger = Buffer.alloc(Math.max(1_024, 2 * (used + more)));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
