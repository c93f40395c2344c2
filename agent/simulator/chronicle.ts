import type { Json } from "../../sdk/index.ts";
import type {
  Happening,
  LoggedLine,
  PolicyError,
  SentMail,
  SentSyslog,
  SentWebhook,
} from "../../sdk/testing.ts";
import type { EventReport } from "../runtime/ipc.ts";
import type { Labels } from "../runtime/policies/ports.ts";
import type { Entry, EntryOutcome, RealmEffect } from "../sandbox/sandbox.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Of its own accord a run that lasts too long is no mistake of the policy. */
const NOT_IN_TIME = /: not done in [\d.]+ ms$/;

/** What happened in a simulation. */
export class Chronicle {
  readonly mails: SentMail[] = [];
  readonly webhooks: SentWebhook[] = [];
  readonly syslogs: SentSyslog[] = [];
  readonly logs: LoggedLine[] = [];
  readonly errors: PolicyError[] = [];
  readonly timeline: Happening[] = [];
  readonly metrics = new Map<string, number>();
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  mail(mail: SentMail): void {
    this.mails.push(mail);
    this.#happened("mail", mail.to.join(", "), mail.subject);
  }

  webhook(webhook: SentWebhook): void {
    this.webhooks.push(webhook);
    const { name, title, text, json } = webhook;
    const words = json === undefined ? text : JSON.stringify(json);
    this.#happened("webhook", name, title === "" ? words : `${title}: ${words}`);
  }

  syslog(line: SentSyslog): void {
    this.syslogs.push(line);
    this.#happened("syslog", line.severity, `${line.title}: ${line.text}`);
  }

  /** What the policy logged, as it said it. */
  log({ operation, arguments: text }: RealmEffect): void {
    const [message, fields] = JSON.parse(text) as readonly [Json, Json?];
    const shown = typeof message === "string" ? message : JSON.stringify(message ?? null);
    const level = operation.slice("log.".length) as LoggedLine["level"];
    this.logs.push({
      at: this.#clock.wallClock(),
      level,
      message: shown,
      fields: fieldsOf(fields),
    });
    const more = fields === undefined || fields === null ? "" : ` ${JSON.stringify(fields)}`;
    this.#happened("log", level, shown + more);
  }

  gauge(name: string, value: number, labels: Labels): void {
    this.metrics.set(seriesOf(name, labels), value);
  }

  count(name: string, by: number, labels: Labels): void {
    const series = seriesOf(name, labels);
    this.metrics.set(series, (this.metrics.get(series) ?? 0) + by);
  }

  report({ kind, subject, message }: EventReport): void {
    const shown = HAPPENINGS.get(kind);
    if (shown !== undefined) this.#happened(shown, subject.replace(/^policy /, ""), message);
  }

  peer(router: string, message: string): void {
    this.#happened("peer", router, message);
  }

  mistake(where: string, message: string, stack: readonly string[] = []): void {
    this.errors.push({ at: this.#clock.wallClock(), where, message, stack });
    this.#happened("error", where, stack[0] === undefined ? message : `${stack[0]}: ${message}`);
  }

  /** A run ended. What it threw is its mistake, unless a call failed because it was scripted so. */
  ended(entry: Entry, outcome: EntryOutcome, scripted: ReadonlySet<string>): void {
    if (outcome.ok) return;
    const { kind, message, stack } = outcome.failure;
    if (kind !== "exception" && kind !== "invalid") return;
    if (NOT_IN_TIME.test(message)) return;
    for (const failure of scripted) if (message.includes(failure)) return;
    const where = `${entry.kind === "event" ? "hook" : entry.kind} ${entry.name}`;
    const at = this.#clock.wallClock();
    // A call in vain was told when it was made; now it is known from where.
    const known = this.errors.findLastIndex(
      (error) => error.where === "call" && message.includes(error.message),
    );
    if (known < 0) this.mistake(where, message, stack);
    else this.errors[known] = { at, where, message, stack };
  }

  #happened(kind: Happening["kind"], subject: string, message: string): void {
    this.timeline.push({ after: this.#clock.elapsedMs, kind, subject, message });
  }
}

const HAPPENINGS: ReadonlyMap<EventReport["kind"], Happening["kind"]> = new Map([
  ["transition", "transition"],
  ["priority", "priority"],
  ["check", "check"],
  ["policy", "policy"],
  ["real-server", "service"],
  ["quorum", "service"],
  ["alarm", "service"],
]);

const fieldsOf = (fields: Json | undefined): Readonly<Record<string, Json>> =>
  typeof fields === "object" && fields !== null && !Array.isArray(fields)
    ? (fields as Readonly<Record<string, Json>>)
    : {};

function seriesOf(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}
