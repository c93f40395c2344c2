import { micros } from "../../../core/time.ts";
import type {
  AnnouncementPace,
  AutomaticPriority,
  GlobalConfig,
  NetlinkReceiveBuffer,
  ReceiveBuffer,
} from "../../config.ts";
import { DEFAULT_FENCING, DEFAULTS } from "../../defaults.ts";
import { globalAnnouncement } from "./announcement.ts";
import type { GlobalDraft } from "./global-keywords.ts";
import type { Inherited } from "./inherited.ts";
import type { NameDirectories } from "./name-tables.ts";
import { NAME_DIRECTORIES } from "./name-tables.ts";
import { inheritedNotify } from "./notifications.ts";
import { completeScheduling, together } from "./scheduling.ts";
import type { ScriptRules } from "./script-rules.ts";

export function inheritedFrom(draft: GlobalDraft): Inherited {
  const on = (name: string, otherwise = false): boolean => draft.switches.get(name) ?? otherwise;
  return {
    version: draft.numbers.get("vrrp_version") === 3 ? 3 : DEFAULTS.version,
    strict: on("vrrp_strict"),
    skipAddressListCheck: on("vrrp_skip_check_adv_addr"),
    checkUnicastSource: on("vrrp_check_unicast_src"),
    checksumMessageOnly: on("v3_checksum_as_v2"),
    lowerPrioNoAdvert: on("vrrp_lower_prio_no_advert"),
    // keepalived has it off. Only this advertisement tells the new active router of us, so that it
    // announces the addresses again; without it hosts may go on believing our announcement.
    higherPrioSendAdvert: on("vrrp_higher_prio_send_advert", true),
    ownerIgnoreAdverts: on("vrrp_owner_ignore_adverts"),
    downTimerAdverts: draft.numbers.get("vrrp_down_timer_adverts") ?? DEFAULTS.downTimerAdverts,
    groupIpv4: draft.groupIpv4 ?? DEFAULTS.groupIpv4,
    groupIpv6: draft.groupIpv6 ?? DEFAULTS.groupIpv6,
    announcement: globalAnnouncement(draft.announcement),
    extraInterfaces: draft.extraInterfaces,
    startupDelay: draft.spans.get("vrrp_startup_delay") ?? micros(0),
    addressInterface: draft.texts.get("default_interface") ?? DEFAULTS.addressInterface,
    virtualLinkPrefix: draft.texts.get("vmac_prefix") ?? DEFAULTS.virtualLinkPrefix,
    addressLinkPrefix:
      draft.texts.get("vmac_addr_prefix") ??
      draft.texts.get("vmac_prefix") ??
      DEFAULTS.virtualLinkPrefix,
    receiveBuffer: receiveBuffer(draft),
    fencing: draft.fencing ?? DEFAULT_FENCING,
    witness: draft.witness,
    notify: inheritedNotify(draft),
  };
}

export const scriptRules = ({ switches, statements }: GlobalDraft): ScriptRules => ({
  security: switches.get("enable_script_security") === true,
  supplementaryGroups: switches.get("set_supplementary_groups") === true,
  user: statements.get("script_user")?.words,
});

export function nameDirectories({ texts }: GlobalDraft): NameDirectories {
  return {
    etc: texts.get("iproute_etc_dir") ?? NAME_DIRECTORIES.etc,
    usr: texts.get("iproute_usr_dir") ?? NAME_DIRECTORIES.usr,
  };
}

/** `hasSessions`: there is BFD to do; what is said of its process counts for nothing without, as in keepalived. */
export function completeGlobal(
  draft: GlobalDraft,
  hostName: string,
  hasSessions: boolean,
): GlobalConfig {
  const { texts, switches, spans, vrrpScheduling, bfdScheduling } = draft;
  const on = (name: string): boolean => switches.get(name) ?? false;
  return {
    routerId: texts.get("router_id") ?? hostName,
    netNamespace: texts.get("net_namespace"),
    instanceName: texts.get("instance"),
    usePidDirectory: on("use_pid_dir"),
    childWaitTime: spans.get("child_wait_time") ?? DEFAULTS.childWaitTime,
    processNames: processNames(draft),
    vrrpScheduling: completeScheduling(
      hasSessions ? together(vrrpScheduling, bfdScheduling) : vrrpScheduling,
    ),
    directorScheduling: completeScheduling(draft.directorScheduling),
    automaticPriority: automaticPriority(draft),
    disableLocalIgmp: on("disable_local_igmp"),
    logUnknownVrids: on("log_unknown_vrids"),
    startupDelay: spans.get("vrrp_startup_delay") ?? micros(0),
    delayAfterBoot: spans.get("vrrp_delay_after_boot") ?? micros(0),
    netlinkReceiveBuffers: {
      announcements: netlinkBuffer(draft, "vrrp_netlink_monitor_rcv_bufs"),
      answers: netlinkBuffer(draft, "vrrp_netlink_cmd_rcv_bufs"),
    },
    umask: draft.umask,
    reload: {
      timeFile: texts.get("reload_time_file"),
      repeat: on("reload_repeat"),
      lockFile: lockFile(draft),
    },
  };
}

/** process_names asks for the titles that keepalived's processes have, for who looks for them. */
function processNames({ texts, switches }: GlobalDraft): GlobalConfig["processNames"] {
  const usual = switches.get("process_names") === true;
  return {
    supervisor: texts.get("process_name") ?? (usual ? "keepalived" : undefined),
    vrrp: texts.get("vrrp_process_name") ?? (usual ? "keepalived_vrrp" : undefined),
    director:
      texts.get("checker_process_name") ??
      texts.get("lvs_process_name") ??
      (usual ? "keepalived_lvs" : undefined),
  };
}

/** The default lateness is keepalived's: a second. */
function automaticPriority({ numbers }: GlobalDraft): AutomaticPriority | undefined {
  const ceiling = numbers.get("max_auto_priority") ?? 0;
  if (ceiling <= 0) return undefined;
  return { ceiling, lateness: micros(numbers.get("min_auto_priority_delay") ?? 1_000_000) };
}

/** Zero leaves it as it is. */
function netlinkBuffer(
  { numbers, switches }: GlobalDraft,
  name: string,
): NetlinkReceiveBuffer | undefined {
  const bytes = numbers.get(name) ?? 0;
  return bytes === 0 ? undefined : { bytes, force: switches.get(`${name}_force`) === true };
}

function receiveBuffer({ receiveBufferPolicy: policy, numbers }: GlobalDraft): ReceiveBuffer {
  if (policy === "bytes") return { policy, bytes: numbers.get("vrrp_rx_bufs_policy") ?? 0 };
  if (policy === "mtu" || policy === "advertisement") {
    const multiplier = numbers.get("vrrp_rx_bufs_multiplier") ?? DEFAULTS.receiveBufferMultiplier;
    return { policy, multiplier };
  }
  return { policy: "system" };
}

function lockFile({ texts, switches }: GlobalDraft): string | undefined {
  const written = texts.get("reload_file");
  if (written !== "") return written;
  return switches.get("use_pid_dir") === true
    ? "/run/keepalived/keepalived.reload"
    : "/run/keepalived.reload";
}

/** vrrp_garp_interval and vrrp_gna_interval: the pace of every interface, each by itself. */
export function globalPace({ spans }: GlobalDraft): AnnouncementPace {
  return {
    interfaces: "*",
    arpInterval: spans.get("vrrp_garp_interval") ?? micros(0),
    naInterval: spans.get("vrrp_gna_interval") ?? micros(0),
  };
}
