import type { Duration, Json } from "./values.ts";

/** A notification's part in not telling too much. */
export interface NoticeOptions {
  /** Notices of one key within `throttle` are told once. Default: the text itself. */
  readonly dedupe?: string;
  /** Default 0: every one. */
  readonly throttle?: Duration;
}

/**
 * Mail to the addresses of the permission.
 *
 * @example
 * import { definePolicy } from "holdfast/sdk";
 *
 * export default definePolicy({
 *   permissions: { mail: { to: ["ops@example.org"] } },
 *   on: {
 *     transition(ctx, { router, from, to }) {
 *       const subject = `${router} on ${ctx.node}: ${from} to ${to}`;
 *       ctx.mail.send({ subject, text: subject, throttle: "1m" });
 *     },
 *   },
 * });
 */
export interface Mail {
  /** Returns at once: the agent keeps it on disk and tries until it is delivered. */
  send(message: { readonly subject: string; readonly text: string } & NoticeOptions): void;
}

/** What is told, and how much it matters. */
export interface NoticeMessage extends NoticeOptions {
  readonly title?: string;
  readonly text: string;
  /** Default `"info"`. `"resolved"` closes what an incident service holds open under `dedupe`. */
  readonly severity?: "info" | "warning" | "critical" | "resolved";
}

/** The local syslog daemon (facility `daemon`), as one line. What only the agent's log needs is `ctx.log`. */
export interface Syslog {
  /** Returns at once: it takes its turn among the notices. `severity` becomes that of syslog. */
  send(message: NoticeMessage): void;
}

/** Posts to the webhooks of the permission. Presets make a form of their own; `json` goes as it stands. */
export interface Webhook<Name extends string> {
  /** Returns at once: the agent keeps it on disk and tries until it is delivered. */
  post(name: Name, message: NoticeMessage | ({ readonly json: Json } & NoticeOptions)): void;
}
