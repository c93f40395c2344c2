import type { IpAddress } from "../../../../core/address.ts";
import { familyOf, isLinkLocal, parseAddress } from "../../../../core/address.ts";
import type { ProbeEndpoint } from "../../../virtual-servers.ts";
import type { Statement } from "../../tree.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import { interfaceWord, reportValue } from "../values.ts";
import type { Lines } from "./lines.ts";
import { wholeOf } from "./lines.ts";

const PORT = { low: 1, high: 65_535 };
const MARK = { low: 0, high: 4_294_967_295 };

const WORDS: readonly string[] = [
  "connect_ip",
  "connect_port",
  "bindto",
  "bind_port",
  "bind_if",
  "fwmark",
];

/** Where a check looks unless it says otherwise: at the real server. */
export const endpointAt = (address: IpAddress, port: number): ProbeEndpoint => ({
  address,
  port,
  sourceAddress: undefined,
  sourcePort: undefined,
  interface: undefined,
  fwmark: 0,
});

/** What a check says of where it looks; for the rest, as `outer`. */
export function readEndpoint(
  lines: Lines,
  outer: ProbeEndpoint,
  lowering: Lowering,
): ProbeEndpoint {
  if (!WORDS.some((word) => lines.has(word))) return outer;
  const bound = lines.get("bind_if")?.words[0];
  return {
    address: addressOf(lines, "connect_ip", lowering) ?? outer.address,
    port: wholeOf(lines, "connect_port", PORT, lowering) ?? outer.port,
    sourceAddress: addressOf(lines, "bindto", lowering) ?? outer.sourceAddress,
    sourcePort: wholeOf(lines, "bind_port", PORT, lowering) ?? outer.sourcePort,
    interface: (bound && interfaceWord(bound, lowering)?.value) ?? outer.interface,
    fwmark: wholeOf(lines, "fwmark", MARK, lowering) ?? outer.fwmark,
  };
}

function addressOf(lines: Lines, name: string, lowering: Lowering): IpAddress | undefined {
  const line = lines.get(name);
  const word = line?.words[0];
  if (line === undefined || word === undefined) return undefined;
  const address = parseAddress(word.text);
  if (address === undefined) reportValue(line, word, "an address", lowering);
  return address;
}

/** Says why nothing could be looked at there; such checks keepalived leaves out. */
export function usable(
  check: Statement,
  endpoint: ProbeEndpoint,
  needsPort: boolean,
  lowering: Lowering,
): boolean {
  const { address, port, sourceAddress } = endpoint;
  const refuse = (message: string, hint: string): false => {
    report(lowering, "check-invalid", check.keyword, `${check.keyword.text}: ${message}`, hint);
    return false;
  };
  if (needsPort && port === 0) {
    return refuse("nothing says which port to look at", "write connect_port N in it");
  }
  if (sourceAddress !== undefined && familyOf(sourceAddress) !== familyOf(address)) {
    return refuse(
      "bindto is of another family than the server",
      "bind to an address of its family",
    );
  }
  const link = familyOf(address) === "ipv6" && isLinkLocal(address);
  if (link && endpoint.interface === undefined) {
    return refuse(`${address} is on every link`, "write bind_if INTERFACE in it");
  }
  return true;
}
