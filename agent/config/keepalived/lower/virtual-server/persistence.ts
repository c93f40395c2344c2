import type { Family } from "../../../../core/address.ts";
import { addressBytes, familyOf, parseAddress } from "../../../../core/address.ts";
import type { Persistence } from "../../../../core/ipvs/service.ts";
import { parseWhole } from "../literals.ts";
import type { Lowering } from "../lowering.ts";
import { reportValue } from "../values.ts";
import type { Lines } from "./lines.ts";
import { textOf, wholeOf } from "./lines.ts";

/** Seconds of a client's persistence where none are written. */
export const DEFAULT_PERSISTENCE = 360;
const LONGEST = 2_678_400;

/** The family that persistence_granularity speaks of: a netmask, or a length of IPv6. */
export function granularityFamily(lines: Lines): Family | undefined {
  const text = textOf(lines, "persistence_granularity");
  if (text === undefined) return undefined;
  return text.includes(".") ? "ipv4" : "ipv6";
}

/** `always`: also where no line asks for it. */
export function readPersistence(
  lines: Lines,
  family: Family,
  always: boolean,
  lowering: Lowering,
): Persistence | undefined {
  const prefixLength = readGranularity(lines, family, lowering);
  const engine = textOf(lines, "persistence_engine");
  const asked = always || prefixLength !== undefined || engine !== undefined;
  const line = lines.get("persistence_timeout");
  const bare = line !== undefined && line.words.length === 0;
  const said = bare
    ? DEFAULT_PERSISTENCE
    : wholeOf(lines, "persistence_timeout", { low: 0, high: LONGEST }, lowering);
  // keepalived passes over a timeout of 0: it is not persistent, unless something else asks for it.
  const timeout = said || (asked ? DEFAULT_PERSISTENCE : 0);
  if (timeout === 0) return undefined;
  return { timeout, prefixLength: prefixLength ?? (family === "ipv4" ? 32 : 128), engine };
}

function readGranularity(lines: Lines, family: Family, lowering: Lowering): number | undefined {
  const line = lines.get("persistence_granularity");
  const word = line?.words[0];
  if (line === undefined || word === undefined) return undefined;
  const length = family === "ipv4" ? maskLength(word.text) : parseWhole(word.text, 1, 128);
  if (length !== undefined) return length;
  const wanted = family === "ipv4" ? "a netmask such as 255.255.255.0" : "a number from 1 to 128";
  reportValue(line, word, wanted, lowering);
  return undefined;
}

/** The ones of a netmask; `undefined`: it is none. */
function maskLength(text: string): number | undefined {
  const mask = parseAddress(text);
  if (mask === undefined || familyOf(mask) !== "ipv4") return undefined;
  const bits = [...addressBytes(mask)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const ones = bits.indexOf("0") < 0 ? bits.length : bits.indexOf("0");
  return ones > 0 && !bits.includes("1", ones) ? ones : undefined;
}
