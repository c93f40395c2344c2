import type { IpAddress } from "../../../core/address.ts";
import { isMulticast, parseAddress } from "../../../core/address.ts";
import type { Micros } from "../../../core/time.ts";
import type { ReceiveBuffer } from "../../config.ts";
import { DEFAULTS } from "../../defaults.ts";
import type { FencingMode } from "../../fencing.ts";
import type { Statement, Word } from "../tree.ts";
import type { AnnouncementDraft } from "./announcement.ts";
import { ANNOUNCEMENT_KEYWORDS, readMinimalAnnouncement } from "./announcement.ts";
import { readFencing } from "./fencing.ts";
import type { ExtraInterfaces } from "./instance-draft.ts";
import { parseExtraInterfaces } from "./instance-keywords.ts";
import { parseWhole } from "./literals.ts";
import type { Lowering, Said } from "./lowering.ts";
import { report, wordsOf } from "./lowering.ts";
import type { WitnessWord } from "./mandate-words.ts";
import { readGlobalWitness } from "./mandate-words.ts";
import type { SchedulingDraft } from "./scheduling.ts";
import {
  firstWord,
  readInterface,
  readSeconds,
  readSwitch,
  readText,
  readWhole,
  reportValue,
} from "./values.ts";

/** What global_defs and the roots beside it said. */
export interface GlobalDraft {
  readonly announcement: AnnouncementDraft;
  readonly vrrpScheduling: SchedulingDraft;
  /** Of the process that keepalived has for BFD; here it is the first one's work. */
  readonly bfdScheduling: SchedulingDraft;
  readonly directorScheduling: SchedulingDraft;
  readonly texts: Map<string, string>;
  readonly switches: Map<string, boolean>;
  readonly numbers: Map<string, number>;
  readonly spans: Map<string, Micros>;
  /** Words whose meaning depends on others of global_defs. */
  readonly statements: Map<string, Statement>;
  /** notification_email. */
  readonly recipients: Word[];
  groupIpv4?: IpAddress;
  groupIpv6?: IpAddress;
  extraInterfaces?: ExtraInterfaces | undefined;
  receiveBufferPolicy?: ReceiveBuffer["policy"];
  umask?: number;
  fencing?: FencingMode | undefined;
  witness?: WitnessWord | undefined;
}

export const emptyGlobal = (): GlobalDraft => ({
  announcement: {},
  vrrpScheduling: {},
  bfdScheduling: {},
  directorScheduling: {},
  texts: new Map(),
  switches: new Map(),
  numbers: new Map(),
  spans: new Map(),
  statements: new Map(),
  recipients: [],
});

export type ReadGlobal = (draft: GlobalDraft, statement: Statement, lowering: Lowering) => void;

const put =
  <Value>(
    into: (draft: GlobalDraft) => Map<string, Value>,
    read: (statement: Statement, lowering: Lowering) => Said<Value> | undefined,
  ): ReadGlobal =>
  (draft, statement, lowering) => {
    const said = read(statement, lowering);
    if (said !== undefined) into(draft).set(statement.keyword.text, said.value);
  };

const text = put((draft) => draft.texts, readText);
const toggle = put((draft) => draft.switches, readSwitch);
const whole = (low: number, high: number): ReadGlobal =>
  put(
    (draft) => draft.numbers,
    (statement, lowering) => readWhole(statement, { low, high }, lowering),
  );
const span = (low: number, high: number): ReadGlobal =>
  put(
    (draft) => draft.spans,
    (statement, lowering) => readSeconds(statement, { low, high }, lowering),
  );

const group =
  (key: "groupIpv4" | "groupIpv6"): ReadGlobal =>
  (draft, statement, lowering) => {
    const word = firstWord(statement, lowering);
    if (word === undefined) return;
    const address = parseAddress(word.text);
    const isIpv6 = address?.includes(":") === true;
    if (address !== undefined && isMulticast(address) && isIpv6 === (key === "groupIpv6")) {
      draft[key] = address;
      return;
    }
    report(
      lowering,
      "group-address-invalid",
      word,
      `"${word.text}" is no ${key === "groupIpv6" ? "IPv6" : "IPv4"} multicast address; instances would talk to another group than their peers`,
      key === "groupIpv6"
        ? "write an address such as ff02::12"
        : "write an address such as 224.0.0.18",
    );
  };

const keep: ReadGlobal = (draft, statement) => {
  draft.statements.set(statement.keyword.text, statement);
};

/** A switch whose place is told when it has no effect. */
const keptToggle: ReadGlobal = (draft, statement, lowering) => {
  keep(draft, statement, lowering);
  toggle(draft, statement, lowering);
};

type Process = "vrrpScheduling" | "bfdScheduling" | "directorScheduling";

