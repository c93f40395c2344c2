import type { Family } from "../../../core/address.ts";
import { familyOf, isMulticast, parseAddress } from "../../../core/address.ts";
import { seconds } from "../../../core/time.ts";
import { DEFAULTS } from "../../defaults.ts";
import type { Statement, Word } from "../tree.ts";
import { lowerAddressLine } from "./address-line.ts";
import { readAdvertInterfaces } from "./advert-interfaces.ts";
import { ANNOUNCEMENT_KEYWORDS } from "./announcement.ts";
import { readAuthentication } from "./authentication.ts";
import { readFencing } from "./fencing.ts";
import { readHmac } from "./hmac.ts";
import type { ExtraInterfaces, InstanceDraft } from "./instance-draft.ts";
import type { Lowering, Said } from "./lowering.ts";
import { report } from "./lowering.ts";
import { readMandate } from "./mandate-words.ts";
import { NOTIFY_KEYWORDS, readNotify } from "./notify.ts";
import { lowerRouteLine } from "./route-line.ts";
import { lowerRuleLine } from "./rule-line.ts";
import { readTrackedChecks, TRACKED_CHECKS } from "./tracked-checks.ts";
import { readTrackInterface } from "./tracking.ts";
import { peerFamily, readPeers } from "./unicast.ts";
import {
  firstWord,
  readInterface,
  readSeconds,
  readSwitch,
  readWhole,
  reportValue,
} from "./values.ts";
import { readIpvlan, readVmac } from "./virtual-link.ts";

export type ReadInstance = (draft: InstanceDraft, statement: Statement, lowering: Lowering) => void;

/** Longest preempt_delay in seconds. */
const LONGEST_PREEMPT_DELAY = 1000;
const DAY_SECONDS = 86_400;

const toggle =
  (put: (draft: InstanceDraft, said: Said<boolean>) => void): ReadInstance =>
  (draft, statement, lowering) => {
    const said = readSwitch(statement, lowering);
    if (said !== undefined) put(draft, said);
  };

const whole =
  (
    low: number,
    high: number,
    put: (draft: InstanceDraft, said: Said<number>) => void,
  ): ReadInstance =>
  (draft, statement, lowering) => {
    const said = readWhole(statement, { low, high }, lowering);
    if (said !== undefined) put(draft, said);
  };

const says =
  (value: boolean): ReadInstance =>
  (draft, statement) => {
    draft.accept = { value, at: statement.keyword };
  };

const both =
  (...readers: readonly ReadInstance[]): ReadInstance =>
  (draft, statement, lowering) => {
    for (const read of readers) read(draft, statement, lowering);
  };

const unicast: ReadInstance = (draft, statement) => {
  draft.unicast = statement.keyword;
};

const announcement = Object.fromEntries(
  Object.entries(ANNOUNCEMENT_KEYWORDS).map(([name, read]): [string, ReadInstance] => [
    name,
    (draft, statement, lowering) => read(draft.announcement, statement, lowering),
  ]),
);

const notifications = Object.fromEntries(
  NOTIFY_KEYWORDS.map((name): [string, ReadInstance] => [
    name,
    (draft, statement, lowering) => readNotify(draft.notify, statement, draft.name, lowering),
  ]),
);

const trackedChecks = Object.fromEntries(
  TRACKED_CHECKS.map((name): [string, ReadInstance] => [
    name,
    (draft, statement, lowering) => readTrackedChecks(draft.trackers, statement, lowering),
  ]),
);

