import type { TLSSocket } from "node:tls";
import type { Certificate } from "../../sdk/index.ts";
import { CallError } from "../../sdk/plugin.ts";
import { certificateProblem } from "../network/certificate-problem.ts";

const DAY_MS = 86_400_000;
const MOST_NAMES = 100;
const LONGEST_NAME = 500;

/** What a policy is told of the certificate of a connection; `now`: wall-clock milliseconds. */
export function describeCertificate(
  socket: TLSSocket,
  now: number,
): Certificate & Readonly<Record<string, string | number | boolean | readonly string[]>> {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new CallError("tls", "the server showed no certificate");
  const notAfter = Date.parse(certificate.validTo);
  const problem = socket.authorized ? undefined : problemOf(socket.authorizationError);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: namesOf(certificate.subjectAltName, certificate.subject),
    notBefore: Date.parse(certificate.validFrom),
    notAfter,
    daysLeft: Math.floor((notAfter - now) / DAY_MS),
    valid: problem === undefined,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Node gives an Error, or its code alone. */
function problemOf(error: Error | string | undefined): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : error;
  return certificateProblem(code ?? "") ?? `it is not accepted (${code ?? "no reason given"})`;
}

/** From `CN=a\nO=b`; a hostile server may put anything in there. */
const oneLine = (name: string | undefined): string =>
  (name ?? "").trim().split("\n").join(", ").slice(0, LONGEST_NAME);

/** Subject alternative names: DNS and IP; where there are none, the common name. */
function namesOf(alternatives: string | undefined, subject: string | undefined): readonly string[] {
  if (alternatives === undefined) {
    const common = /^CN=(.+)$/m.exec(subject ?? "")?.[1];
    return common === undefined ? [] : [common.slice(0, LONGEST_NAME)];
  }
  return alternatives
    .split(", ")
    .map((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1])
    .filter((name) => name !== undefined)
    .slice(0, MOST_NAMES)
    .map((name) => name.slice(0, LONGEST_NAME));
}