/** Below the least, the kernel would kill the process in its ordinary work. */
const realtimeLimit =
  (process: Process): ReadGlobal =>
  (draft, statement, lowering) => {
    const said = readWhole(statement, { low: 1, high: 0x7fff_ffff }, lowering);
    if (said === undefined) return;
    const least = DEFAULTS.leastRealtimeLimit;
    if (said.value < least) {
      report(
        lowering,
        "value-adjusted",
        said.at,
        `${statement.keyword.text} ${said.value} would kill the process in its ordinary work: ${least} µs are used`,
        `write ${least} or more`,
      );
    }
    draft[process].realtimeLimit = Math.max(least, said.value);
  };

const scheduling = (prefix: string, process: Process): Readonly<Record<string, ReadGlobal>> => {
  const number =
    (key: "nice" | "realtimePriority", low: number, high: number): ReadGlobal =>
    (draft, statement, lowering) => {
      const said = readWhole(statement, { low, high }, lowering);
      if (said !== undefined) draft[process][key] = said.value;
    };
  return {
    [`${prefix}_priority`]: number("nice", -20, 19),
    [`${prefix}_rt_priority`]: number("realtimePriority", 1, 99),
    [`${prefix}_rlimit_rttime`]: realtimeLimit(process),
    [`${prefix}_rlimit_rtime`]: realtimeLimit(process),
    [`${prefix}_no_swap`]: (draft) => {
      draft[process].noSwap = true;
    },
    [`${prefix}_cpu_affinity`]: (draft, statement, lowering) => {
      const processors = statement.words.flatMap((word) => {
        const number = parseWhole(word.text, 0, 4095);
        if (number === undefined) reportValue(statement, word, "numbers of processors", lowering);
        return number ?? [];
      });
      if (processors.length > 0) draft[process].cpuAffinity = processors;
    },
  };
};

const announcement = Object.fromEntries(
  Object.entries(ANNOUNCEMENT_KEYWORDS).map(([name, read]): [string, ReadGlobal] => [
    `vrrp_${name}`,
    (draft, statement, lowering) => read(draft.announcement, statement, lowering),
  ]),
);

const extraInterfaces: ReadGlobal = (draft, statement, lowering) => {
  draft.extraInterfaces = parseExtraInterfaces(statement, lowering) ?? draft.extraInterfaces;
};

const interfaceName = put((draft) => draft.texts, readInterface);

/** Longest pace of announcements in seconds: keepalived's 32 bits of microseconds. */
const LONGEST_PACE = 4294;
const LONGEST_DELAY = 86_400;
/** Seconds that a startup or shutdown script may take. */
const LONGEST_SCRIPT = 1_000;

