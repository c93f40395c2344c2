import type { Gate } from "../../ports/gate.ts";
import type { FilterKeeper } from "./filter-keeper.ts";
import type { FilterWords } from "./filter-port.ts";
import { filterPort } from "./filter-port.ts";
import type { GatePart } from "./gate-part.ts";

const WORDS: FilterWords = {
  failure: "the addresses cannot be put behind the gate",
  permission:
    "run Holdfast as root or give it CAP_NET_ADMIN; no other program may own a table holdfast " +
    "(`nft list tables`)",
  lacking:
    "it needs nf_tables with the families inet and arp (modprobe nf_tables; CONFIG_NF_TABLES_INET, " +
    "CONFIG_NF_TABLES_ARP); or go without: holdfast_fencing lifetime",
};

/** `closed` is called when it has let go of everything. */
export function gate(part: GatePart, keeper: FilterKeeper, closed: () => void): Gate {
  const { apply, ...port } = filterPort(part, keeper, WORDS, closed);
  return {
    ...port,
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
  };
}
