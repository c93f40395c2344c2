import type { PolicyBench } from "./policy-bench.ts";

type Snapshot = Parameters<PolicyBench["host"]["snapshot"]>[0][number];

/** A router without peers. */
export const snapshotOf = (state: Snapshot["state"]): Snapshot =>
  ({
    name: "VI_1",
    state,
    interface: "eth0",
    priority: { base: 100, effective: 100, contributions: [] },
    addresses: [],
    peers: [],
  }) as unknown as Snapshot;

export const withPeer = (snapshot: Snapshot, advertisements: number): Snapshot => ({
  ...snapshot,
  peers: [
    {
      address: "192.0.2.9",
      priority: 100,
      advertisementInterval: 1_000_000,
      advertisements,
      lastHeardAt: 1_700_000_000_000,
    } as unknown as Snapshot["peers"][number],
  ],
});
