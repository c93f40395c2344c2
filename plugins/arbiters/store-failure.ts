import { connect } from "node:tls";
import { certificateProblem } from "../network/certificate-problem.ts";
import { refused, StoreFailure, unreachable } from "./answer.ts";

const CHECK_CA = "set its ca to the authority that signed the store's certificate";
const CHECK_CERT = "set its cert and key to ones that the store accepts";

/** Why a request to an endpoint failed, as an answer. */
export async function storeFailure(
  error: unknown,
  endpoint: string,
  signal: AbortSignal,
): Promise<StoreFailure> {
  if (error instanceof StoreFailure) return error;
  const code = codeOf(error);
  const tls = tlsRefusal(code);
  if (tls !== undefined) return tls;
  const url = new URL(endpoint);
  // etcd ends a connection without TLS without a word.
  const ended = code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code.startsWith("HPE_");
  if (ended && url.protocol === "http:" && (await speaksTls(url, signal))) return tlsRequired();
  return unreachable(code === "" ? "the connection failed" : `the connection failed (${code})`);
}

/** What TLS finds wrong, by OpenSSL's or Node's code. */
export function tlsRefusal(code: string): StoreFailure | undefined {
  const problem = certificateProblem(code);
  if (problem !== undefined) return refused(`the store's certificate: ${problem}`, CHECK_CA);
  if (/ALERT_(?:BAD_CERTIFICATE|CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE)/.test(code)) {
    return refused("the store does not accept our certificate", CHECK_CERT);
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

/** Whether a handshake of TLS begins there. Its certificate is of no matter: nothing is sent. */
export function speaksTls(
  { hostname, port }: { hostname: string; port: string | number },
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, "");
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
    const end = (speaks: boolean): void => {
      signal.removeEventListener("abort", giveUp);
      socket.destroy();
      resolve(speaks);
    };
    const giveUp = (): void => end(false);
    signal.addEventListener("abort", giveUp);
    if (signal.aborted) return giveUp();
    socket.once("secureConnect", () => end(true));
    socket.once("close", giveUp);
    // A server that wants a certificate of ours says so in an alert, which is TLS.
    socket.on("error", (error) => end(/ALERT/.test(codeOf(error))));
  });
}
