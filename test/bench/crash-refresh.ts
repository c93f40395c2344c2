import process from "node:process";
import type { IpAddress } from "../../agent/core/address.ts";
import { after, seconds } from "../../agent/core/time.ts";
import { systemClock } from "../../agent/linux/clock.ts";
import { openPacketFilter } from "../../agent/linux/netlink/packet-filter.ts";
import { median } from "./statistics.ts";

// Extends the lease of one address again and again, in the namespace in which it is started, and
// writes what one extension cost, in microseconds: the median processor time of the whole process, and
// the median time until the kernel had acknowledged it.

const BATCHES = 60;
const PER_BATCH = 50;
/** Of those, until the code is warm. */
const COLD = 20;

const { gate } = openPacketFilter();
const addresses = [{ interfaceIndex: 1, address: "192.0.2.100" as IpAddress }];
await gate.guard(addresses, seconds(60));

const processor: number[] = [];
const elapsed: number[] = [];
for (let batch = 0; batch < BATCHES; batch += 1) {
  const before = process.cpuUsage();
  for (let count = 0; count < PER_BATCH; count += 1) {
    const start = performance.now();
    const deadline = after(systemClock.now(), seconds(2.5));
    const [outcome] = await gate.open([{ addresses, deadline, margin: seconds(0.25) }]);
    if (outcome !== "open") throw new Error(`the gate is not open: ${JSON.stringify(outcome)}`);
    if (batch >= COLD) elapsed.push((performance.now() - start) * 1_000);
  }
  const { user, system } = process.cpuUsage(before);
  if (batch >= COLD) processor.push((user + system) / PER_BATCH);
}
process.stdout.write(JSON.stringify({ processor: median(processor), elapsed: median(elapsed) }));
await gate.release(addresses);
await gate.close();
// What the gate holds open would keep the process.
process.exit();
