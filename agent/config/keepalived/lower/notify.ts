import type { NotifyConfig } from "../../notifications.ts";
import { NO_NOTIFY } from "../../notifications.ts";
import type { CommandConfig } from "../../trackers.ts";
import type { Statement, Word } from "../tree.ts";
import { readCommand } from "./command.ts";
import type { Lowering } from "./lowering.ts";
import { readSwitch } from "./values.ts";

/** What global_defs says for every instance and group that does not say it itself. */
export interface InheritedNotify {
  readonly mail: boolean;
  readonly priorityChanges: boolean;
}

type Occasion = Exclude<keyof NotifyConfig, "mail" | "priorityChanges">;

const OCCASIONS: Readonly<Record<string, Occasion>> = {
  notify: "any",
  notify_backup: "backup",
  notify_deleted: "deleted",
  notify_fault: "fault",
  notify_master: "active",
  notify_master_rx_lower_pri: "lowerPriorityHeard",
  notify_stop: "stop",
};

export const NOTIFY_KEYWORDS: readonly string[] = [
  ...Object.keys(OCCASIONS),
  "notify_priority_changes",
  "smtp_alert",
];

/** What an instance or a group said of its notifications. */
export interface NotifyDraft {
  readonly commands: Map<Occasion, CommandConfig | true>;
  mail?: boolean | undefined;
  priorityChanges?: boolean | undefined;
}

export const emptyNotify = (): NotifyDraft => ({ commands: new Map() });

/** Reads one of `NOTIFY_KEYWORDS`. */
export function readNotify(
  draft: NotifyDraft,
  statement: Statement,
  owner: Word,
  lowering: Lowering,
): void {
  const keyword = statement.keyword.text;
  const occasion = OCCASIONS[keyword];
  if (occasion !== undefined) readOccasion(draft, occasion, statement, owner, lowering);
  else if (keyword === "smtp_alert") draft.mail = readSwitch(statement, lowering)?.value;
  else draft.priorityChanges = readSwitch(statement, lowering)?.value;
}

function readOccasion(
  draft: NotifyDraft,
  occasion: Occasion,
  statement: Statement,
  owner: Word,
  lowering: Lowering,
): void {
  // As in keepalived, the first one counts.
  if (typeof draft.commands.get(occasion) === "object") return;
  const [at, ...user] = statement.words;
  // Without a script, it is a matter of what the others are told.
  if (occasion === "deleted") draft.commands.set(occasion, true);
  if (at === undefined) return;
  const outcome = readCommand(
    { at, user, owner: `${statement.keyword.text} of ${owner.text}`, otherwise: "it will not run" },
    lowering,
  );
  if (outcome.ok) draft.commands.set(occasion, outcome.command);
}

export function completeNotify(draft: NotifyDraft, inherited: InheritedNotify): NotifyConfig {
  const { commands } = draft;
  const mail = draft.mail ?? inherited.mail;
  const priorityChanges = draft.priorityChanges ?? inherited.priorityChanges;
  if (commands.size === 0 && !mail && !priorityChanges) return NO_NOTIFY;
  const command = (occasion: Occasion): CommandConfig | undefined => {
    const said = commands.get(occasion);
    return said === true ? undefined : said;
  };
  return {
    active: command("active"),
    backup: command("backup"),
    fault: command("fault"),
    stop: command("stop"),
    deleted: commands.get("deleted"),
    any: command("any"),
    lowerPriorityHeard: command("lowerPriorityHeard"),
    mail,
    priorityChanges,
  };
}
