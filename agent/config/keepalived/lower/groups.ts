import type { Micros } from "../../../core/time.ts";
import type { AnnouncementPace, InterfaceDelay, SyncGroupConfig } from "../../config.ts";
import type { Statement, Word } from "../tree.ts";
import { parseSeconds } from "./literals.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { MandateWords } from "./mandate-words.ts";
import { emptyMandate, MANDATE_KEYWORDS, readMandate } from "./mandate-words.ts";
import type { InheritedNotify, NotifyDraft } from "./notify.ts";
import { completeNotify, emptyNotify, NOTIFY_KEYWORDS, readNotify } from "./notify.ts";
import type { TrackedCheckWord } from "./tracked-checks.ts";
import { readTrackedChecks, TRACKED_CHECKS } from "./tracked-checks.ts";
import type { TrackedWord } from "./tracking.ts";
import { readTrackInterface } from "./tracking.ts";
import { interfaceWord, readSeconds, readSwitch } from "./values.ts";
import { reportInGroup } from "./weights.ts";

/** Several names on a line count as well as one on each. */
export const namesIn = (statement: Statement): readonly Word[] =>
  (statement.block ?? []).flatMap((line) => [line.keyword, ...line.words]);

export interface SyncGroupDraft {
  readonly name: Word;
  readonly members: Word[];
  readonly trackInterfaces: TrackedWord[];
  readonly trackers: TrackedCheckWord[];
  readonly notify: NotifyDraft;
  readonly mandate: MandateWords;
  weightedTracking: boolean;
}

const NOTIFIES: ReadonlySet<string> = new Set(NOTIFY_KEYWORDS);
const MANDATES: ReadonlySet<string> = new Set(MANDATE_KEYWORDS);
const CHECKS: ReadonlySet<string> = new Set(TRACKED_CHECKS);

/** vrrp_sync_group NAME { group { … } … }. */
export function readSyncGroup(
  name: Word,
  statement: Statement,
  lowering: Lowering,
): SyncGroupDraft {
  const draft: SyncGroupDraft = {
    name,
    members: [],
    trackInterfaces: [],
    trackers: [],
    notify: emptyNotify(),
    mandate: emptyMandate(),
    weightedTracking: false,
  };
  for (const line of statement.block ?? []) readGroupLine(draft, line, lowering);
  if (!draft.weightedTracking) {
    reportInGroup([...draft.trackInterfaces, ...draft.trackers], name.text, lowering);
  }
  return draft;
}

function readGroupLine(draft: SyncGroupDraft, line: Statement, lowering: Lowering): void {
  const keyword = line.keyword.text;
  if (CHECKS.has(keyword)) readTrackedChecks(draft.trackers, line, lowering);
  else if (NOTIFIES.has(keyword)) readNotify(draft.notify, line, draft.name, lowering);
  else if (MANDATES.has(keyword)) readMandate(draft.mandate, line, lowering);
  else if (keyword === "group") draft.members.push(...namesIn(line));
  else if (keyword === "track_interface") readTrackInterface(draft.trackInterfaces, line, lowering);
  else if (keyword === "global_tracking") draft.weightedTracking = true;
  else if (keyword === "sync_group_tracking_weight") {
    draft.weightedTracking = readSwitch(line, lowering)?.value ?? false;
  }
}

export const completeSyncGroup = (
  draft: SyncGroupDraft,
  inherited: InheritedNotify,
): SyncGroupConfig => ({
  position: draft.name.position,
  name: draft.name.text,
  members: draft.members.map(({ text }) => text),
  trackInterfaces: draft.trackInterfaces.map(({ tracked }) => tracked),
  trackers: draft.trackers.map(({ tracked }) => tracked),
  notify: completeNotify(draft.notify, inherited),
  weightedTracking: draft.weightedTracking,
});

/** Longest pace of announcements in seconds. */
const LONGEST_PACE = 4294;

/** garp_group { garp_interval S, gna_interval S, interface NAME, interfaces { … } }. */
export function lowerGarpGroup(
  statement: Statement,
  otherwise: AnnouncementPace,
  taken: Set<string>,
  lowering: Lowering,
): AnnouncementPace | undefined {
  const interfaces: string[] = [];
  let { arpInterval, naInterval } = otherwise;
  const pace = (line: Statement): Micros | undefined =>
    readSeconds(line, { low: 0, high: LONGEST_PACE }, lowering)?.value;
  for (const line of statement.block ?? []) {
    const keyword = line.keyword.text;
    if (keyword === "garp_interval") arpInterval = pace(line) ?? arpInterval;
    else if (keyword === "gna_interval") naInterval = pace(line) ?? naInterval;
    else for (const word of interfacesIn(line)) claim(word, interfaces, taken, lowering);
  }
  if (interfaces.length > 0) return { interfaces, arpInterval, naInterval };
  report(
    lowering,
    "setting-ignored",
    statement.keyword,
    "a garp_group without interface paces nothing",
  );
  return undefined;
}

/** `interface NAME`, or `interfaces { NAME … }`. */
function interfacesIn(line: Statement): readonly Word[] {
  if (line.keyword.text === "interface") return line.words.slice(0, 1);
  return line.keyword.text === "interfaces" ? namesIn(line) : [];
}

function claim(word: Word, interfaces: string[], taken: Set<string>, lowering: Lowering): void {
  if (interfaceWord(word, lowering) === undefined) return;
  if (!taken.has(word.text)) {
    taken.add(word.text);
    interfaces.push(word.text);
    return;
  }
  report(lowering, "setting-ignored", word, `${word.text} is in a garp_group already`);
}

/** Longest delay of a link in seconds. */
const LONGEST_DELAY = 255;

export interface DelayWord {
  readonly delay: InterfaceDelay;
  readonly at: Word;
}

/** interface_up_down_delays { NAME DOWN [UP] … }. */
export function readInterfaceDelays(
  statement: Statement,
  taken: Set<string>,
  lowering: Lowering,
): readonly DelayWord[] {
  return (statement.block ?? []).flatMap((line): readonly DelayWord[] => {
    const name = interfaceWord(line.keyword, lowering)?.value;
    if (name === undefined) return [];
    if (taken.has(name)) {
      report(lowering, "setting-ignored", line.keyword, `the delays of ${name} are given already`);
      return [];
    }
    const down = readDelay(line, line.words[0], lowering);
    const up =
      line.words[1] === undefined ? parseSeconds("0") : readDelay(line, line.words[1], lowering);
    if (down === undefined || up === undefined) return [];
    taken.add(name);
    return [{ delay: { interface: name, down, up }, at: line.words[0] ?? line.keyword }];
  });
}

function readDelay(line: Statement, word: Word | undefined, lowering: Lowering) {
  const value = parseSeconds(word?.text ?? "");
  if (value !== undefined && value <= LONGEST_DELAY * 1_000_000) return value;
  report(
    lowering,
    "value-invalid",
    word ?? line.keyword,
    `the delays of ${line.keyword.text} are seconds from 0 to ${LONGEST_DELAY}: down, and up if wanted; the line has no effect`,
    "write NAME DOWN [UP]",
  );
  return undefined;
}