/** The part of global_defs that virtual routers need, and the roots that stand beside it. */
const KEYWORDS: Readonly<Record<string, ReadGlobal>> = {
  ...announcement,
  ...scheduling("vrrp", "vrrpScheduling"),
  ...scheduling("bfd", "bfdScheduling"),
  ...scheduling("checker", "directorScheduling"),
  checker_log_all_failures: toggle,
  checker_process_name: text,
  child_wait_time: span(0, LONGEST_DELAY),
  default_interface: interfaceName,
  disable_local_igmp: toggle,
  enable_script_security: toggle,
  holdfast_witness: (draft, statement, lowering) => {
    draft.witness = readGlobalWitness(statement, lowering);
  },
  holdfast_fencing: (draft, statement, lowering) => {
    draft.fencing = readFencing(statement, lowering)?.value;
  },
  instance: text,
  iproute_etc_dir: text,
  iproute_usr_dir: text,
  log_unknown_vrids: toggle,
  lvs_flush: toggle,
  lvs_flush_on_stop: keep,
  lvs_flush_onstop: keep,
  lvs_notify_fifo: keep,
  lvs_notify_fifo_script: keep,
  lvs_process_name: text,
  lvs_sync_daemon: keep,
  lvs_timeouts: keep,
  max_auto_priority: (draft, statement, lowering) => {
    if (statement.words.length > 0) whole(-1, 99)(draft, statement, lowering);
    else draft.numbers.set("max_auto_priority", 99);
  },
  min_auto_priority_delay: whole(0, 10_000_000),
  net_namespace: text,
  net_namespace_ipvs: keep,
  no_checker_emails: toggle,
  no_email_faults: toggle,
  notification_email: (draft, statement) => {
    draft.recipients.push(...(statement.block ?? []).flatMap(wordsOf));
  },
  notification_email_from: text,
  notify_fifo: keep,
  notify_fifo_script: keep,
  process_name: text,
  process_names: toggle,
  reload_file: (draft, statement) => {
    draft.texts.set("reload_file", statement.words[0]?.text ?? "");
  },
  reload_repeat: toggle,
  reload_time_file: text,
  router_id: text,
  rs_init_notifies: toggle,
  script_user: keep,
  set_supplementary_groups: toggle,
  shutdown_script: keep,
  shutdown_script_timeout: whole(1, LONGEST_SCRIPT),
  smtp_alert: keptToggle,
  smtp_alert_checker: keptToggle,
  smtp_alert_vrrp: keptToggle,
  smtp_connect_timeout: span(0, LONGEST_PACE),
  smtp_helo_name: text,
  smtp_server: keep,
  startup_script: keep,
  startup_script_timeout: whole(1, LONGEST_SCRIPT),
  umask: readUmask,
  use_pid_dir: toggle,
  v3_checksum_as_v2: toggle,
  vmac_addr_prefix: interfaceName,
  vmac_prefix: interfaceName,
  vrrp_check_unicast_src: toggle,
  vrrp_delay_after_boot: span(0, LONGEST_DELAY),
  vrrp_down_timer_adverts: whole(1, 100),
  vrrp_garp_extra_if: extraInterfaces,
  vrrp_garp_interval: span(0, LONGEST_PACE),
  vrrp_gna_interval: span(0, LONGEST_PACE),
  vrrp_higher_prio_send_advert: toggle,
  vrrp_lower_prio_no_advert: toggle,
  vrrp_mcast_group4: group("groupIpv4"),
  vrrp_mcast_group6: group("groupIpv6"),
  vrrp_min_garp: (draft, statement, lowering) =>
    readMinimalAnnouncement(draft.announcement, statement, lowering),
  vrrp_netlink_cmd_rcv_bufs: whole(0, 0x7fff_ffff),
  vrrp_netlink_cmd_rcv_bufs_force: toggle,
  vrrp_netlink_monitor_rcv_bufs: whole(0, 0x7fff_ffff),
  vrrp_netlink_monitor_rcv_bufs_force: toggle,
  vrrp_notify_fifo: keep,
  vrrp_notify_fifo_script: keep,
  vrrp_notify_priority_changes: toggle,
  vrrp_owner_ignore_adverts: toggle,
  vrrp_process_name: text,
  vrrp_rx_bufs_multiplier: whole(1, 0xffff),
  vrrp_rx_bufs_policy: readReceiveBufferPolicy,
  vrrp_skip_check_adv_addr: toggle,
  vrrp_startup_delay: span(0, LONGEST_DELAY),
  vrrp_strict: toggle,
  vrrp_version: whole(2, 3),
  vrrp_vmac_garp_intvl: extraInterfaces,
};

function readReceiveBufferPolicy(
  draft: GlobalDraft,
  statement: Statement,
  lowering: Lowering,
): void {
  const word = firstWord(statement, lowering);
  if (word === undefined) return;
  const bytes = parseWhole(word.text, 1, 0x7fff_ffff);
  if (word.text === "MTU") draft.receiveBufferPolicy = "mtu";
  else if (word.text === "ADVERT") draft.receiveBufferPolicy = "advertisement";
  else if (bytes !== undefined) {
    draft.receiveBufferPolicy = "bytes";
    draft.numbers.set(statement.keyword.text, bytes);
  } else reportValue(statement, word, "MTU, ADVERT or a number of bytes", lowering);
}

const PERMISSION: Readonly<Record<string, number>> = {
  IRUSR: 0o400,
  IWUSR: 0o200,
  IXUSR: 0o100,
  IRGRP: 0o040,
  IWGRP: 0o020,
  IXGRP: 0o010,
  IROTH: 0o004,
  IWOTH: 0o002,
  IXOTH: 0o001,
};

/** A number, octal with a leading 0, or names joined by `|`. */
function readUmask(draft: GlobalDraft, statement: Statement, lowering: Lowering): void {
  const word = firstWord(statement, lowering);
  if (word === undefined) return;
  const text = statement.words.map((each) => each.text).join("");
  const number = /^0[0-7]*$/.test(text) ? Number.parseInt(text, 8) : parseWhole(text, 0, 0o777);
  const bits = number ?? permissionBits(text.split("|"));
  if (bits === undefined || bits > 0o777) {
    reportValue(statement, word, "a mode such as 022, or IRGRP|IWGRP", lowering);
    return;
  }
  draft.umask = bits;
}

function permissionBits(names: readonly string[]): number | undefined {
  let bits = 0;
  for (const name of names) {
    const bit = Object.hasOwn(PERMISSION, name) ? PERMISSION[name] : undefined;
    if (bit === undefined) return undefined;
    bits |= bit;
  }
  return bits;
}

/** How each word is read, by keyword. */
export const GLOBAL_KEYWORDS: ReadonlyMap<string, ReadGlobal> = new Map(Object.entries(KEYWORDS));
