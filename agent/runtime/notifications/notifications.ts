import { join } from "node:path";
import type { FifoConfig } from "../../config/notifications.ts";
import type { CommandConfig } from "../../config/trackers.ts";
import type { DirectorStatus, LetterIds, NotificationsReport } from "../../control/protocol.ts";
import type { Notice } from "../../core/notify/notice.ts";
import type { Telling } from "../../core/notify/tell.ts";
import { tell } from "../../core/notify/tell.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import type { RouterSnapshot } from "../../core/vrrp/snapshot.ts";
import type { ChannelHost } from "../../ports/channels.ts";
import type { DirectorPart, Outlet } from "../director/part.ts";
import type { DirectorSettings, EventReport, GroupSnapshot, NotifySubject } from "../ipc.ts";
import { putSecrets } from "../secrets.ts";
import type { FifoPorts } from "./fifo-output.ts";
import { FifoOutput } from "./fifo-output.ts";
import type { Happened } from "./occurrences.ts";
import { Occurrences } from "./occurrences.ts";
import type { OutboxPorts } from "./outbox.ts";
import { Outbox } from "./outbox.ts";
import { Scripts } from "./scripts.ts";

/**
 * What notifications need of the world: `clock` and `later`, `run` for scripts and the readers of
 * FIFOs, `openFifo` (plugins/fifo), and a channel for each kind of target: `mail`, `webhook`,
 * `syslog` (plugins). Channels are opened when the first notice of their kind is sent, so they may be
 * loaded then.
 */
export type NotificationPorts = OutboxPorts & FifoPorts;

/** For what is under way at a stop: the supervisor's own patience is the limit of all else. */
const LAST_TRY_MS = 2_000;
/** Of routers that the next configuration will have. */
const MOST_UNKNOWN = 4_000;
const LONGEST_TEXT = 32_768;
const LONGEST_JSON = 65_536;

interface FifoInUse {
  readonly config: FifoConfig;
  readonly output: FifoOutput;
}

/**
 * Tells others what happens: keepalived's scripts, FIFOs and mail, and the notices of policies. None
 * of it is waited for by anybody.
 */
export class Notifications implements DirectorPart {
  readonly name = "notifications";
  readonly commands = {
    notifications: (): NotificationsReport => this.#outbox.report(),
    "retry-notifications": (ids: LetterIds): NotificationsReport => {
      this.#outbox.retry(ids);
      return this.#outbox.report();
    },
    "discard-notifications": (ids: LetterIds): NotificationsReport => {
      this.#outbox.discard(ids);
      return this.#outbox.report();
    },
  };
  readonly #outlet: Outlet;
  readonly #ports: NotificationPorts;
  readonly #outbox: Outbox;
  readonly #scripts: Scripts;
  readonly #occurrences = new Occurrences();
  readonly #subjects = new Map<string, NotifySubject>();
  /** Of routers that are not configured yet: the vrrp process hears of a reload first. */
  #unknown: Happened[] = [];
  #fifos: readonly FifoInUse[] = [];
  #settings: DirectorSettings | undefined;
  #channelSettings: unknown;
  #stopping = false;

