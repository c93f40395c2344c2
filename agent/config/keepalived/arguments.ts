import { familyOf, parseAddress } from "../../core/address.ts";
import { isDigit } from "./character.ts";
import type { Argument } from "./keyword.ts";

const booleans: ReadonlySet<string> = new Set(["on", "off", "true", "false", "yes", "no"]);
/** IFNAMSIZ without its terminator. */
const longestInterfaceName = 15;

/** Whether a word is of the wanted kind and in its range. */
export function fits(argument: Argument, text: string): boolean {
  switch (argument.kind) {
    case "integer":
      return isWhole(text) && Number(text) >= argument.min && Number(text) <= argument.max;
    case "seconds":
      return isDecimal(text) && Number(text) >= argument.min && Number(text) <= argument.max;
    case "boolean":
      return booleans.has(text);
    case "enum":
      return argument.values.includes(text);
    case "interface":
      return text !== "" && text.length <= longestInterfaceName && !text.includes("/");
    case "address":
      return isAddress(text, argument.family);
    case "name":
    case "path":
      return text !== "";
    case "word":
      return true;
    default:
      return argument satisfies never;
  }
}

function isWhole(text: string): boolean {
  const first = text.charCodeAt(0);
  const start = first === 45 || first === 43 ? 1 : 0;
  for (let at = start; at < text.length; at += 1) {
    if (!isDigit(text.charCodeAt(at))) return false;
  }
  return text.length > start;
}

const isDecimal = (text: string): boolean => isWhole(text) || /^[+-]?(\d+\.\d*|\.\d+)$/.test(text);

function isAddress(text: string, family: "inet" | "inet6" | "any"): boolean {
  const slash = text.indexOf("/");
  if (slash >= 0 && !isWhole(text.slice(slash + 1))) return false;
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return false;
  return family === "any" || (familyOf(address) === "ipv4") === (family === "inet");
}
