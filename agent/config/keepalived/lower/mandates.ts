import { leaseOf } from "../../../core/vrrp/lease.ts";
import { OWNER_PRIORITY } from "../../../core/vrrp/virtual-router.ts";
import type { InstanceConfig } from "../../config.ts";
import type { MandateConfig } from "../../mandates.ts";
import { STORE_KEY } from "../../mandates.ts";
import type { Word } from "../tree.ts";
import type { SyncGroupDraft } from "./groups.ts";
import type { InstanceDraft } from "./instance-draft.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { WitnessWord } from "./mandate-words.ts";
import { reportKey } from "./mandate-words.ts";
import type { TrackedCheckWord } from "./tracked-checks.ts";

/** A mandate before its members are known: of a sync group, or of an instance that is in none. */
export interface MandateDraft {
  /** The word that names the group or instance. */
  readonly name: Word;
  readonly members: readonly string[];
  /** Its own; those of its members come on top. */
  readonly trackers: readonly TrackedCheckWord[];
  /** Its own, or that of global_defs; `undefined`: it needs no lease. */
  readonly witness: WitnessWord | undefined;
  readonly fences: readonly Word[];
}

/** What is to be asked for before the instances become active; `undefined`: nothing. */
export function mandateOf(
  draft: SyncGroupDraft | InstanceDraft,
  inherited: WitnessWord | undefined,
): MandateDraft | undefined {
  const { name, mandate, trackers } = draft;
  const said = mandate.witness ?? inherited;
  const witness = said?.mode === "off" ? undefined : said;
  if (witness === undefined && mandate.fences.length === 0) return undefined;
  const members = "members" in draft ? draft.members.map(({ text }) => text) : [name.text];
  return { name, members, trackers, witness, fences: mandate.fences };
}

/** Members of a group are active together, so it is the group that asks. */
export function checkOwnMandate(
  { mandate, name }: InstanceDraft,
  group: SyncGroupDraft | undefined,
  lowering: Lowering,
): void {
  if (mandate.at === undefined || group === undefined) return;
  const { file, line } = group.name.position;
  const message = `${name.text} is in the sync group ${group.name.text} (${file}:${line}), which becomes active as a whole`;
  const hint = `write ${mandate.at.text} into vrrp_sync_group ${group.name.text}`;
  report(lowering, "mandate-misplaced", mandate.at, message, hint);
}

/** `required` counts on the gate: without one, nothing ends with the lease. */
export function checkRequired(
  draft: InstanceDraft,
  { router, fencing }: InstanceConfig,
  witness: WitnessWord | undefined,
  lowering: Lowering,
): void {
  if (witness?.mode !== "required") return;
  const refuse = (at: Word, reason: string, hint: string): void => {
    const { file, line } = witness.at.position;
    const message = `${reason}: holdfast_witness required (${file}:${line}) could not hold ${router.name} to its lease`;
    report(lowering, "witness-impossible", at, message, hint);
  };
  const { advertisementInterval, downTimerAdverts, priority } = router;
  if (priority === OWNER_PRIORITY) {
    const hint = "write a lower priority on every node, or holdfast_witness advisory";
    refuse(draft.priority?.at ?? draft.name, "who has priority 255 is never behind the gate", hint);
  } else if (fencing === "off" || fencing === "lifetime") {
    const hint = "write holdfast_fencing gate, or holdfast_witness advisory";
    refuse(draft.fencing?.at ?? draft.name, `holdfast_fencing ${fencing} has no gate`, hint);
  } else if (leaseOf(advertisementInterval, downTimerAdverts) === undefined) {
    const reason = `with down_timer_adverts ${downTimerAdverts} there is no gate`;
    const hint = "write down_timer_adverts 2 or more, on every node";
    refuse(draft.downTimerAdverts?.at ?? draft.name, reason, hint);
  }
}

/** The mandates of a file, once its instances are settled. */
export function completeMandates(
  drafts: readonly MandateDraft[],
  instances: readonly InstanceConfig[],
  lowering: Lowering,
): readonly MandateConfig[] {
  if (drafts.length === 0) return [];
  const instanceOf = new Map(instances.map((instance) => [instance.router.name, instance]));
  const names = new Set<string>();
  const owners = new Map<string, Word>();
  return drafts.map((draft) => {
    const { name, members, fences } = draft;
    if (names.has(name.text)) reportSharedName(name, lowering);
    names.add(name.text);
    return {
      name: name.text,
      members,
      lease: completeLease(draft, tracksSessions(draft, instanceOf), owners, lowering),
      fences: fences.map(({ text }) => text),
    };
  });
}

function reportSharedName(name: Word, lowering: Lowering): void {
  const message = `a vrrp_sync_group and a vrrp_instance outside it are both named ${name.text}; nobody could tell whose mandate is meant`;
  report(lowering, "name-duplicate", name, message, "give each its own name");
}

function completeLease(
  { name, witness }: MandateDraft,
  hasSessions: boolean,
  owners: Map<string, Word>,
  lowering: Lowering,
): MandateConfig["lease"] {
  if (witness === undefined || witness.mode === "off") return undefined;
  const { key: written, mode, failsafe } = witness;
  if (written === undefined && !STORE_KEY.test(name.text)) reportKey(name, lowering);
  const key = written?.text ?? name.text;
  const other = owners.get(key);
  if (other !== undefined) {
    const message = `${other.text} has the lease "${key}" already; with ${name.text} only one of them could be active`;
    report(lowering, "witness-invalid", written ?? name, message, "give each its own lease");
  } else owners.set(key, name);
  if (failsafe !== undefined && mode === "required" && !hasSessions) {
    const message = `failsafe of ${name.text} goes by the BFD sessions that its instances track, and they track none`;
    const hint = "write track_bfd { SESSION }, or remove failsafe";
    report(lowering, "witness-invalid", failsafe, message, hint);
  }
  return { mode, key, failsafe: failsafe !== undefined };
}

const tracksSessions = (
  { members, trackers }: MandateDraft,
  instanceOf: ReadonlyMap<string, InstanceConfig>,
): boolean =>
  [
    ...trackers.map(({ tracked }) => tracked),
    ...members.flatMap((member) => instanceOf.get(member)?.trackers ?? []),
  ].some(({ tracker }) => tracker.startsWith("track_bfd "));
