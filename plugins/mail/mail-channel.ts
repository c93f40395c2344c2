import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SentMessageInfo, Transporter } from "nodemailer";
import { createTransport } from "nodemailer";
import type { Notice } from "../../agent/core/notify/notice.ts";
import type { Channel, ChannelHost, Delivery } from "../../agent/ports/channels.ts";
import { isRecipient } from "./mail-permission.ts";

const CONNECT_MS = 30_000;
const SILENCE_MS = 30_000;
const LONGEST_TITLE = 250;

/** Mail over SMTP, with connections that are kept. Where to is the smtp block's or smtp_server's word. */
export const mailChannel = (host: ChannelHost): Channel => {
  let transport: Transporter<SentMessageInfo> | undefined;
  return {
    async send(notice, signal): Promise<Delivery> {
      if (notice.target.kind !== "mail") throw new TypeError("this is no mail");
      const { to } = notice.target;
      const from =
        notice.target.from ?? host.smtp?.from ?? host.mail?.from ?? ownAddress(host.node);
      const odd = [from, ...to].find((address) => !isRecipient(bare(address)));
      if (odd !== undefined) return refused(`${JSON.stringify(odd)} is no mail address`);
      if (to.length === 0) return refused("there is nobody to send it to");
      try {
        transport ??= open(host);
        const sent = transport.sendMail(message(notice, from, to, host.node));
        return outcome(await untilAborted(sent, signal));
      } catch (error) {
        // A password that was wrong may be another one next time.
        transport?.close();
        transport = undefined;
        return failure(error, host);
      }
    },
    close() {
      transport?.close();
      transport = undefined;
      return Promise.resolve();
    },
  };
};

/** Throws an Error in words for people. */
function open(host: ChannelHost): Transporter<SentMessageInfo> {
  const { smtp, mail } = host;
  const pool = { pool: true as const, maxConnections: 1, socketTimeout: SILENCE_MS };
  if (smtp !== undefined) {
    const { user, tls, caFile } = smtp;
    if (user !== undefined && tls === "none" && !isLocal(smtp.host)) {
      throw new Error("the smtp block has a user and `tls none`: a password is sent over TLS only");
    }
    const pass = passwordOf(host);
    return createTransport({
      ...pool,
      host: smtp.host,
      port: smtp.port,
      name: heloName(host),
      connectionTimeout: CONNECT_MS,
      secure: tls === "implicit",
      requireTLS: tls === "starttls",
      ignoreTLS: tls === "none",
      ...(user !== undefined && { auth: { user, pass } }),
      ...(caFile !== undefined && { tls: { ca: readFileSync(caFile) } }),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }
  if (mail?.server === undefined) {
    throw new Error("no mail server is configured: add an smtp block to holdfast.conf");
  }
  return createTransport({
    ...pool,
    host: mail.server.host,
    port: mail.server.port,
    name: heloName(host),
    connectionTimeout: mail.connectTimeout / 1_000,
    ignoreTLS: true,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** Throws an Error that names what is missing. */
function passwordOf({ smtp, secret }: ChannelHost): string {
  const name = smtp?.passwordSecret;
  return name === undefined ? "" : secret(`\${secret:${name}}`);
}

const heloName = ({ mail, node }: ChannelHost): string => mail?.heloName ?? domainOf(node);

const isLocal = (host: string): boolean => host === "localhost" || /^127\.|^::1$/.test(host);

function message(notice: Notice, from: string, to: readonly string[], node: string) {
  const text = notice.json === undefined ? notice.text : JSON.stringify(notice.json, null, 2);
  return {
    from,
    to: [...to],
    envelope: { from: bare(from), to: to.map(bare) },
    // A line break would begin another header.
    subject: oneLine(notice.title === "" ? notice.text : notice.title).slice(0, LONGEST_TITLE),
    text: text.endsWith("\n") ? text : `${text}\n`,
    date: new Date(notice.at),
    // The same for each try: a server that took it twice shows it once.
    messageId: `<${fingerprint(notice)}@${domainOf(node)}>`,
    xMailer: "Holdfast",
    headers: { "Auto-Submitted": "auto-generated" },
  };
}

const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, " ").trim();

const fingerprint = (notice: Notice): string =>
  createHash("sha256").update(JSON.stringify(notice)).digest("hex").slice(0, 32);

/** Of `Name <address>` the address; anything else is left as it is, and so refused. */
const bare = (address: string): string =>
  /^[^<>@,;:\p{Cc}]*<([^<>]*)>$/u.exec(address)?.[1] ?? address;

const ownAddress = (node: string): string => `holdfast@${domainOf(node)}`;

const domainOf = (node: string): string =>
  node.replaceAll(/[^A-Za-z0-9.-]+/g, "-").replace(/^[.-]+|[.-]+$/g, "") || "localhost";

function outcome({ rejected }: SentMessageInfo): Delivery {
  const all = (rejected as readonly unknown[] | undefined) ?? [];
  if (all.length === 0) return { kind: "delivered" };
  return { kind: "delivered", remark: `the mail server refused ${all.map(String).join(", ")}` };
}

const refused = (reason: string): Delivery => ({ kind: "refused", reason });

interface SmtpError {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly response?: unknown;
}

/** What the server said for good, and what may change: a password too may be put right. */
function failure(error: unknown, host: ChannelHost): Delivery {
  if (!(error instanceof Error)) return { kind: "failed", reason: "the mail was not sent" };
  const { code, responseCode, response } = error as SmtpError;
  const final = typeof responseCode === "number" && responseCode >= 500 && responseCode < 600;
  const about = typeof response === "string" && response !== "" ? response : error.message;
  const reason = withoutLogin(oneLine(about), host).slice(0, 200);
  if (final && (code === "EENVELOPE" || code === "EMESSAGE")) return refused(reason);
  return { kind: "failed", reason: code === "EAUTH" ? `the login failed: ${reason}` : reason };
}

/** A server may repeat what it was told, as it was sent too: in base64, or all of AUTH PLAIN. */
function withoutLogin(text: string, host: ChannelHost): string {
  let pass: string;
  try {
    pass = passwordOf(host);
  } catch {
    // It is not there, so it was not sent.
    return text;
  }
  const user = host.smtp?.user ?? "";
  const sent = [pass, ...[pass, `\0${user}\0${pass}`].map((part) => base64(part))];
  return sent
    .filter((part) => part !== "")
    .reduce((shown, part) => shown.replaceAll(part, "***"), text);
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** nodemailer cannot be told to give up; what it does afterwards counts for nothing. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error("the mail server took too long"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
