import type { Family, Prefix } from "../../../core/address.ts";
import { familyOf } from "../../../core/address.ts";
import type { VirtualLink } from "../../config.ts";
import type { Statement, Word } from "../tree.ts";
import { LONGEST_INTERFACE_NAME, parsePrefix } from "./literals.ts";
import type { LineCursor, Lowering, Said } from "./lowering.ts";
import { report, take } from "./lowering.ts";
import { interfaceWord } from "./values.ts";

type IpvlanFlag = "bridge" | "private" | "vepa";

/** What use_vmac or use_ipvlan said. */
export interface VirtualLinkDraft {
  readonly kind: "macvlan" | "ipvlan";
  readonly at: Word;
  name?: Said<string> | undefined;
  /** Five or six octets; the VRID makes the sixth of five. */
  mac?: readonly string[];
  address?: Said<Prefix>;
  flag?: IpvlanFlag;
  group?: number | undefined;
}

const OCTETS = /^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){4,5}$/i;

/** use_vmac [name] [MAC] [netlink_notify_msg] [group G]. */
export function readVmac(statement: Statement, lowering: Lowering): VirtualLinkDraft {
  const draft: VirtualLinkDraft = { kind: "macvlan", at: statement.keyword };
  const cursor: LineCursor = { words: statement.words, at: 0 };
  for (let word = take(cursor); word !== undefined; word = take(cursor)) {
    if (OCTETS.test(word.text)) {
      draft.mac = word.text.split(":").map((octet) => octet.toLowerCase().padStart(2, "0"));
    } else if (word.text === "group") readGroup(draft, word, cursor, lowering);
    // The kernel notifies of every new link anyway.
    else if (word.text !== "netlink_notify_msg") readName(draft, word, cursor, lowering);
  }
  return draft;
}

/** use_ipvlan [name] [ADDRESS[/LENGTH]] [bridge|private|vepa] [group G]. */
export function readIpvlan(statement: Statement, lowering: Lowering): VirtualLinkDraft {
  const draft: VirtualLinkDraft = { kind: "ipvlan", at: statement.keyword };
  const cursor: LineCursor = { words: statement.words, at: 0 };
  for (let word = take(cursor); word !== undefined; word = take(cursor)) {
    const { text } = word;
    const prefix = parsePrefix(text);
    if (prefix !== undefined) draft.address ??= { value: prefix, at: word };
    else if (text === "bridge" || text === "private" || text === "vepa") draft.flag = text;
    else if (text === "group") readGroup(draft, word, cursor, lowering);
    else readName(draft, word, cursor, lowering);
  }
  return draft;
}

function readGroup(
  draft: VirtualLinkDraft,
  word: Word,
  cursor: LineCursor,
  lowering: Lowering,
): void {
  const name = take(cursor);
  draft.group = lowering.names.resolve("group", name?.text ?? "");
  if (draft.group !== undefined) return;
  report(
    lowering,
    "virtual-link-option",
    name ?? word,
    "group takes the number or name of an interface group; it is left out",
  );
}

/** The name of the new interface, with or without the word `name` before it. */
function readName(
  draft: VirtualLinkDraft,
  word: Word,
  cursor: LineCursor,
  lowering: Lowering,
): void {
  const name = word.text === "name" ? (take(cursor) ?? word) : word;
  if (draft.name === undefined) {
    draft.name = interfaceWord(name, lowering);
    return;
  }
  report(
    lowering,
    "virtual-link-option",
    name,
    `the interface is called ${draft.name.value} already; "${name.text}" is left out`,
  );
}

interface Owner {
  readonly name: string;
  readonly vrid: number;
  readonly family: Family;
  readonly transmitOnBase: boolean;
}

/** Names of virtual links that are taken in this configuration. */
export type TakenNames = Map<string, string>;

/** `undefined`, with an error, where an ipvlan has no address to send from. */
export function completeVirtualLink(
  draft: VirtualLinkDraft,
  owner: Owner,
  prefix: string,
  taken: TakenNames,
  lowering: Lowering,
): VirtualLink | undefined {
  const name = linkName(draft, owner, prefix, taken, lowering);
  const { group } = draft;
  const { transmitOnBase, vrid } = owner;
  if (draft.kind === "macvlan") {
    const octets = draft.mac;
    const last = vrid.toString(16).padStart(2, "0");
    const mac = octets?.length === 5 ? [...octets, last] : octets;
    return { kind: "macvlan", name, mac: mac?.join(":"), transmitOnBase, group };
  }
  const { address, flag } = draft;
  const other = address !== undefined && familyOf(address.value.address) !== owner.family;
  if (other || (address === undefined && owner.family === "ipv4")) {
    report(
      lowering,
      "virtual-link-address",
      address?.at ?? draft.at,
      `${owner.name} could never become active: an ${owner.family} ipvlan needs an ${owner.family} address to send from`,
      "write use_ipvlan NAME ADDRESS/LENGTH",
    );
    return undefined;
  }
  return { kind: "ipvlan", name, address: address?.value, flag, transmitOnBase, group };
}

function linkName(
  draft: VirtualLinkDraft,
  owner: Owner,
  prefix: string,
  taken: TakenNames,
  lowering: Lowering,
): string {
  const written = draft.name;
  const holder = written === undefined ? undefined : taken.get(written.value);
  if (written !== undefined && (holder === undefined || holder === owner.name)) {
    taken.set(written.value, owner.name);
    return written.value;
  }
  if (written !== undefined) {
    report(
      lowering,
      "virtual-link-option",
      written.at,
      `the interface name ${written.value} is taken by ${holder}; another is made up`,
    );
  }
  const name = freeName(owner, prefix, taken);
  taken.set(name, owner.name);
  return name;
}

/** A macvlan with the virtual router's MAC, for addresses on an interface besides the instance's own. */
export function addressLink(
  owner: Pick<Owner, "name" | "vrid" | "family">,
  prefix: string,
  taken: TakenNames,
): VirtualLink {
  const name = freeName(owner, prefix, taken);
  taken.set(name, owner.name);
  return { kind: "macvlan", name, mac: undefined, transmitOnBase: true, group: undefined };
}

/** PREFIX.VRID; when taken, a number before the dot, 6 first for IPv6. As keepalived names them. */
function freeName(
  { vrid, family }: Pick<Owner, "vrid" | "family">,
  prefix: string,
  taken: TakenNames,
): string {
  const plain = shorten(prefix, `.${vrid}`);
  if (!taken.has(plain)) return plain;
  if (family === "ipv6") {
    const six = shorten(prefix, `6.${vrid}`);
    if (!taken.has(six)) return six;
  }
  for (let number = 1; ; number += 1) {
    const name = shorten(prefix, `${number}.${vrid}`);
    if (number !== 6 && !taken.has(name)) return name;
  }
}

const shorten = (prefix: string, suffix: string): string =>
  prefix.slice(0, LONGEST_INTERFACE_NAME - suffix.length) + suffix;
