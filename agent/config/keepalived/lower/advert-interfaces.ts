import type { Authentication } from "../../authentication.ts";
import type { Transport } from "../../config.ts";
import type { Statement } from "../tree.ts";
import type { InstanceDraft } from "./instance-draft.ts";
import type { Lowering, Said } from "./lowering.ts";
import { report } from "./lowering.ts";
import { interfaceWord } from "./values.ts";

/** An advertisement has 255 addresses at most, and over other interfaces it carries one more. */
const MOST_ADDRESSES = 254;

export function readAdvertInterfaces(
  draft: InstanceDraft,
  statement: Statement,
  lowering: Lowering,
): void {
  for (const word of statement.words) {
    const said = interfaceWord(word, lowering);
    if (said !== undefined) draft.advertInterfaces.push(said);
  }
}

/** Further interfaces for the advertisements of an instance; without any, the transport as it was. */
export function completeAdvertInterfaces(
  draft: InstanceDraft,
  transport: Transport,
  authentication: Authentication,
  lowering: Lowering,
): Transport {
  const [first] = draft.advertInterfaces;
  if (first === undefined) return transport;
  const refuse = (at: Said<string>, why: string, remedy: string): void =>
    report(lowering, "advert-interface-invalid", at.at, why, remedy);
  if (transport.mode === "unicast") {
    const remedy = "list the peers' addresses there in unicast_peer instead";
    refuse(first, "unicast reaches its peers by their addresses, on whatever interface", remedy);
    return transport;
  }
  if (authentication.kind === "ah") {
    const remedy = "use auth_hmac with version 3, or take out AH";
    refuse(first, "the numbers of AH are in one row, and come out of order over two ways", remedy);
    return transport;
  }
  if (draft.addresses.length > MOST_ADDRESSES) {
    const why = `with more than ${MOST_ADDRESSES} addresses there is no room for the one that tells the sender`;
    refuse(first, why, "move some to virtual_ipaddress_excluded");
    return transport;
  }
  const names = new Set<string>();
  for (const said of draft.advertInterfaces) {
    if (said.value === draft.interface?.value || said.value === draft.virtualLink?.name?.value) {
      refuse(said, `${said.value} is the instance's own interface`, "name another one");
    } else if (names.has(said.value)) {
      refuse(said, `${said.value} is named twice`, "name it once");
    } else names.add(said.value);
  }
  return { ...transport, alsoOn: [...names] };
}
