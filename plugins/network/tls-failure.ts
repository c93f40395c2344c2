import { CallError } from "../../sdk/plugin.ts";
import { after, codeOf, failureOf } from "../call/failure.ts";
import { certificateProblem } from "./certificate-problem.ts";

/**
 * What broke a connection with TLS, as a CallError: OpenSSL's code for a bad certificate, `tls` where
 * the peers do not understand each other.
 */
export function tlsFailure(error: unknown, doing: string): CallError {
  if (error instanceof CallError) return error;
  const code = codeOf(error) ?? "";
  const problem = certificateProblem(code);
  if (problem !== undefined)
    return new CallError(code, after(doing, `the certificate: ${problem}`));
  if (/^(?:ERR_SSL_|ERR_TLS_|EPROTO$)/.test(code)) {
    return new CallError("tls", after(doing, "the other side does not speak TLS, or refuses ours"));
  }
  return failureOf(error, doing);
}
