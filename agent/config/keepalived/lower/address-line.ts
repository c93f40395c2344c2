import type { IpAddress, Prefix } from "../../../core/address.ts";
import { familyOf, parseAddress } from "../../../core/address.ts";
import type { AddressConfig, AddressFlag } from "../../config.ts";
import { nearest } from "../suggest.ts";
import type { Statement, Word } from "../tree.ts";
import { familyBits, parsePrefix, parseWhole } from "./literals.ts";
import type { LineCursor, Lowering } from "./lowering.ts";
import { report, take } from "./lowering.ts";
import { interfaceWord } from "./values.ts";

/** Longest address label that Linux keeps, in bytes: IFNAMSIZ − 1. */
const LONGEST_LABEL = 15;

type Draft = { -readonly [Key in keyof AddressConfig]: AddressConfig[Key] };

interface Line {
  readonly draft: Draft;
  readonly cursor: LineCursor;
  readonly lowering: Lowering;
}

/** What follows the option's own word; answers what was wanted when that is not there. */
type Option = (line: Line, word: Word) => string | undefined;

const flag =
  (name: AddressFlag): Option =>
  ({ draft }) => {
    if (!draft.flags.includes(name)) draft.flags = [...draft.flags, name];
    return undefined;
  };

const broadcast: Option = ({ draft, cursor }) => {
  const word = take(cursor);
  const value =
    word?.text === "+" || word?.text === "-" ? word.text : parseAddress(word?.text ?? "");
  if (value === undefined || familyOf(draft.address) === "ipv6" || value.includes(":")) {
    return "an IPv4 broadcast address, + or -";
  }
  draft.broadcast = value;
  return undefined;
};

const OPTIONS: Readonly<Record<string, Option>> = {
  brd: broadcast,
  broadcast,
  dev: ({ draft, cursor, lowering }) => {
    const word = take(cursor);
    if (word === undefined) return "the name of an interface";
    draft.interface = interfaceWord(word, lowering)?.value;
    return undefined;
  },
  scope: ({ draft, cursor, lowering }) => {
    draft.scope = lowering.names.resolve("scope", take(cursor)?.text ?? "");
    return draft.scope === undefined ? "a scope: global, site, link, host or a number" : undefined;
  },
  label: ({ draft, cursor }) => {
    const label = take(cursor)?.text ?? "";
    if (label === "" || label.length > LONGEST_LABEL) {
      return `a label of 1 to ${LONGEST_LABEL} characters`;
    }
    draft.label = label;
    return undefined;
  },
  peer: ({ draft, cursor }) => {
    const peer = parsePrefix(take(cursor)?.text ?? "");
    if (peer === undefined || familyOf(peer.address) !== familyOf(draft.address)) {
      return "an address of the same family";
    }
    draft.peer = peer;
    return undefined;
  },
  home: flag("home"),
  // Without duplicate address detection is how IPv6 addresses are added anyway.
  nodad: () => undefined,
  "-nodad": ({ draft, lowering }, word) => {
    report(
      lowering,
      "address-option-ignored",
      word,
      `${draft.address} is held without duplicate address detection: it must work at once, and VRRP decides whose it is`,
    );
    return undefined;
  },
  mngtmpaddr: flag("mngtmpaddr"),
  noprefixroute: flag("noprefixroute"),
  autojoin: flag("autojoin"),
  no_track: ({ draft }) => {
    draft.noTrack = true;
    return undefined;
  },
  track_group: ({ draft, cursor }) => {
    draft.trackGroup = take(cursor)?.text;
    return draft.trackGroup === undefined ? "the name of a track_group" : undefined;
  },
  preferred_lft: ({ draft, cursor }) => {
    const text = take(cursor)?.text ?? "";
    if (text === "forever" || text === "infinity") {
      draft.preferredLifetime = undefined;
      return undefined;
    }
    draft.preferredLifetime = parseWhole(text, 0, 0xffff_fffe);
    return draft.preferredLifetime === undefined ? "seconds, or forever" : undefined;
  },
  use_vmac: ({ draft }) => {
    draft.useVirtualMac = true;
    return undefined;
  },
};

/**
 * One line of virtual_ipaddress, virtual_ipaddress_excluded or static_ipaddress. `undefined`, with
 * an error, when it does not begin with an address; an option that is not understood is left out,
 * with a warning.
 */
export function lowerAddressLine(
  statement: Statement,
  lowering: Lowering,
): AddressConfig | undefined {
  const first = statement.keyword;
  const prefix = parsePrefix(first.text);
  if (prefix === undefined) {
    report(
      lowering,
      "address-invalid",
      first,
      `"${first.text}" is no address; nobody would hold it`,
      "begin the line with an IPv4 or IPv6 address, for example 192.0.2.1/24 dev eth0",
    );
    return undefined;
  }
  const draft = plainAddress(first, prefix);
  if (statement.words.length > 0) {
    readOptions({ draft, cursor: { words: statement.words, at: 0 }, lowering });
  }
  return draft;
}

const NO_FLAGS: readonly AddressFlag[] = [];

const plainAddress = (first: Word, { address, length }: Prefix): Draft => ({
  position: first.position,
  address,
  prefixLength: length,
  interface: undefined,
  broadcast: undefined,
  scope: undefined,
  label: undefined,
  peer: undefined,
  flags: NO_FLAGS,
  // A bare IPv6 address is no source for the host's own connections. As keepalived has it.
  preferredLifetime: length === familyBits("ipv6") ? 0 : undefined,
  noTrack: false,
  trackGroup: undefined,
  useVirtualMac: false,
});

function readOptions(line: Line): void {
  const { cursor, lowering } = line;
  const { address } = line.draft;
  for (let word = take(cursor); word !== undefined; word = take(cursor)) {
    const option = Object.hasOwn(OPTIONS, word.text) ? OPTIONS[word.text] : undefined;
    if (option === undefined) {
      reportUnknown(address, word, lowering);
      continue;
    }
    const wanted = option(line, word);
    if (wanted === undefined) continue;
    report(
      lowering,
      "address-option-invalid",
      cursor.words[cursor.at - 1] ?? word,
      `${word.text} of the address ${address} takes ${wanted}; it is left out`,
    );
  }
}

function reportUnknown(address: IpAddress, word: Word, lowering: Lowering): void {
  const second = parsePrefix(word.text) !== undefined;
  report(
    lowering,
    second ? "address-second-on-line" : "address-option-unknown",
    word,
    second
      ? `a line holds one address; "${word.text}" after ${address} would be held by nobody`
      : `the address ${address} has no option "${word.text}"; it is left out`,
    second ? `put ${word.text} on a line of its own` : meant(word.text),
  );
}

function meant(text: string): string | undefined {
  const found = nearest(text, Object.keys(OPTIONS));
  return found === undefined ? undefined : `did you mean "${found.word}"?`;
}
