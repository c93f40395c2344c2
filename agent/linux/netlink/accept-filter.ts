import type { AcceptFilter } from "../../ports/accept-filter.ts";
import type { AcceptPart } from "./accept-part.ts";
import type { FilterKeeper } from "./filter-keeper.ts";
import type { FilterWords } from "./filter-port.ts";
import { filterPort } from "./filter-port.ts";

const WORDS: FilterWords = {
  failure: "packets to the addresses cannot be refused",
  permission: "run Holdfast as root or give it CAP_NET_ADMIN",
  lacking:
    "it needs nf_tables with the inet family (modprobe nf_tables); or let the instance accept them: " +
    "take out no_accept and strict mode",
};

/** `closed` is called when it has let go of everything. */
export function acceptFilter(
  part: AcceptPart,
  keeper: FilterKeeper,
  closed: () => void,
): AcceptFilter {
  const { apply, ...port } = filterPort(part, keeper, WORDS, closed);
  return {
    ...port,
    refuse(addresses) {
      part.refuse(addresses);
      return apply();
    },
    release: (addresses) => (part.release(addresses) ? apply() : Promise.resolve(undefined)),
    removeLeftovers: () => keeper.removeLeftovers(),
  };
}
