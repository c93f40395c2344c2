import type { Forwarding, Tunnel } from "../../../../core/ipvs/service.ts";
import { IPIP } from "../../../../core/ipvs/service.ts";
import type { Statement, Word } from "../../tree.ts";
import { parseWhole } from "../literals.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import { reportValue } from "../values.ts";

export const NAT: Forwarding = { kind: "nat" };
const DR: Forwarding = { kind: "dr" };
const TUN: Forwarding = { kind: "tunnel", tunnel: IPIP };

const WANTED = "NAT, DR or TUN";
const FORM = "write TUN, TUN type gue port N, or TUN type gre, then nocsum, csum or remcsum";

const CHECKSUMS: ReadonlyMap<string, Tunnel["checksum"]> = new Map([
  ["nocsum", "none"],
  ["csum", "full"],
  ["remcsum", "remote"],
]);

/** lb_kind, lvs_method or sorry_server_lvs_method; `undefined`: the line says nothing. */
export function readForwarding(
  statement: Statement | undefined,
  lowering: Lowering,
): Forwarding | undefined {
  const [method, ...options] = statement?.words ?? [];
  if (statement === undefined || method === undefined) return undefined;
  if (method.text === "TUN") return readTunnel(method, options, lowering);
  if (method.text !== "NAT" && method.text !== "DR") {
    reportValue(statement, method, WANTED, lowering);
    return undefined;
  }
  const [option] = options;
  if (option !== undefined) {
    const message = `${method.text} takes no further words`;
    report(lowering, "extra-words", option, message, "only TUN has options");
  }
  return method.text === "NAT" ? NAT : DR;
}

function readTunnel(
  method: Word,
  options: readonly Word[],
  lowering: Lowering,
): Forwarding | undefined {
  let type: Tunnel["type"] | undefined = "ipip";
  let port = 0;
  let checksum: Tunnel["checksum"] = "none";
  const words = options.values();
  const refuse = (at: Word, reason: string): undefined => {
    report(lowering, "virtual-server-invalid", at, reason, FORM);
  };
  for (const word of words) {
    const said = CHECKSUMS.get(word.text);
    if (said !== undefined) checksum = said;
    else if (word.text === "type") type = typeOf(words.next().value);
    else if (word.text === "port") port = portOf(words.next().value);
    else return refuse(word, `a tunnel has no option "${word.text}"`);
  }
  if (type === undefined) return refuse(method, "the type of a tunnel is ipip, gue or gre");
  const wrong = contradiction({ type, port, checksum });
  if (wrong !== undefined) return refuse(method, wrong);
  return type === "ipip" ? TUN : { kind: "tunnel", tunnel: { type, port, checksum } };
}

/** What ip_vs would not take. */
function contradiction({ type, port, checksum }: Tunnel): string | undefined {
  if (type === "gue") return port === 0 ? "a gue tunnel needs a port" : undefined;
  if (port !== 0) return `a tunnel of type ${type} has no port`;
  if (type === "ipip" && checksum !== "none") return "a tunnel of type ipip has no checksum";
  return checksum === "remote" ? "a tunnel of type gre has no remcsum" : undefined;
}

const TYPES: readonly Tunnel["type"][] = ["ipip", "gue", "gre"];

const portOf = (word: Word | undefined): number => parseWhole(word?.text ?? "", 1, 65_535) ?? 0;

const typeOf = (word: Word | undefined): Tunnel["type"] | undefined =>
  TYPES.find((type) => type === word?.text);
