import { familyOf, parseAddress } from "../../../core/address.ts";
import type { Encapsulation } from "../../config.ts";
import type { Word } from "../tree.ts";
import { parseAnyBase, parseWhole } from "./literals.ts";
import { peek, take } from "./lowering.ts";
import type { OptionLine } from "./option-line.ts";
import { LineRefusal, takeValue } from "./option-line.ts";

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** An MPLS label has 20 bits; the kernel takes 30 of them in a stack. */
const HIGHEST_LABEL = 0xf_ffff;
const MOST_LABELS = 30;

/** encap mpls LABEL/…, encap ip|ip6 …, encap ila LOCATOR. */
export function takeEncapsulation(line: OptionLine, option: Word): Encapsulation | LineRefusal {
  const type = take(line.cursor);
  switch (type?.text) {
    case "mpls":
      return takeMpls(line, type);
    case "ila":
      return takeIla(line, type);
    case "ip":
    case "ip6":
      return takeTunnel(line, type, type.text);
    default:
      return new LineRefusal(type ?? option, "encap takes mpls, ip, ip6 or ila");
  }
}

const empty = (type: Encapsulation["type"]): Mutable<Encapsulation> => ({
  type,
  labels: [],
  id: undefined,
  source: undefined,
  destination: undefined,
  tos: undefined,
  ttl: undefined,
  flags: undefined,
  locator: undefined,
});

function takeMpls(line: OptionLine, type: Word): Encapsulation | LineRefusal {
  const labels = takeValue(line, type, "labels joined by /, each up to 1048575", (text) => {
    const parsed = text.split("/").map((label) => parseWhole(label, 0, HIGHEST_LABEL));
    const whole = parsed.filter((label) => label !== undefined);
    return whole.length === parsed.length && whole.length <= MOST_LABELS ? whole : undefined;
  });
  return labels instanceof LineRefusal ? labels : { ...empty("mpls"), labels };
}

const LOCATOR = /^[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){3}$/i;

function takeIla(line: OptionLine, type: Word): Encapsulation | LineRefusal {
  const locator = takeValue(line, type, "a locator of four groups such as 2001:db8:0:1", (text) =>
    LOCATOR.test(text) ? text.toLowerCase() : undefined,
  );
  return locator instanceof LineRefusal ? locator : { ...empty("ila"), locator };
}

type TunnelOption = (line: OptionLine, word: Word, into: Mutable<Encapsulation>) => unknown;

const whole =
  (key: "ttl" | "flags" | "id", high: number): TunnelOption =>
  (line, word, into) => {
    const value = takeValue(line, word, `a number up to ${high}`, (text) =>
      parseAnyBase(text, high),
    );
    if (value instanceof LineRefusal) return value;
    into[key] = value;
    return undefined;
  };

const endpoint =
  (key: "source" | "destination"): TunnelOption =>
  (line, word, into) => {
    const wanted = into.type === "ip" ? "ipv4" : "ipv6";
    const value = takeValue(line, word, `an ${wanted} address`, (text) => {
      const address = parseAddress(text);
      return address !== undefined && familyOf(address) === wanted ? address : undefined;
    });
    if (value instanceof LineRefusal) return value;
    into[key] = value;
    return undefined;
  };

const tos: TunnelOption = (line, word, into) => {
  const value = takeValue(line, word, "a number up to 255, or a name of rt_dsfield", (text) =>
    line.lowering.names.resolve("dsfield", text),
  );
  if (value instanceof LineRefusal) return value;
  into.tos = value;
  return undefined;
};

const COMMON: Readonly<Record<string, TunnelOption>> = {
  id: whole("id", Number.MAX_SAFE_INTEGER),
  dst: endpoint("destination"),
  src: endpoint("source"),
  flags: whole("flags", 0xffff),
};

const TUNNEL: Readonly<Record<"ip" | "ip6", Readonly<Record<string, TunnelOption>>>> = {
  ip: { ...COMMON, tos, dsfield: tos, ttl: whole("ttl", 255) },
  ip6: { ...COMMON, tc: tos, hoplimit: whole("ttl", 255) },
};

function takeTunnel(line: OptionLine, at: Word, type: "ip" | "ip6"): Encapsulation | LineRefusal {
  const into = empty(type);
  const options = TUNNEL[type];
  for (let word = peek(line.cursor); word !== undefined; word = peek(line.cursor)) {
    const option = Object.hasOwn(options, word.text) ? options[word.text] : undefined;
    if (option === undefined) break;
    take(line.cursor);
    const refusal = option(line, word, into);
    if (refusal instanceof LineRefusal) return refusal;
  }
  if (into.destination !== undefined || into.id !== undefined) return into;
  return new LineRefusal(at, `encap ${type} needs dst ADDRESS or id NUMBER`);
}
