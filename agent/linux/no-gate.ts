import { KernelError } from "../ports/error.ts";
import type { Gate } from "../ports/gate.ts";
import type { HolderProbes } from "../ports/holder-probes.ts";

const MISSING = new KernelError("no-gate", "this build has no gate", "set holdfast_fencing off");

const refused = (): Promise<KernelError> => Promise.resolve(MISSING);

/** Stands where nothing is fenced. */
export const noGate: Gate = {
  probe: refused,
  guard: refused,
  open: (openings) => Promise.resolve(openings.map(() => MISSING)),
  shut: refused,
  release: refused,
  passFrom: refused,
  subscribe: () => () => undefined,
  close: () => Promise.resolve(),
};

export const noHolderProbes: HolderProbes = {
  ask: () => Promise.resolve({ kind: "refused", errno: "ENOSYS" }),
  close: () => undefined,
};
