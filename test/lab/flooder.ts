import { systemClock } from "../../agent/linux/clock.ts";
import { openFrameSender } from "../../agent/linux/frame-sender.ts";

/*
 * Sends frames at a pace: `node flooder.ts` with a channel, one Flood a message; it answers how many
 * have left when the time is over.
 */

export interface Flood {
  readonly interfaceIndex: number;
  /** Sent in turn, each in hexadecimal. */
  readonly frames: readonly string[];
  readonly perSecond: number;
  readonly milliseconds: number;
}

const sender = openFrameSender();

process.on("message", ({ interfaceIndex, frames, perSecond, milliseconds }: Flood) => {
  const bytes = frames.map((frame) => Buffer.from(frame, "hex"));
  const start = systemClock.now();
  const end = start + milliseconds * 1_000;
  let sent = 0;
  const pace = setInterval(() => {
    const now = systemClock.now();
    const due = ((Math.min(now, end) - start) * perSecond) / 1_000_000;
    for (; sent < due; sent += 1)
      sender.send(interfaceIndex, bytes[sent % bytes.length] ?? bytes[0] ?? new Uint8Array());
    if (now < end) return;
    clearInterval(pace);
    process.send?.(sent);
  }, 1);
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
