import { errors } from "undici";
import { CallError } from "../../sdk/plugin.ts";
import { after, codeOf } from "../call/failure.ts";
import { tlsFailure } from "../network/tls-failure.ts";

/** undici's codes: ours, and words. */
const UNDICI: Readonly<Record<string, readonly [code: string, words: string]>> = {
  UND_ERR_SOCKET: [
    "closed-early",
    "the server closed the connection before its answer was complete",
  ],
  UND_ERR_CONNECT_TIMEOUT: ["timeout", "no connection"],
  UND_ERR_HEADERS_OVERFLOW: ["too-large", "the headers are larger than 16 KiB"],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ["protocol", "the body is not as long as its header says"],
  UND_ERR_RESPONSE: ["protocol", "the answer is no proper HTTP"],
};

/** What undici, TLS or the kernel says, as a CallError. */
export function httpFailure(error: unknown, doing: string): CallError {
  const code = codeOf(error) ?? "";
  const known = Object.hasOwn(UNDICI, code) ? UNDICI[code] : undefined;
  if (known !== undefined) return new CallError(known[0], after(doing, known[1]));
  if (error instanceof errors.HTTPParserError || code.startsWith("ERR_HTTP2_")) {
    return new CallError("protocol", after(doing, "the answer is no proper HTTP"));
  }
  return tlsFailure(error, doing);
}

/** Whether the other side had ended a connection that was kept. */
export const wasStale = (error: unknown): boolean =>
  ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes(codeOf(error) ?? "");
