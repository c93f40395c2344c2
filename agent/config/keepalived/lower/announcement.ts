import type { Micros } from "../../../core/time.ts";
import { micros } from "../../../core/time.ts";
import type { AnnouncementPolicy } from "../../../core/vrrp/virtual-router.ts";
import { DEFAULT_ANNOUNCEMENT } from "../../defaults.ts";
import type { Statement } from "../tree.ts";
import type { Lowering, Said } from "./lowering.ts";
import { report } from "./lowering.ts";
import { readSeconds, readSwitch, readWhole } from "./values.ts";

/** What garp_* or vrrp_garp_* said. */
export interface AnnouncementDraft {
  repeat?: Said<number> | undefined;
  delay?: Said<Micros> | undefined;
  refreshInterval?: Said<Micros> | undefined;
  refreshRepeat?: Said<number> | undefined;
  lowerPriorityRepeat?: Said<number> | undefined;
  lowerPriorityDelay?: Said<Micros> | undefined;
}

type Read = (draft: AnnouncementDraft, statement: Statement, lowering: Lowering) => void;

const COUNT = { low: 0, high: 0xffff_ffff };
const SPAN = { low: 0, high: 4294 };
const LONG_SPAN = { low: 0, high: 0xffff_ffff };

/** keepalived sends at least one frame, also where the file says 0. */
function atLeastOne(
  statement: Statement,
  said: Said<number> | undefined,
  lowering: Lowering,
): Said<number> | undefined {
  if (said === undefined || said.value > 0) return said;
  report(
    lowering,
    "value-adjusted",
    said.at,
    `${statement.keyword.text} is at least 1; 1 is used`,
    "write 1",
  );
  return { value: 1, at: said.at };
}

/** The words without `vrrp_`, which global_defs puts before them. */
export const ANNOUNCEMENT_KEYWORDS: Readonly<Record<string, Read>> = {
  garp_master_delay: (draft, statement, lowering) => {
    draft.delay = readSeconds(statement, SPAN, lowering);
  },
  garp_master_repeat: (draft, statement, lowering) => {
    draft.repeat = atLeastOne(statement, readWhole(statement, COUNT, lowering), lowering);
  },
  garp_master_refresh: (draft, statement, lowering) => {
    draft.refreshInterval = readSeconds(statement, LONG_SPAN, lowering);
  },
  garp_master_refresh_repeat: (draft, statement, lowering) => {
    draft.refreshRepeat = atLeastOne(statement, readWhole(statement, COUNT, lowering), lowering);
  },
  garp_lower_prio_delay: (draft, statement, lowering) => {
    draft.lowerPriorityDelay = readSeconds(statement, SPAN, lowering);
  },
  garp_lower_prio_repeat: (draft, statement, lowering) => {
    draft.lowerPriorityRepeat = readWhole(statement, COUNT, lowering);
  },
};

/** vrrp_min_garp: a single frame and nothing later; words after it may say more. */
export function readMinimalAnnouncement(
  draft: AnnouncementDraft,
  statement: Statement,
  lowering: Lowering,
): void {
  const said = readSwitch(statement, lowering);
  if (said?.value !== true) return;
  draft.repeat = { value: 1, at: said.at };
  draft.delay = { value: micros(0), at: said.at };
  draft.refreshInterval = { value: micros(0), at: said.at };
  draft.refreshRepeat = { value: 1, at: said.at };
}

/** What instances inherit. After a lower priority the same as after becoming active. */
export function globalAnnouncement(draft: AnnouncementDraft): AnnouncementPolicy {
  const repeat = draft.repeat?.value ?? DEFAULT_ANNOUNCEMENT.repeat;
  const delay = draft.delay?.value ?? DEFAULT_ANNOUNCEMENT.delay;
  return {
    repeat,
    delay,
    refreshInterval: draft.refreshInterval?.value ?? DEFAULT_ANNOUNCEMENT.refreshInterval,
    refreshRepeat: draft.refreshRepeat?.value ?? DEFAULT_ANNOUNCEMENT.refreshRepeat,
    lowerPriorityRepeat: draft.lowerPriorityRepeat?.value ?? repeat,
    lowerPriorityDelay: draft.lowerPriorityDelay?.value ?? delay,
  };
}

/** One instance's policy. Strict mode announces nothing after a lower priority. */
export function instanceAnnouncement(
  draft: AnnouncementDraft,
  inherited: AnnouncementPolicy,
  strict: boolean,
  lowering: Lowering,
): AnnouncementPolicy {
  if (strict) reportStrict(draft, lowering);
  else if (isSilent(draft)) return inherited;
  return {
    repeat: draft.repeat?.value ?? inherited.repeat,
    delay: draft.delay?.value ?? inherited.delay,
    refreshInterval: draft.refreshInterval?.value ?? inherited.refreshInterval,
    refreshRepeat: draft.refreshRepeat?.value ?? inherited.refreshRepeat,
    lowerPriorityRepeat: strict
      ? 0
      : (draft.lowerPriorityRepeat?.value ?? inherited.lowerPriorityRepeat),
    lowerPriorityDelay: strict
      ? micros(0)
      : (draft.lowerPriorityDelay?.value ?? inherited.lowerPriorityDelay),
  };
}

function isSilent(draft: AnnouncementDraft): boolean {
  for (const _ in draft) return false;
  return true;
}

function reportStrict(draft: AnnouncementDraft, lowering: Lowering): void {
  for (const said of [draft.lowerPriorityRepeat, draft.lowerPriorityDelay]) {
    if (said === undefined || said.value === 0) continue;
    report(
      lowering,
      "strict-override",
      said.at,
      "strict mode announces nothing after a lower-priority advertisement; 0 is used",
    );
  }
}
