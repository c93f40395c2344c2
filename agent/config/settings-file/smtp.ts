import type { Lowering } from "../keepalived/lower/lowering.ts";
import { report } from "../keepalived/lower/lowering.ts";
import type { Statement, Word } from "../keepalived/tree.ts";
import type { SmtpSettings } from "../settings.ts";
import type { Secrets } from "./secrets.ts";

const PORTS: Readonly<Record<SmtpSettings["tls"], number>> = {
  none: 25,
  starttls: 587,
  implicit: 465,
};

const isLocal = (host: string): boolean => /^(localhost|127\.[0-9.]+|::1)$/.test(host);

/** smtp { host … }. */
export function lowerSmtp(
  statement: Statement | undefined,
  secrets: Secrets,
  lowering: Lowering,
): SmtpSettings | undefined {
  if (statement === undefined) return undefined;
  const words: SmtpWords = new Map(
    (statement.block ?? []).map(({ keyword, words: [word] }) => [keyword.text, word]),
  );
  const host = words.get("host");
  if (host === undefined || host.text === "") {
    report(lowering, "smtp-invalid", statement.keyword, "smtp has no host", "write host NAME");
    return undefined;
  }
  const written = words.get("tls")?.text;
  const tls = written === "none" || written === "implicit" ? written : "starttls";
  checkAuthentication(words, secrets, lowering);
  checkSecrecy(words, tls, host.text, lowering);
  const caFile = words.get("ca_file");
  if (caFile !== undefined && !caFile.text.startsWith("/")) {
    const message = `ca_file needs its whole path, not "${caFile.text}"`;
    report(lowering, "smtp-invalid", caFile, message, "write the path from / on");
  }
  return {
    host: host.text,
    port: Number(words.get("port")?.text ?? PORTS[tls]),
    tls,
    caFile: caFile?.text,
    user: words.get("user")?.text,
    passwordSecret: words.get("password_secret")?.text,
    from: words.get("from")?.text,
  };
}

type SmtpWords = ReadonlyMap<string, Word | undefined>;

function checkAuthentication(words: SmtpWords, secrets: Secrets, lowering: Lowering): void {
  const user = words.get("user");
  const password = words.get("password_secret");
  if (user !== undefined && password === undefined) {
    const hint = "write password_secret NAME, and secret NAME FILE outside the block";
    report(lowering, "smtp-invalid", user, "a user needs a password", hint);
  }
  if (password === undefined) return;
  if (user === undefined) {
    report(lowering, "smtp-invalid", password, "a password needs a user", "write user NAME");
  }
  if (!secrets.has(password.text)) secrets.reportUnknown(password.text, password);
}

function checkSecrecy(
  words: SmtpWords,
  tls: SmtpSettings["tls"],
  host: string,
  lowering: Lowering,
): void {
  const user = words.get("user");
  if (user === undefined || tls !== "none" || isLocal(host)) return;
  const message = `the password would travel to ${host} as plain text`;
  const hint = "write tls starttls or tls implicit";
  report(lowering, "smtp-invalid", words.get("tls") ?? user, message, hint);
}
