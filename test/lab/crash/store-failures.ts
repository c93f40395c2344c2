import { cure, deafen } from "./deafness.ts";
import type { Expected, Failure } from "./failure.ts";
import { AT_ONCE_MS, BELIEVED_MS, EARLY_MS, keptUp, SOON_MS } from "./failure.ts";
import type { Scene, Timing } from "./scene.ts";

/* With a store of leases, which Holdfast asks and keepalived does not. */

/** The gate shuts so much before the lease ends. */
const MARGIN_MS = 250;
/** How often etcd looks for leases that are over. */
const FORGETS_MS = 500;

/** When a lease that is not renewed ends at the earliest: its last renewal is a third of it old. */
const leaseLeft = ({ ttl }: Timing): number => (ttl * 2) / 3 - MARGIN_MS;
/** From the end of a lease, as its holder counts, until the store gives it to somebody else. */
const forgotten = ({ ttl }: Timing): number => MARGIN_MS + FORGETS_MS + ttl / 3 + EARLY_MS;
/** From the end of a lease until somebody who asks nobody has heard nothing for long enough. */
const untilTakenOver = (timing: Timing): number =>
  Math.max(AT_ONCE_MS, timing.down - leaseLeft(timing) + EARLY_MS);
/** It lets go when its lease ends. */
const released = ({ ttl }: Timing): number => ttl + SOON_MS;

/** It resigns at the end of its lease before one that asks nobody. */
const resigned: Expected = {
  owner: "other",
  both: "never",
  outage: () => AT_ONCE_MS,
  stale: released,
};

const cutOff = ({ witness, failing }: Scene): void => witness?.cutOff(failing.node);

export const STORE_FAILURES: readonly Failure[] = [
  {
    name: "full partition, witness required",
    witness: "required",
    beside: ["holdfast"],
    priorities: [254, 250],
    inflict: ({ failing, other }) => deafen(failing, other),
    heal: { act: ({ failing, other }) => cure(failing, other) },
    expected: keptUp(AT_ONCE_MS),
    tested: 1,
  },
  {
    // keepalived takes over, whoever has the lease. What Holdfast promises is that it falls silent when its
    // own is over: of 2 s, before keepalived takes over at 1 s, and after it at 0.1 s.
    name: "full partition, witness required, which the failing node does not reach either",
    witness: "required",
    beside: ["keepalived"],
    inflict: (scene) => {
      cutOff(scene);
      deafen(scene.failing, scene.other);
    },
    expected: {
      owner: "other",
      both: "until the lease ends",
      outage: untilTakenOver,
      tcpOutage: (timing) => Math.max(BELIEVED_MS + AT_ONCE_MS, untilTakenOver(timing)),
      stale: released,
    },
    tested: 1,
  },
  {
    name: "the store dies, witness advisory",
    witness: "advisory",
    inflict: ({ witness }) => witness?.die(),
    expected: keptUp(AT_ONCE_MS),
    tested: 0.1,
  },
  {
    name: "the store dies, witness required",
    witness: "required",
    beside: ["holdfast"],
    inflict: ({ witness }) => witness?.die(),
    expected: {
      owner: "nobody",
      both: "never",
      outage: () => Number.POSITIVE_INFINITY,
      stale: released,
    },
    tested: 0.1,
  },
  {
    name: "the store dies, witness required, which the other one does not ask",
    witness: "required",
    beside: ["keepalived"],
    inflict: ({ witness }) => witness?.die(),
    expected: resigned,
    tested: 0.1,
  },
  {
    name: "the store is cut off from the active node, witness required",
    witness: "required",
    beside: ["holdfast"],
    inflict: cutOff,
    expected: { owner: "other", both: "never", outage: forgotten, stale: released },
    tested: 1,
  },
  {
    name: "the store is cut off from the active node, witness required, which the other one does not ask",
    witness: "required",
    beside: ["keepalived"],
    inflict: cutOff,
    expected: resigned,
    tested: 0.1,
  },
];
