import { seconds } from "../../../core/time.ts";
import type {
  FifoConfig,
  MailConfig,
  NotificationConfig,
  TimedCommand,
} from "../../notifications.ts";
import type { CommandConfig } from "../../trackers.ts";
import type { Statement } from "../tree.ts";
import { readCommand } from "./command.ts";
import type { GlobalDraft } from "./global-keywords.ts";
import { parseWhole } from "./literals.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { InheritedNotify } from "./notify.ts";
import { reportValue } from "./values.ts";

const DEFAULT_SCRIPT_TIMEOUT = seconds(10);
const DEFAULT_CONNECT_TIMEOUT = seconds(30);
const SMTP_PORT = 25;

/** smtp_alert_vrrp stands before smtp_alert. */
export const inheritedNotify = ({ switches }: GlobalDraft): InheritedNotify => ({
  mail: switches.get("smtp_alert_vrrp") ?? switches.get("smtp_alert") ?? false,
  priorityChanges: switches.get("vrrp_notify_priority_changes") ?? false,
});

/** What global_defs says of notifications and of scripts, once all of it is known. */
export function lowerNotifications(draft: GlobalDraft, lowering: Lowering): NotificationConfig {
  return {
    fifos: lowerFifos(draft, lowering),
    mail: lowerMail(draft, lowering),
    startupScript: timedCommand("startup_script", draft, lowering),
    shutdownScript: timedCommand("shutdown_script", draft, lowering),
  };
}

const FIFOS: readonly (readonly [keyword: string, events: FifoConfig["events"]])[] = [
  ["notify_fifo", "all"],
  ["vrrp_notify_fifo", "vrrp"],
  ["lvs_notify_fifo", "lvs"],
];

function lowerFifos({ statements }: GlobalDraft, lowering: Lowering): readonly FifoConfig[] {
  const taken = new Map<string, string>();
  return FIFOS.flatMap(([keyword, events]): readonly FifoConfig[] => {
    const statement = statements.get(keyword);
    const script = statements.get(`${keyword}_script`);
    const path = statement && fifoPath(statement, taken, lowering);
    if (statement === undefined || path === undefined) {
      if (script === undefined) return [];
      const message = `${keyword}_script reads nothing without a usable ${keyword}`;
      report(lowering, "setting-ignored", script.keyword, message, `write ${keyword} /path`);
      return [];
    }
    taken.set(path, keyword);
    const command = script && globalCommand(script, lowering);
    return [{ path, events, owner: fifoOwner(statement, lowering), script: command }];
  });
}

function fifoPath(
  statement: Statement,
  taken: ReadonlyMap<string, string>,
  lowering: Lowering,
): string | undefined {
  const word = statement.words[0];
  if (word === undefined) return undefined;
  if (!word.text.startsWith("/")) {
    reportValue(statement, word, "an absolute path", lowering);
    return undefined;
  }
  const before = taken.get(word.text);
  if (before === undefined) return word.text;
  const message = `${before} writes to ${word.text} already`;
  report(lowering, "setting-ignored", word, message, "give each its own path");
  return undefined;
}

function fifoOwner({ words }: Statement, lowering: Lowering): FifoConfig["owner"] {
  const [, ...user] = words;
  const [at] = user;
  if (at === undefined) return undefined;
  const found = lowering.commands.users.find(user);
  if (found.ok) return found.runAs && { uid: found.runAs.uid, gid: found.runAs.gid };
  const message = `${found.reason}; the pipe is the agent's own`;
  report(lowering, "program-refused", at, message, found.hint);
  return undefined;
}

function globalCommand(statement: Statement, lowering: Lowering): CommandConfig | undefined {
  const [at, ...user] = statement.words;
  if (at === undefined) return undefined;
  const outcome = readCommand(
    { at, user, owner: statement.keyword.text, otherwise: "it will not run" },
    lowering,
  );
  return outcome.ok ? outcome.command : undefined;
}

function timedCommand(
  keyword: "startup_script" | "shutdown_script",
  { statements, numbers }: GlobalDraft,
  lowering: Lowering,
): TimedCommand | undefined {
  const statement = statements.get(keyword);
  const command = statement && globalCommand(statement, lowering);
  if (command === undefined) return undefined;
  const said = numbers.get(`${keyword}_timeout`);
  return { command, timeout: said === undefined ? DEFAULT_SCRIPT_TIMEOUT : seconds(said) };
}

function lowerMail(draft: GlobalDraft, lowering: Lowering): MailConfig | undefined {
  const { recipients, texts, spans } = draft;
  const server = smtpServer(draft.statements.get("smtp_server"), lowering);
  if (recipients.length === 0) {
    const asked = ["smtp_alert", "smtp_alert_vrrp", "smtp_alert_checker"].find((word) =>
      draft.switches.get(word),
    );
    const at = asked === undefined ? undefined : draft.statements.get(asked)?.keyword;
    if (at !== undefined) {
      const message = `${at.text} tells nobody without notification_email`;
      report(lowering, "setting-ignored", at, message, "write notification_email { ADDRESS }");
    }
    return undefined;
  }
  return {
    from: texts.get("notification_email_from") ?? `root@${lowering.host.hostName}`,
    to: recipients.map(({ text }) => text),
    server,
    heloName: texts.get("smtp_helo_name"),
    connectTimeout: spans.get("smtp_connect_timeout") ?? DEFAULT_CONNECT_TIMEOUT,
    faults: draft.switches.get("no_email_faults") !== true,
  };
}

/** smtp_server HOST [PORT]. */
function smtpServer(statement: Statement | undefined, lowering: Lowering): MailConfig["server"] {
  const [host, port] = statement?.words ?? [];
  if (statement === undefined || host === undefined) return undefined;
  if (port === undefined) return { host: host.text, port: SMTP_PORT };
  const number = parseWhole(port.text, 1, 65_535);
  if (number === undefined) reportValue(statement, port, "a host, and a port", lowering);
  return { host: host.text, port: number ?? SMTP_PORT };
}
