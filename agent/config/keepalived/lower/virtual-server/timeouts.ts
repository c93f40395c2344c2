import type { BalancingConfig } from "../../../virtual-servers.ts";
import type { Statement } from "../../tree.ts";
import { parseWhole } from "../literals.ts";
import type { Lowering } from "../lowering.ts";
import { reportValue } from "../values.ts";

type Timeouts = BalancingConfig["timeouts"];

const NAMES: ReadonlyMap<string, keyof Timeouts> = new Map([
  ["tcp", "tcp"],
  ["tcpfin", "tcpFin"],
  ["udp", "udp"],
]);
/** ip_vs takes no longer ones: 31 days in seconds. */
const LONGEST = 2_678_400;

/** lvs_timeouts [tcp N] [tcpfin N] [udp N]. */
export function readTimeouts(statement: Statement | undefined, lowering: Lowering): Timeouts {
  const timeouts = { tcp: 0, tcpFin: 0, udp: 0 };
  if (statement === undefined) return timeouts;
  const words = statement.words.values();
  for (const word of words) {
    const name = NAMES.get(word.text);
    const value = words.next().value;
    const seconds = parseWhole(value?.text ?? "", 1, LONGEST);
    if (name !== undefined && seconds !== undefined) timeouts[name] = seconds;
    else {
      const at = name === undefined ? word : (value ?? word);
      reportValue(statement, at, `tcp, tcpfin or udp, and seconds from 1 to ${LONGEST}`, lowering);
    }
  }
  return timeouts;
}
