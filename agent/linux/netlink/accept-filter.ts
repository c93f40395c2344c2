import type { AcceptFilter } from "../../ports/accept-filter.ts";
import { KernelError } from "../../ports/error.ts";
import type { AcceptPart } from "./accept-part.ts";
import type { FilterKeeper } from "./filter-keeper.ts";

/** `closed` is called when it has let go of everything. */
export function acceptFilter(
  part: AcceptPart,
  keeper: FilterKeeper,
  closed: () => void,
): AcceptFilter {
  const unsubscribes = new Set<() => void>();
  const apply = async (): Promise<KernelError | undefined> => problemOf(await keeper.apply());
  return {
    probe: async () => problemOf(await keeper.tryOut(part)),
    refuse(addresses) {
      part.refuse(addresses);
      return apply();
    },
    release: (addresses) => (part.release(addresses) ? apply() : Promise.resolve(undefined)),
    subscribe(listener) {
      const unsubscribe = keeper.subscribe(part, (errno) => {
        const error = problemOf(errno);
        listener(error === undefined ? { kind: "restored" } : { kind: "lost", error });
      });
      unsubscribes.add(unsubscribe);
      return unsubscribe;
    },
    removeLeftovers: () => keeper.removeLeftovers(),
    async close() {
      part.clear();
      await keeper.apply();
      for (const unsubscribe of unsubscribes) unsubscribe();
      closed();
    },
  };
}

const NOT_PERMITTED = ["EPERM", "EACCES"];
const PASSING = ["ENOBUFS", "ENOMEM", "ETIMEDOUT", "ECANCELED", "EBUSY", "EIO"];

function problemOf(errno: string | undefined): KernelError | undefined {
  if (errno === undefined) return undefined;
  const message = `packets to the addresses cannot be refused: the kernel says ${errno}`;
  if (NOT_PERMITTED.includes(errno)) {
    return new KernelError(errno, message, "run Holdfast as root or give it CAP_NET_ADMIN");
  }
  if (PASSING.includes(errno)) return new KernelError(errno, message, "it is tried again");
  return new KernelError(
    errno,
    message,
    "it needs nf_tables with the inet family (modprobe nf_tables); or let the instance accept them: " +
      "take out no_accept and strict mode",
  );
}
