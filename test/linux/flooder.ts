// Sends one frame over and over, at a pace: node flooder.ts INTERFACE-INDEX FRAMES-PER-SECOND HEX
// It says a word when it has begun.
import { systemClock } from "../../agent/linux/clock.ts";
import { openFrameSender } from "../../agent/linux/frame-sender.ts";

const [index = "", rate = "", hex = ""] = process.argv.slice(2);
const frames = openFrameSender();
const bytes = Buffer.from(hex, "hex");
const start = systemClock.now();
let sent = 0;
setTimeout(() => process.stdout.write("begun\n"), 10);
setInterval(() => {
  const due = ((systemClock.now() - start) * Number(rate)) / 1_000_000;
  for (; sent < due; sent += 1) frames.send(Number(index), bytes);
}, 1);
