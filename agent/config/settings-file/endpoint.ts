import type { Lowering } from "../keepalived/lower/lowering.ts";
import { report } from "../keepalived/lower/lowering.ts";
import type { Word } from "../keepalived/tree.ts";
import type { StoreRules } from "./store-rules.ts";

const HOST = String.raw`(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9][\w.-]*)`;
const URL_FORM = new RegExp(`^(https?)://${HOST}(?::([0-9]{1,5}))?/?$`);
const ADDRESS_FORM = new RegExp(`^${HOST}:([0-9]{1,5})$`);
const LOOPBACK = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/;

export interface Endpoint {
  readonly at: Word;
  /** As it is given to the client. */
  readonly text: string;
  readonly host: string;
  /** `host:port` says nothing of TLS. */
  readonly scheme: "http" | "https" | undefined;
}

export const isLoopback = ({ host }: Endpoint): boolean => LOOPBACK.test(host);

/** One line `endpoint`; `undefined`, with an error, where it leads nowhere. */
export function readEndpoint(
  word: Word,
  rules: StoreRules,
  lowering: Lowering,
): Endpoint | undefined {
  const found = rules.endpoint === "url" ? readUrl(word) : readAddress(word);
  const isPort = found === undefined || (found.port >= 1 && found.port <= 65_535);
  // Its client splits addresses at their colons.
  const isKnown = rules.title !== "ZooKeeper" || found?.endpoint.host.startsWith("[") !== true;
  if (found !== undefined && isPort && isKnown) return found.endpoint;
  if (found !== undefined && !isPort) {
    const problem = `there is no port ${found.port}`;
    const hint = `write a port from 1 to 65535, mostly ${rules.usualPort}`;
    report(lowering, "witness-invalid", word, problem, hint);
    return undefined;
  }
  const [problem, meant] = problemOf(word.text, rules, isKnown);
  report(lowering, "witness-invalid", word, problem, `write endpoint ${meantBy(meant, rules)}`);
  return undefined;
}

/** What is wrong, and the text that shows what was meant. A password in it is not repeated. */
function problemOf(
  text: string,
  { endpoint }: StoreRules,
  isKnown: boolean,
): readonly [problem: string, meant: string] {
  if (!isKnown) return ["the client of ZooKeeper takes IPv4 addresses and names", ""];
  if (text.includes("@")) {
    const scheme = /^\w+:\/\//.exec(text)?.[0] ?? "";
    const bare = scheme + text.slice(text.lastIndexOf("@") + 1);
    return ["an endpoint takes no user and password: write user and password_secret", bare];
  }
  const form = endpoint === "url" ? "http:// or https:// URL of a host and port" : "HOST:PORT";
  return [`"${text}" is no ${form}`, text];
}

interface Found {
  readonly endpoint: Endpoint;
  readonly port: number;
}

function readUrl(at: Word): Found | undefined {
  const [, scheme, host, port = "1"] = URL_FORM.exec(at.text) ?? [];
  if (host === undefined || (scheme !== "http" && scheme !== "https")) return undefined;
  const text = at.text.replace(/\/$/, "");
  return { endpoint: { at, text, host, scheme }, port: Number(port) };
}

function readAddress(at: Word): Found | undefined {
  const [, host, port] = ADDRESS_FORM.exec(at.text) ?? [];
  if (host === undefined) return undefined;
  return { endpoint: { at, text: at.text, host, scheme: undefined }, port: Number(port) };
}

/** What was probably meant, or else an example. */
function meantBy(text: string, { endpoint, usualPort }: StoreRules): string {
  const bare = text.replace(/^\w+:\/\//, "").replace(/\/.*$/, "");
  const [, host = "10.0.0.11", port = usualPort] =
    new RegExp(`^${HOST}(?::([0-9]{1,5}))?$`).exec(bare) ?? [];
  const scheme = text.startsWith("http://") ? "http" : "https";
  return endpoint === "url" ? `${scheme}://${host}:${port}` : `${host}:${port}`;
}
