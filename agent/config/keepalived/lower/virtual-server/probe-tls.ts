import { parseAddress } from "../../../../core/address.ts";
import type { TlsProbe } from "../../../virtual-servers.ts";
import type { Statement, Word } from "../../tree.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import type { Lines } from "./lines.ts";
import { linesOf, NO_LINES, switchOf, textOf } from "./lines.ts";

/** The SSL block: what checks with TLS show of themselves, and whom they believe. */
export type TlsIdentity = Pick<TlsProbe, "caFile" | "certificateFile" | "keyFile" | "keyPassword">;

/** The last of several SSL blocks counts. */
export function readTlsIdentity(statement: Statement | undefined): TlsIdentity {
  const lines = statement === undefined ? NO_LINES : linesOf(statement);
  return {
    caFile: textOf(lines, "ca"),
    certificateFile: textOf(lines, "certificate"),
    keyFile: textOf(lines, "key"),
    keyPassword: textOf(lines, "password"),
  };
}

/** `host`: whom it asks for, where no sni_name says otherwise. */
export function readTls(
  keyword: Word,
  lines: Lines,
  host: string | undefined,
  identity: TlsIdentity,
  lowering: Lowering,
): TlsProbe {
  const ca = textOf(lines, "holdfast_ca");
  const said = switchOf(lines, "holdfast_verify", lowering);
  // What keepalived has does as keepalived; what it has not, as it should be.
  const verify = said ?? (ca !== undefined || keyword.text !== "SSL_GET");
  if (!verify && said === undefined) {
    const message = "SSL_GET looks at no certificate: whoever answers counts as the server";
    const hint = "write holdfast_verify on in it, and holdfast_ca FILE for authorities of your own";
    report(lowering, "certificate-unverified", keyword, message, hint);
  }
  return {
    ...identity,
    serverName: readServerName(lines, verify, host, lowering),
    verify,
    caFile: ca ?? identity.caFile,
  };
}

/** SNI, where it is wanted or a certificate is to be verified. */
export function readServerName(
  lines: Lines,
  verify: boolean,
  host: string | undefined,
  lowering: Lowering,
): string | undefined {
  const names = verify || switchOf(lines, "enable_sni", lowering) === true;
  const name = names ? (textOf(lines, "sni_name") ?? host) : undefined;
  // RFC 6066 §3: a server name is no address.
  return name !== undefined && parseAddress(name) === undefined ? name : undefined;
}
