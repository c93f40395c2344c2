import process from "node:process";
import type { IpAddress } from "../../agent/core/address.ts";
import { after, seconds } from "../../agent/core/time.ts";
import { systemClock } from "../../agent/linux/clock.ts";
import { openPacketFilter } from "../../agent/linux/netlink/packet-filter.ts";
import { median } from "./statistics.ts";

/** Microseconds. */
export interface RefreshCost {
  readonly processor: number;
  readonly elapsed: number;
}

export interface RefreshCosts {
  readonly early: RefreshCost;
  readonly late: RefreshCost;
}

// Extends the lease of one address again and again, in the namespace in which it is started, and
// writes what one extension cost, in microseconds: the median processor time of the whole process, and
// the median time until the kernel had acknowledged it. Of the first ones after a start, while code is
// being compiled, and of later ones.

const PER_BATCH = 50;
/** Batches: from the one, up to the other. */
const WINDOWS = { early: [20, 60], late: [200, 240] } as const;

const { gate } = openPacketFilter();
const addresses = [{ interfaceIndex: 1, address: "192.0.2.100" as IpAddress }];
await gate.guard(addresses, seconds(60));

/** Of each batch. */
const processor: number[] = [];
const elapsed: number[] = [];
while (processor.length < WINDOWS.late[1]) {
  const before = process.cpuUsage();
  const took: number[] = [];
  for (let count = 0; count < PER_BATCH; count += 1) {
    const start = performance.now();
    const deadline = after(systemClock.now(), seconds(2.5));
    const [outcome] = await gate.open([{ addresses, deadline, margin: seconds(0.25) }]);
    if (outcome !== "open") throw new Error(`the gate is not open: ${JSON.stringify(outcome)}`);
    took.push((performance.now() - start) * 1_000);
  }
  const { user, system } = process.cpuUsage(before);
  elapsed.push(median(took));
  processor.push((user + system) / PER_BATCH);
}
const cost = ([from, to]: readonly [number, number]): RefreshCost => ({
  processor: median(processor.slice(from, to)),
  elapsed: median(elapsed.slice(from, to)),
});
const costs: RefreshCosts = { early: cost(WINDOWS.early), late: cost(WINDOWS.late) };
process.stdout.write(JSON.stringify(costs));
await gate.release(addresses);
await gate.close();
// What the gate holds open would keep the process.
process.exit();