/** Every word of vrrp_instance that has an effect; the rest is reported before. */
const KEYWORDS: Readonly<Record<string, ReadInstance>> = {
  ...announcement,
  ...notifications,
  ...trackedChecks,
  accept: says(true),
  no_accept: says(false),
  advert_int: readAdvertisementInterval,
  auth_hmac: (draft, statement, lowering) => {
    draft.hmac = readHmac(statement, lowering);
  },
  authentication: (draft, statement, lowering) => {
    draft.authentication ??= { type: undefined, password: undefined };
    readAuthentication(draft.authentication, statement, lowering);
  },
  check_unicast_src: both(
    unicast,
    toggle((draft, said) => {
      draft.checkUnicastSource = said;
    }),
  ),
  dont_track_primary: (draft) => {
    draft.ignorePrimaryInterface = true;
  },
  down_timer_adverts: whole(1, 100, (draft, said) => {
    draft.downTimerAdverts = said;
  }),
  garp_extra_if: readExtraInterfaces,
  vmac_garp_intvl: readExtraInterfaces,
  higher_prio_send_advert: toggle((draft, said) => {
    draft.higherPrioSendAdvert = said;
  }),
  holdfast_advert_interface: readAdvertInterfaces,
  holdfast_drop_foreign_addresses: (draft) => {
    draft.dropForeignAddressList = true;
  },
  holdfast_fence: (draft, statement, lowering) => readMandate(draft.mandate, statement, lowering),
  holdfast_witness: (draft, statement, lowering) => readMandate(draft.mandate, statement, lowering),
  holdfast_fencing: (draft, statement, lowering) => {
    draft.fencing = readFencing(statement, lowering);
  },
  interface: (draft, statement, lowering) => {
    draft.interface = readInterface(statement, lowering);
  },
  kernel_rx_buf_size: whole(0, 0x7fff_ffff, (draft, said) => {
    draft.receiveBuffer = said;
  }),
  lower_prio_no_advert: toggle((draft, said) => {
    draft.lowerPrioNoAdvert = said;
  }),
  mcast_dst_ip: readGroup,
  mcast_src_ip: readSource,
  native_ipv6: (draft, statement, lowering) => {
    agree(draft, "ipv6", statement.keyword, lowering);
    draft.version = { value: 3, at: statement.keyword };
  },
  no_virtual_ipaddress: (draft) => {
    draft.noAddresses = true;
  },
  nopreempt: (draft, statement) => {
    draft.nopreempt = statement.keyword;
  },
  // Both spellings of the checksum are accepted on receipt, so nothing needs to be said of the old.
  old_unicast_checksum: unicast,
  owner_ignore_adverts: toggle((draft, said) => {
    draft.ownerIgnoreAdverts = said;
  }),
  preempt: (draft) => {
    draft.nopreempt = undefined;
  },
  preempt_delay: (draft, statement, lowering) => {
    draft.preemptDelay = readSeconds(statement, { low: 0, high: LONGEST_PREEMPT_DELAY }, lowering);
  },
  priority: readPriority,
  promote_secondaries: (draft, statement) => {
    draft.promoteSecondaries = statement.keyword;
  },
  skip_check_adv_addr: toggle((draft, said) => {
    draft.skipAddressListCheck = said;
  }),
  state: readState,
  strict_mode: toggle((draft, said) => {
    draft.strict = said;
  }),
  thread_timer_expired: readTimerExpired,
  timer_expired_backup: readTimerExpired,
  track_interface: (draft, statement, lowering) =>
    readTrackInterface(draft.trackInterfaces, statement, lowering),
  track_src_ip: (draft, statement) => {
    draft.trackSource = statement.keyword;
  },
  unicast_fault_no_peer: both(unicast, (draft) => {
    draft.faultWithoutPeer = true;
  }),
  unicast_peer: both(unicast, readPeerBlock),
  unicast_src_ip: both(unicast, readSource),
  unicast_ttl: both(
    unicast,
    whole(0, 255, (draft, said) => {
      draft.ttl = said;
    }),
  ),
  use_ipvlan: (draft, statement, lowering) => {
    draft.virtualLink = readIpvlan(statement, lowering);
    const { address } = draft.virtualLink;
    if (address === undefined || draft.source !== undefined) return;
    if (!agree(draft, familyOf(address.value.address), address.at, lowering)) return;
    draft.source = { value: address.value.address, at: address.at };
  },
  use_vmac: (draft, statement, lowering) => {
    draft.virtualLink = readVmac(statement, lowering);
  },
  use_vmac_addr: (draft) => {
    draft.virtualLinkForAddresses = true;
  },
  v3_checksum_as_v2: toggle((draft, said) => {
    draft.checksumMessageOnly = said;
  }),
  version: (draft, statement, lowering) => {
    const said = readWhole(statement, { low: 2, high: 3 }, lowering);
    if (said !== undefined) draft.version = { value: said.value === 3 ? 3 : 2, at: said.at };
  },
  virtual_ipaddress: readAddresses,
  virtual_ipaddress_excluded: readExcluded,
  virtual_router_id: whole(1, 255, (draft, said) => {
    draft.vrid = said;
  }),
  virtual_routes: (draft, statement, lowering) => {
    for (const line of statement.block ?? []) {
      const route = lowerRouteLine(line, lowering);
      if (route !== undefined) draft.routes.push(route);
    }
  },
  virtual_rules: (draft, statement, lowering) => {
    for (const line of statement.block ?? []) {
      const rule = lowerRuleLine(line, lowering);
      if (rule !== undefined) draft.rules.push(rule);
    }
  },
  vmac_xmit_base: (draft, statement) => {
    draft.transmitOnBase = statement.keyword;
  },
  vrf: (draft, statement, lowering) => {
    draft.vrf = readInterface(statement, lowering);
  },
};

/** The first address of an instance decides its family. Answers whether this one fits. */
function agree(draft: InstanceDraft, family: Family, at: Word, lowering: Lowering): boolean {
  draft.family ??= family;
  if (draft.family === family) return true;
  report(
    lowering,
    "family-conflict",
    at,
    `${draft.name.text} is an ${draft.family} instance by what stands before; "${at.text}" is left out`,
    "use one instance for each family",
  );
  return false;
}

function readState(draft: InstanceDraft, statement: Statement, lowering: Lowering): void {
  const word = firstWord(statement, lowering);
  if (word === undefined) return;
  if (word.text === "MASTER") draft.state = { value: "MASTER", at: word };
  else if (word.text !== "BACKUP") {
    reportValue(statement, word, "MASTER or BACKUP", lowering);
    draft.state ??= { value: "BACKUP", at: word };
  } else if (draft.state?.value !== "MASTER") draft.state = { value: "BACKUP", at: word };
}

