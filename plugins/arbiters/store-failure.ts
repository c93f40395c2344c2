import { connect } from "node:tls";
import { certificateProblem } from "../network/certificate-problem.ts";
import { refused, StoreFailure, unreachable } from "./answer.ts";
import type { ArbiterTls } from "./settings.ts";

/** An alert after the handshake comes within a round trip. */
const ALERT_MS = 150;
const CHECK_CA = "set its ca to the authority that signed the store's certificate";
const CHECK_CERT = "set its cert and key to ones that the store accepts";

/** Why a request to an endpoint failed, as an answer. */
export async function storeFailure(
  error: unknown,
  endpoint: string,
  tls: ArbiterTls,
  signal: AbortSignal,
): Promise<StoreFailure> {
  if (error instanceof StoreFailure) return error;
  const code = codeOf(error);
  const refusal = tlsRefusal(code);
  if (refusal !== undefined) return refusal;
  const url = new URL(endpoint);
  // etcd ends a connection without TLS without a word, and one without a certificate after an alert that
  // comes later than the handshake.
  if (code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code.startsWith("HPE_")) {
    const found = await probeTls(url, tls, signal);
    if (url.protocol === "http:" && found !== "none") return tlsRequired();
    if (url.protocol === "https:" && found === "alert") return certificateRefused();
  }
  return unreachable(code === "" ? "the connection failed" : `the connection failed (${code})`);
}

/** What TLS finds wrong, by OpenSSL's or Node's code. */
export function tlsRefusal(code: string): StoreFailure | undefined {
  const problem = certificateProblem(code);
  if (problem !== undefined) return refused(`the store's certificate: ${problem}`, CHECK_CA);
  if (/ALERT_(?:BAD_CERTIFICATE|CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE)/.test(code)) {
    return certificateRefused();
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code)) {
    return refused("the store speaks no TLS there", "leave TLS out, or name the port that has it");
  }
  if (/^(?:ERR_SSL_|ERR_OSSL_|ERR_TLS_|EPROTO$)/.test(code)) {
    return refused(`TLS failed (${code})`, "check ca, cert and key, and what the store asks for");
  }
  return undefined;
}

export const tlsRequired = (): StoreFailure =>
  refused("the store wants TLS", "name its endpoint with https, or give the tls settings");

/** Node's and OpenSSL's codes, also where they lie in the cause. */
export function codeOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === "string") return code;
  }
  return "";
}

const certificateRefused = (): StoreFailure =>
  refused("the store does not accept our certificate", CHECK_CERT);

/**
 * Whether TLS is spoken there: `alert` when the other side ends it with one. Its certificate is of no
 * matter, as nothing is sent.
 */
export function probeTls(
  { hostname, port }: { readonly hostname: string; readonly port: string | number },
  { cert, key }: ArbiterTls,
  signal: AbortSignal,
): Promise<"none" | "spoken" | "alert"> {
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, "");
    const own = { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ...own });
    let found: "none" | "spoken" | "alert" = "none";
    let wait: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(wait);
      signal.removeEventListener("abort", end);
      socket.destroy();
      resolve(found);
    };
    signal.addEventListener("abort", end);
    socket.once("secureConnect", () => {
      found = "spoken";
      wait = setTimeout(end, ALERT_MS);
    });
    socket.once("close", end);
    socket.on("error", (error) => {
      if (/ALERT/.test(codeOf(error))) found = "alert";
    });
    if (signal.aborted) end();
  });
}