  constructor(outlet: Outlet, ports: NotificationPorts) {
    this.#outlet = outlet;
    this.#ports = ports;
    this.#outbox = new Outbox(ports, {
      log: (level, message) => outlet.log(level, message),
      trouble: (level, target, message) => this.#trouble(level, target, message),
    });
    this.#scripts = new Scripts(ports.run, (message) => outlet.log("warn", message));
  }

  configure(settings: DirectorSettings): void {
    const first = this.#settings === undefined;
    this.#settings = settings;
    this.#configureChannels(first);
    this.#configureFifos(settings);
    this.#subjects.clear();
    for (const subject of settings.subjects) this.#subjects.set(keyOf(subject), subject);
    const unknown = this.#unknown;
    this.#unknown = [];
    for (const happened of unknown) {
      const subject = this.#subjects.get(keyOf(happened));
      if (subject !== undefined) this.#tell(subject, happened);
    }
    if (first) this.#outlet.requestSnapshot();
  }

  /** Resolves when its scripts were started, and its mail is on the disk. */
  async event(report: EventReport): Promise<void> {
    const happened = this.#occurrences.of(report);
    if (happened === undefined) return;
    const subject = this.#subjects.get(keyOf(happened));
    if (subject !== undefined) {
      const started = this.#tell(subject, happened);
      await Promise.all([this.#outbox.flushed(), ...started]);
    } else if (happened.occurrence.kind === "state" && this.#unknown.length < MOST_UNKNOWN) {
      this.#unknown.push(happened);
    }
  }

  snapshot(routers: readonly RouterSnapshot[], groups: readonly GroupSnapshot[]): void {
    this.#occurrences.learn(routers, groups);
  }

  /** For policies: it is on its way when this returns, and nobody waits for it. */
  notify(notice: Notice): void {
    const { title, text, json } = notice;
    if (json !== undefined && JSON.stringify(json).length > LONGEST_JSON) {
      const limit = `its JSON is longer than ${LONGEST_JSON} characters`;
      this.#outlet.log("warn", `a notification of ${notice.source} is not sent: ${limit}`);
      return;
    }
    const short = title.length <= LONGEST_TEXT && text.length <= LONGEST_TEXT;
    this.#outbox.add(
      short
        ? notice
        : { ...notice, title: title.slice(0, LONGEST_TEXT), text: text.slice(0, LONGEST_TEXT) },
    );
  }

  /** Of virtual and real servers: on its way when this returns. Scripts of one subject run in order. */
  tellOf(subject: string, tellings: readonly Telling<CommandConfig>[], at: number): void {
    const moment = { at, epoch: undefined };
    for (const telling of tellings) void this.#carryOut(subject, "vrrp", telling, moment);
  }

  status(): Pick<DirectorStatus, "notifications"> {
    return { notifications: this.#outbox.counts() };
  }

  /** Resolves when everything that was said so far is on the disk, or could not be written. */
  flushed(): Promise<void> {
    return this.#outbox.flushed();
  }

  /** What the last transitions caused is finished; notices that are left wait on disk. */
  async stop(): Promise<void> {
    if (this.#stopping) this.#scripts.abort();
    this.#stopping = true;
    const scripts = this.#scripts.finished();
    const fifos = this.#fifos.map(({ output }) => output.stop(LAST_TRY_MS));
    await Promise.all([scripts, ...fifos, this.#outbox.stop(LAST_TRY_MS)]);
  }

  #configureChannels(first: boolean): void {
    const settings = this.#settings;
    if (settings === undefined) return;
    const { smtp, secrets } = settings.settings;
    const { mail } = settings.notifications;
    const node = settings.routerId;
    const wanted = { node, smtp, secrets, mail };
    const host: ChannelHost = {
      node,
      smtp,
      mail,
      secret: (text) => putSecrets(text, secrets),
      wallClock: () => this.#ports.clock.wallClock(),
    };
    if (first) this.#outbox.open(join(settings.stateDirectory, "outbox"), host);
    else if (!plainEqual(wanted, this.#channelSettings, NONE)) this.#outbox.configure(host);
    this.#channelSettings = wanted;
  }

  /** A pipe that stays the same goes on, and so does its reader. */
  #configureFifos({ notifications, balancing }: DirectorSettings): void {
    const kept = new Set<FifoInUse>();
    // keepalived's process for virtual servers, which opens it, runs only where there are some.
    const lvs = balancing.virtualServers.length > 0;
    const next = notifications.fifos
      .filter(({ events }) => events !== "lvs" || lvs)
      .map((config): FifoInUse => {
        const same = this.#fifos.find(
          (one) => !kept.has(one) && plainEqual(one.config, config, PLACES),
        );
        if (same === undefined) return { config, output: this.#openFifo(config) };
        kept.add(same);
        return same;
      });
    for (const one of this.#fifos) if (!kept.has(one)) void one.output.stop(LAST_TRY_MS);
    this.#fifos = next;
  }

  #openFifo(config: FifoConfig): FifoOutput {
    return new FifoOutput(this.#ports, config, (message) => this.#outlet.log("warn", message));
  }

  /** Answers when each of its scripts was started. */
  #tell(subject: NotifySubject, happened: Happened): readonly Promise<void>[] {
    if (this.#settings === undefined) return [];
    const { routerId, notifications } = this.#settings;
    const mailFaults = notifications.mail?.faults ?? true;
    const name = `${subject.kind} ${subject.name}`;
    return tell(happened.occurrence, subject, { routerId, mailFaults }).flatMap(
      (telling) => this.#carryOut(name, "lvs", telling, happened) ?? [],
    );
  }

  /** `except`: FIFOs that are for the other half of keepalived alone. */
  #carryOut(
    subject: string,
    except: FifoConfig["events"],
    telling: Telling<CommandConfig>,
    { at, epoch }: Pick<Happened, "at" | "epoch">,
  ): Promise<void> | undefined {
    switch (telling.kind) {
      case "script":
        return this.#scripts.start(subject, {
          command: telling.command,
          parameters: telling.arguments,
          environment: epoch === undefined ? {} : { HOLDFAST_EPOCH: epoch },
        });
      case "fifo":
        for (const { config, output } of this.#fifos) {
          if (config.events !== except) output.write(telling.line);
        }
        return undefined;
      case "mail":
        this.#mail(telling, at);
        return undefined;
    }
  }

  /** Told again after a director ended, it is the same mail to those who look at its Message-ID. */
  #mail(telling: Extract<Telling<CommandConfig>, { readonly kind: "mail" }>, at: number): void {
    const { title, text, severity } = telling;
    const mail = this.#settings?.notifications.mail;
    if (mail === undefined || mail.to.length === 0) return;
    this.#outbox.add({
      target: { kind: "mail", to: mail.to, from: mail.from },
      source: "keepalived.conf",
      title,
      text,
      severity,
      json: undefined,
      key: title,
      throttleMs: 0,
      at,
    });
  }

  #trouble(level: "info" | "warn" | "error", target: string, message: string): void {
    const at = this.#ports.clock.wallClock();
    this.#outlet.event({ at, kind: "notification", level, subject: target, message, detail: {} });
  }
}

const keyOf = ({ kind, name }: { readonly kind: string; readonly name: string }): string =>
  `${kind} ${name}`;

const NONE: ReadonlySet<string> = new Set();
/** What changes with every line above. */
const PLACES: ReadonlySet<string> = new Set(["position"]);
