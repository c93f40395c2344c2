import { parseAddress } from "../core/address.ts";
import type { PageDigest, PageRequest } from "../ports/page-digest.ts";
import type { ParsedArguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import type { RunCommand } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import { textOf } from "./run-options.ts";

/** Prints the digest alone on the standard output, for scripts; what is to be known of it is on the other. */
export const genhash: RunCommand = async ({ host, terminal, arguments: given }) => {
  const page = await host.digestPage(requestOf(given));
  if (!page.ok) {
    terminal.err(`holdfast: ${page.reason}\n`);
    return EXIT.failed;
  }
  const { status, bytes, ms } = page;
  if (given.options.has("verbose")) {
    terminal.out(`HTTP ${status}, ${bytes} bytes, ${ms.toFixed(1)} ms\n`);
  }
  terminal.out(`${page.framed ?? page.digest}\n`);
  for (const note of notesOn(page)) terminal.err(`holdfast: ${note}\n`);
  return EXIT.ok;
};

function notesOn(page: Extract<PageDigest, { readonly ok: true }>): readonly string[] {
  const { status, digest, framed, warning } = page;
  const notes = warning === undefined ? [] : [warning];
  if (status < 200 || status > 299) {
    notes.push(`the answer is HTTP ${status}: beside the digest, write status_code ${status}`);
  }
  if (framed !== undefined) {
    notes.push(
      "the body comes in chunks, and keepalived takes their frames for a part of it; " +
        `without them, which a check here takes too, it is ${digest}`,
    );
  }
  return notes;
}

const VERSIONS: ReadonlyMap<string, PageRequest["version"]> = new Map([
  ["1.0", "1.0"],
  ["1.0c", "1.0C"],
  ["1.1", "1.1"],
  ["2", "2"],
]);

const MOST_MARK = 4_294_967_295;
const LONGEST_S = 3_600;

/** Throws a UsageError. */
function requestOf(given: ParsedArguments): PageRequest {
  const text = (name: string): string | undefined => textOf(given, name);
  const needed = (name: string, short: string): string => {
    const found = text(name);
    if (found !== undefined) return found;
    throw new UsageError(`genhash needs -${short}`, "see holdfast help genhash");
  };
  const server = needed("server", "s");
  const path = needed("url", "u");
  const address = parseAddress(server);
  if (address === undefined) throw new UsageError(`${server} is no address`, "write -s 192.0.2.1");
  if (!/^[!-~]+$/.test(path)) throw new UsageError(`${path} is no path`, "write -u /index.html");
  const secure = given.options.has("use-ssl");
  const said = (text("protocol") ?? "1.0").toLowerCase();
  const version = VERSIONS.get(said);
  if (version === undefined) {
    throw new UsageError(`there is no HTTP ${said}`, `write -P ${[...VERSIONS.keys()].join(", ")}`);
  }
  const host = text("use-virtualhost");
  if (given.options.has("use-sni") && host === undefined) {
    throw new UsageError("-I has no name to ask for", "write it after -V");
  }
  return {
    to: {
      ...{ address, sourceAddress: undefined, sourcePort: undefined, interface: undefined },
      port: numberOf(text("port") ?? (secure ? "443" : "80"), "-p", 1, 65_535),
      fwmark: numberOf(text("fwmark") ?? "0", "-m", 0, MOST_MARK),
    },
    ...{ secure, path, host, version },
    serverName: given.options.has("use-sni") ? host : undefined,
    timeoutMs: numberOf(text("timeout") ?? "5", "-t", 1, LONGEST_S) * 1_000,
  };
}

function numberOf(text: string, option: string, least: number, most: number): number {
  const found = Number(text);
  if (/^\d{1,10}$/.test(text) && found >= least && found <= most) return found;
  throw new UsageError(`${option} ${text}: a whole number from ${least} to ${most} is wanted`);
}
