import { KernelError } from "../../ports/error.ts";
import type { Gate } from "../../ports/gate.ts";
import type { FilterKeeper } from "./filter-keeper.ts";
import type { GatePart } from "./gate-part.ts";

/** `closed` is called when it has let go of everything. */
export function gate(part: GatePart, keeper: FilterKeeper, closed: () => void): Gate {
  const unsubscribes = new Set<() => void>();
  const apply = async (): Promise<KernelError | undefined> => problemOf(await keeper.apply());
  return {
    probe: async () => problemOf(await keeper.tryOut(part)),
    guard(addresses, keep) {
      part.guard(addresses, keep);
      return apply();
    },
    async open(openings) {
      const leases = openings.map((opening) => part.open(opening));
      const problem = await apply();
      return leases.map(({ late }) => (late ? "late" : (problem ?? "open")));
    },
    shut(addresses) {
      part.shut(addresses);
      return apply();
    },
    release(addresses) {
      part.release(addresses);
      return apply();
    },
    passFrom(macs) {
      part.passFrom(macs);
      return apply();
    },
    subscribe(listener) {
      const unsubscribe = keeper.subscribe(part, (errno) => {
        const error = problemOf(errno);
        listener(error === undefined ? { kind: "restored" } : { kind: "lost", error });
      });
      unsubscribes.add(unsubscribe);
      return unsubscribe;
    },
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
  const message = `the addresses cannot be put behind the gate: the kernel says ${errno}`;
  if (NOT_PERMITTED.includes(errno)) {
    const remedy =
      "run Holdfast as root or give it CAP_NET_ADMIN; no other program may own a table holdfast " +
      "(`nft list tables`)";
    return new KernelError(errno, message, remedy);
  }
  if (PASSING.includes(errno)) return new KernelError(errno, message, "it is tried again");
  return new KernelError(
    errno,
    message,
    "it needs nf_tables with the families inet and arp (modprobe nf_tables; CONFIG_NF_TABLES_INET, " +
      "CONFIG_NF_TABLES_ARP); or go without: holdfast_fencing lifetime",
  );
}