/** keepalived uses 100 where the number is wrong; so do its peers' operators expect. */
function readPriority(draft: InstanceDraft, statement: Statement, lowering: Lowering): void {
  const at = statement.words[0] ?? statement.keyword;
  draft.priority = readWhole(statement, { low: 1, high: 255 }, lowering) ?? {
    value: DEFAULTS.priority,
    at,
  };
}

/** keepalived reads 0.01 to 255 s for either version; the version's own range comes later. */
function readAdvertisementInterval(
  draft: InstanceDraft,
  statement: Statement,
  lowering: Lowering,
): void {
  const said = readSeconds(statement, { low: 0, high: 255 }, lowering);
  if (said === undefined) return;
  if (said.value > 0) draft.advertisementInterval = said;
  else reportValue(statement, said.at, "seconds above 0", lowering);
}

function readTimerExpired(draft: InstanceDraft, statement: Statement, lowering: Lowering): void {
  draft.timerExpiredBackup =
    statement.words.length === 0
      ? { value: DEFAULTS.otherPriority, at: statement.keyword }
      : readWhole(statement, { low: 1, high: 254 }, lowering);
}

function readSource(draft: InstanceDraft, statement: Statement, lowering: Lowering): void {
  const word = firstWord(statement, lowering);
  if (word === undefined) return;
  const value = parseAddress(word.text);
  if (value === undefined) {
    reportValue(statement, word, "an IPv4 or IPv6 address", lowering);
    return;
  }
  if (agree(draft, familyOf(value), word, lowering)) draft.source = { value, at: word };
}

function readGroup(draft: InstanceDraft, statement: Statement, lowering: Lowering): void {
  const word = firstWord(statement, lowering);
  if (word === undefined) return;
  const value = parseAddress(word.text);
  if (value === undefined || !isMulticast(value)) {
    report(
      lowering,
      "group-address-invalid",
      word,
      `"${word.text}" is no multicast address; the instance would talk to another group than its peers`,
      "write a multicast address such as 224.0.0.18 or ff02::12",
    );
    return;
  }
  if (agree(draft, familyOf(value), word, lowering)) draft.group = { value, at: word };
}

function readPeerBlock(draft: InstanceDraft, statement: Statement, lowering: Lowering): void {
  const before = draft.peers.length;
  readPeers(draft.peers, statement, lowering);
  const added = draft.peers.splice(before);
  for (const peer of added) {
    draft.family ??= peerFamily(peer);
    if (peerFamily(peer) === draft.family) draft.peers.push(peer);
    else {
      report(
        lowering,
        "peer-invalid",
        peer.at,
        `${draft.name.text} is an ${draft.family} instance; the peer ${peer.peer.address} would hear nothing`,
        "use one instance for each family",
      );
    }
  }
}

function readAddresses(draft: InstanceDraft, statement: Statement, lowering: Lowering): void {
  for (const line of statement.block ?? []) {
    const address = lowerAddressLine(line, lowering);
    if (address === undefined) continue;
    const family = familyOf(address.address);
    draft.family ??= family;
    if (family === draft.family) {
      draft.addresses.push({ address, at: line.keyword });
      continue;
    }
    draft.excluded.push({ address, at: line.keyword });
    report(
      lowering,
      "address-moved",
      line.keyword,
      `${draft.name.text} is an ${draft.family} instance: ${address.address} is held, but not advertised`,
      "put it into virtual_ipaddress_excluded, or into an instance of its own family",
    );
  }
}

function readExcluded(draft: InstanceDraft, statement: Statement, lowering: Lowering): void {
  for (const line of statement.block ?? []) {
    const address = lowerAddressLine(line, lowering);
    if (address !== undefined) draft.excluded.push({ address, at: line.keyword });
  }
}

function readExtraInterfaces(draft: InstanceDraft, statement: Statement, lowering: Lowering): void {
  draft.extraInterfaces = parseExtraInterfaces(statement, lowering) ?? draft.extraInterfaces;
}

/** garp_extra_if [all] SECONDS; 0 switches it off. */
export function parseExtraInterfaces(
  statement: Statement,
  lowering: Lowering,
): ExtraInterfaces | undefined {
  const all = statement.words.some(({ text }) => text === "all");
  const word = statement.words.find(({ text }) => text !== "all");
  const value = Number(/^[0-9]{1,5}$/.test(word?.text ?? "") ? word?.text : Number.NaN);
  if (value <= DAY_SECONDS) return { interval: seconds(value), all };
  reportValue(statement, word ?? statement.keyword, `[all] seconds up to ${DAY_SECONDS}`, lowering);
  return undefined;
}

/** How each word is read, by keyword. */
export const INSTANCE_KEYWORDS: ReadonlyMap<string, ReadInstance> = new Map(
  Object.entries(KEYWORDS),
);
