import type { Family } from "../../../../core/address.ts";
import { familyOf, parseAddress } from "../../../../core/address.ts";
import type { VirtualTarget } from "../../../virtual-servers.ts";
import type { Statement, Word } from "../../tree.ts";
import { parseWhole } from "../literals.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import { rangeOf } from "./address-range.ts";

/** A target whose family may depend on the servers behind it. */
export type TargetDraft =
  | Extract<VirtualTarget, { kind: "address" }>
  | { readonly kind: "fwmark"; readonly fwmark: number; readonly family: Family | undefined };

/** What traffic a virtual server is for. */
export interface TargetsDraft {
  readonly kind: "address" | "fwmark" | "group";
  /** The word that says it. */
  readonly at: Word;
  /** `[192.0.2.1]`, `FWM 5` or `[GROUP]`. */
  readonly name: string;
  readonly targets: readonly TargetDraft[];
}

export type Groups = ReadonlyMap<string, readonly TargetDraft[]>;

const FORM = "write virtual_server ADDRESS PORT, fwmark NUMBER or group NAME";
const LARGEST_MARK = 4_294_967_295;
/** A group of more is a mistake in its prefix: each is a service of the kernel. */
const LARGEST_GROUP = 65_536;

/** The words after virtual_server; `undefined`: nobody could reach it, which is said. */
export function readTargets(
  { keyword, words: [at, second] }: Statement,
  groups: Groups,
  lowering: Lowering,
): TargetsDraft | undefined {
  if (at === undefined) return refuse(keyword, "a virtual_server needs an address", FORM, lowering);
  if (at.text === "group") return groupTargets(at, second, groups, lowering);
  if (at.text === "fwmark") {
    const fwmark = parseWhole(second?.text ?? "", 1, LARGEST_MARK);
    if (fwmark === undefined) {
      return refuse(second ?? at, "fwmark takes a number from 1 on", FORM, lowering);
    }
    const targets = [{ kind: "fwmark", fwmark, family: undefined }] as const;
    return { kind: "fwmark", at: second ?? at, name: `FWM ${fwmark}`, targets };
  }
  const address = parseAddress(at.text);
  if (address === undefined) return refuse(at, `"${at.text}" is no address`, FORM, lowering);
  const port = readPort(second);
  if (port === undefined) {
    return refuse(second ?? at, `"${second?.text}" is no port`, FORM, lowering);
  }
  const targets = [{ kind: "address", address, port }] as const;
  return { kind: "address", at, name: `[${address}]`, targets };
}

function groupTargets(
  at: Word,
  name: Word | undefined,
  groups: Groups,
  lowering: Lowering,
): TargetsDraft | undefined {
  if (name === undefined) return refuse(at, "the group has no name", FORM, lowering);
  const targets = groups.get(name.text);
  if (targets !== undefined) return { kind: "group", at: name, name: `[${name.text}]`, targets };
  const hint = `write virtual_server_group ${name.text} { ADDRESS PORT }`;
  return refuse(name, `there is no virtual_server_group ${name.text}`, hint, lowering);
}

function refuse(at: Word, message: string, hint: string, lowering: Lowering): undefined {
  report(lowering, "virtual-server-invalid", at, message, hint);
}

/** A port, 0 where there is none; `undefined`: it is none. */
export const readPort = (word: Word | undefined): number | undefined =>
  word === undefined ? 0 : parseWhole(word.text, 0, 65_535);

/** The lines of virtual_server_group NAME { … }. */
export function readGroup(
  name: Word,
  { block = [] }: Statement,
  lowering: Lowering,
): readonly TargetDraft[] {
  const targets: TargetDraft[] = [];
  const taken = new Set<string>();
  for (const line of block) {
    for (const target of readGroupLine(line, LARGEST_GROUP - targets.length, lowering)) {
      const key = keyOf(target);
      if (!taken.has(key)) targets.push(target);
      taken.add(key);
    }
  }
  if (targets.length === 0) {
    const message = `virtual_server_group ${name.text} has no address and no mark`;
    report(lowering, "virtual-server-invalid", name, message, "write ADDRESS PORT in it");
  }
  return targets;
}

const keyOf = (target: TargetDraft): string =>
  target.kind === "fwmark"
    ? `${target.fwmark} ${target.family ?? ""}`
    : `${target.port} ${target.address}`;

/** As keepalived names families. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map([
  ["inet", "ipv4"],
  ["inet6", "ipv6"],
]);

function readGroupLine(
  { keyword, words }: Statement,
  room: number,
  lowering: Lowering,
): readonly TargetDraft[] {
  const [first, second] = words;
  if (keyword.text === "fwmark") {
    const fwmark = parseWhole(first?.text ?? "", 1, LARGEST_MARK);
    const family = second && FAMILIES.get(second.text);
    if (fwmark !== undefined && (second === undefined || family !== undefined)) {
      return [{ kind: "fwmark", fwmark, family }];
    }
    refuse(first ?? keyword, "this is no mark", "write fwmark NUMBER [inet|inet6]", lowering);
    return [];
  }
  const port = readPort(first);
  const range = rangeOf(keyword.text, room);
  if (port === undefined) {
    refuse(first ?? keyword, `"${first?.text}" is no port`, "write ADDRESS PORT", lowering);
  } else if (!range.ok) {
    refuse(keyword, `${range.reason}: "${keyword.text}"`, range.hint, lowering);
  } else return range.addresses.map((address) => ({ kind: "address", address, port }));
  return [];
}

export const familiesOf = (targets: readonly TargetDraft[]): ReadonlySet<Family> => {
  const families = new Set<Family>();
  for (const target of targets) {
    const family = target.kind === "address" ? familyOf(target.address) : target.family;
    if (family !== undefined) families.add(family);
  }
  return families;
};
