import type { HttpProbe, HttpUrl, ProbeEndpoint, TlsProbe } from "../../../virtual-servers.ts";
import type { Statement } from "../../tree.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import { readBodyPattern } from "./body-pattern.ts";
import type { Lines } from "./lines.ts";
import { linesOf, switchOf, textOf } from "./lines.ts";
import type { TlsIdentity } from "./probe-tls.ts";
import { readServerName, readTls } from "./probe-tls.ts";

/** What stands around an HTTP_GET or SSL_GET. */
export interface HttpSurroundings {
  /** virtualhost of the real server, or of the virtual server. */
  readonly host: string | undefined;
  readonly identity: TlsIdentity;
}

/** `undefined`: it looks at nothing, which is said. */
export function readHttpProbe(
  statement: Statement,
  lines: Lines,
  to: ProbeEndpoint,
  { host: outerHost, identity }: HttpSurroundings,
  lowering: Lowering,
): HttpProbe | undefined {
  const { keyword, block = [] } = statement;
  const host = textOf(lines, "virtualhost") ?? outerHost;
  const blocks = block.filter((line) => line.keyword.text === "url");
  if (blocks.length === 0) {
    const message = `${keyword.text} has no url, so it looks at nothing`;
    report(lowering, "check-invalid", keyword, message, "write url { path / } in it");
    return undefined;
  }
  const urls = blocks.flatMap((url) => readUrl(url, host, lowering) ?? []);
  if (urls.length === 0) return undefined;
  const secure = keyword.text === "SSL_GET";
  const tls = secure ? readTls(keyword, lines, urls[0]?.host, identity, lowering) : undefined;
  return {
    kind: "http",
    to,
    tls,
    version: switchOf(lines, "holdfast_http2", lowering) === true ? "2" : version(lines),
    urls: tls === undefined ? urls : urls.map((url) => named(url, tls, lines, lowering)),
  };
}

function version(lines: Lines): HttpProbe["version"] {
  const said = textOf(lines, "http_protocol")?.toUpperCase();
  return said === "1.0C" || said === "1.1" ? said : "1.0";
}

/** As keepalived each URL asks for its own virtualhost; said only where it is another than the first one's. */
function named(url: HttpUrl, tls: TlsProbe, lines: Lines, lowering: Lowering): HttpUrl {
  const serverName = readServerName(lines, tls.verify, url.host, lowering);
  return serverName === tls.serverName ? url : { ...url, serverName: serverName ?? null };
}

const DEFAULT_STATUS = [[200, 299]] as const;
const STATUS = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/;
const DIGEST = /^[0-9a-f]{32}$/i;

function readUrl(
  statement: Statement,
  host: string | undefined,
  lowering: Lowering,
): HttpUrl | undefined {
  const lines = linesOf(statement);
  const path = textOf(lines, "path");
  if (path === undefined) {
    const message = "this url has no path";
    report(lowering, "check-invalid", statement.keyword, message, "write path / in it");
    return undefined;
  }
  return {
    path,
    host: textOf(lines, "virtualhost") ?? host,
    statusCodes: readStatusCodes(statement, lowering),
    digest: readDigest(lines, lowering),
    regex: readBodyPattern(statement, lines, lowering),
    ...readJson(lines),
  };
}

/** holdfast_json PATH VALUE. */
function readJson(lines: Lines): Pick<HttpUrl, "json"> {
  const [path, value] = lines.get("holdfast_json")?.words ?? [];
  if (path === undefined || value === undefined) return {};
  return { json: { path: path.text.split("."), equals: value.text } };
}

function readDigest(lines: Lines, lowering: Lowering): string | undefined {
  const word = lines.get("digest")?.words[0];
  if (word === undefined) return undefined;
  if (DIGEST.test(word.text)) return word.text.toLowerCase();
  const message = `a digest has 32 hexadecimal digits, not "${word.text}"; the page would not be compared`;
  report(lowering, "check-invalid", word, message, "let `holdfast genhash` or genhash make it");
  return undefined;
}

/** Every line adds to the codes. */
function readStatusCodes({ block = [] }: Statement, lowering: Lowering): HttpUrl["statusCodes"] {
  const ranges: (readonly [number, number])[] = [];
  for (const { keyword, words } of block) {
    if (keyword.text !== "status_code") continue;
    for (const word of words) {
      const [, from, to = from] = STATUS.exec(word.text) ?? [];
      if (from !== undefined && Number(from) <= Number(to)) ranges.push([Number(from), Number(to)]);
      else {
        const message = `"${word.text}" is no status code of HTTP`;
        report(lowering, "value-invalid", word, message, "write codes or ranges from 100 to 599");
      }
    }
  }
  return ranges.length > 0 ? ranges : DEFAULT_STATUS;
}
