import type { Severity } from "./notice.ts";

// What keepalived tells of a virtual router, to whom, and in which order. Measured against 2.2.7.

/** What happened to an instance or a group. */
export type Occurrence =
  | { readonly kind: "state"; readonly state: ToldState; readonly priority: number }
  | { readonly kind: "stop"; readonly priority: number }
  /** A reload took it away. */
  | { readonly kind: "deleted"; readonly priority: number }
  | { readonly kind: "priority"; readonly active: boolean; readonly priority: number }
  /** While active it heard a router of lower priority. */
  | { readonly kind: "lower-priority-heard"; readonly priority: number };

export type ToldState = "active" | "backup" | "fault";

/** Who it happened to, and what its configuration wants told; `Command` is whatever names a program. */
export interface TellSubject<Command> {
  readonly kind: "instance" | "group";
  readonly name: string;
  readonly notify: {
    readonly active: Command | undefined;
    readonly backup: Command | undefined;
    readonly fault: Command | undefined;
    readonly stop: Command | undefined;
    readonly deleted: Command | true | undefined;
    readonly any: Command | undefined;
    readonly lowerPriorityHeard: Command | undefined;
    readonly mail: boolean;
    readonly priorityChanges: boolean;
  };
}

export interface TellSettings {
  readonly routerId: string;
  /** Mail for a transition to FAULT. */
  readonly mailFaults: boolean;
}

/** One thing to be done, in the order of the list it is in. */
export type Telling<Command> =
  | { readonly kind: "script"; readonly command: Command; readonly arguments: readonly string[] }
  /** A line for every FIFO that hears of such, without its line feed. */
  | { readonly kind: "fifo"; readonly line: string }
  | {
      readonly kind: "mail";
      readonly title: string;
      readonly text: string;
      readonly severity: Severity;
    };

/** keepalived's words. */
type Word = "MASTER" | "BACKUP" | "FAULT" | "STOP" | "DELETED";

interface Told<Command> {
  readonly word: Word;
  readonly own: Command | undefined;
  /** What the title of the mail ends with; `undefined`: no mail. */
  readonly title: string | undefined;
  readonly severity: Severity;
}

/** Everything that an occurrence causes: the script of the state, notify, the FIFOs, then mail. */
export function tell<Command>(
  occurrence: Occurrence,
  subject: TellSubject<Command>,
  settings: TellSettings,
): readonly Telling<Command>[] {
  const { notify } = subject;
  const priority = subject.kind === "group" ? 0 : occurrence.priority;
  const line = (word: string): Telling<Command> => ({
    kind: "fifo",
    line: `${subjectWord(subject)} "${subject.name}" ${word} ${priority}`,
  });
  if (occurrence.kind === "priority") {
    if (!notify.priorityChanges) return [];
    return [line(occurrence.active ? "MASTER_PRIORITY" : "BACKUP_PRIORITY")];
  }
  if (occurrence.kind === "lower-priority-heard") {
    return [...scripts(notify.lowerPriorityHeard, []), line("MASTER_RX_LOWER_PRI")];
  }
  const { word, own, title, severity } = toldOf(occurrence, subject, settings);
  const mail: readonly Telling<Command>[] =
    notify.mail && title !== undefined
      ? [
          {
            kind: "mail",
            title: `[${settings.routerId}] ${mailName(subject)} - ${title}`,
            text: `=> ${MEANING[word][subject.kind]} <=`,
            severity,
          },
        ]
      : [];
  const parameters = [subjectWord(subject), subject.name, word, String(priority)];
  return [...scripts(own, []), ...scripts(notify.any, parameters), line(word), ...mail];
}

function toldOf<Command>(
  occurrence: Extract<Occurrence, { readonly kind: "state" | "stop" | "deleted" }>,
  { notify }: TellSubject<Command>,
  { mailFaults }: TellSettings,
): Told<Command> {
  const { active, backup, fault, stop, deleted } = notify;
  const faultTitle = mailFaults ? "Entering FAULT state" : undefined;
  if (occurrence.kind === "stop") {
    return { word: "STOP", own: stop, title: "Stopping", severity: "warning" };
  }
  if (occurrence.kind === "deleted") {
    // Without notify_deleted it is told as a fault, though notify_fault is not run for it.
    if (deleted === undefined) {
      return { word: "FAULT", own: undefined, title: faultTitle, severity: "warning" };
    }
    const own = deleted === true ? undefined : deleted;
    return { word: "DELETED", own, title: "Deleted", severity: "info" };
  }
  switch (occurrence.state) {
    case "active":
      return { word: "MASTER", own: active, title: "Entering MASTER state", severity: "info" };
    case "backup":
      return { word: "BACKUP", own: backup, title: "Entering BACKUP state", severity: "info" };
    case "fault":
      return { word: "FAULT", own: fault, title: faultTitle, severity: "critical" };
  }
}

const scripts = <Command>(
  command: Command | undefined,
  parameters: readonly string[],
): readonly Telling<Command>[] =>
  command === undefined ? [] : [{ kind: "script", command, arguments: parameters }];

const subjectWord = ({ kind }: Pick<TellSubject<unknown>, "kind">): string =>
  kind === "group" ? "GROUP" : "INSTANCE";

const mailName = ({ kind, name }: Pick<TellSubject<unknown>, "kind" | "name">): string =>
  kind === "group" ? `VRRP Group ${name}` : `VRRP Instance ${name}`;

const LEFT = "VRRP Instance is no longer owning VRRP VIPs";
const groupIn = (word: Word): string => `All VRRP group instances are now in ${word} state`;

/** What mail says of each word; those who filter mail look for keepalived's own lines. */
const MEANING: Readonly<Record<Word, Readonly<Record<"instance" | "group", string>>>> = {
  MASTER: { instance: "VRRP Instance is now owning VRRP VIPs", group: groupIn("MASTER") },
  BACKUP: { instance: LEFT, group: groupIn("BACKUP") },
  FAULT: { instance: LEFT, group: groupIn("FAULT") },
  STOP: { instance: "VRRP Instance has stopped", group: "VRRP group has stopped" },
  DELETED: { instance: "VRRP Deleted at reload", group: "VRRP group deleted at reload" },
};
