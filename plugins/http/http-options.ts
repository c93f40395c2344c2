import type { Json } from "../../sdk/index.ts";
import {
  badArgument,
  isObject,
  kindOf,
  readBoolean,
  readDuration,
  readText,
  textArgument,
} from "../call/arguments.ts";
import { parseEndpoint } from "../permission/endpoint-pattern.ts";
import { parseHost } from "../permission/host-pattern.ts";

const MOST_HEADERS = 32;
const LONGEST_HEADER = 4_096;
const LONGEST_BODY = 65_536;

/** Headers that say how the message travels: they are ours. */
const OURS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Options of the three methods. */
export const HTTP_OPTIONS = {
  timeout: readDuration,
  headers: readHeaders,
  body: readText(LONGEST_BODY),
  verify: readBoolean,
  http2: readBoolean,
};

/** With what we say of ourselves where the policy says nothing. */
export const requestHeaders = (
  headers: Readonly<Record<string, string>> | undefined,
): Record<string, string> => ({ "user-agent": "holdfast", accept: "*/*", ...headers });

/** Names in lower case. RFC 9110 §5: a name is a token, a value is visible. */
function readHeaders(value: Json, what: string): Readonly<Record<string, string>> {
  if (!isObject(value)) throw badArgument(`${what} are ${kindOf(value)}, not an object`);
  const entries = Object.entries(value);
  if (entries.length > MOST_HEADERS)
    throw badArgument(`there are more than ${MOST_HEADERS} ${what}`);
  return Object.fromEntries(entries.map(([name, text]) => readHeader(name, text)));
}

function readHeader(given: string, value: Json): readonly [string, string] {
  const name = given.toLowerCase();
  const shown = JSON.stringify(name.slice(0, 40));
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name))
    throw badArgument(`header ${shown} has no name`);
  if (OURS.has(name)) throw badArgument(`header ${shown} is not for policies`);
  const text = textArgument(value, `header ${shown}`, LONGEST_HEADER);
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) {
    throw badArgument(`header ${shown} holds characters that no header may hold`);
  }
  if (name === "host" && (parseHost(text) ?? parseEndpoint(text)) === undefined) {
    throw badArgument("header host is no host");
  }
  return [name, text];
}
