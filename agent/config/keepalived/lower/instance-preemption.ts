import type { Micros } from "../../../core/time.ts";
import { micros } from "../../../core/time.ts";
import type { InstanceDraft } from "./instance-draft.ts";
import type { Identity } from "./instance-identity.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";

export interface Preemption {
  readonly preempt: boolean;
  readonly preemptDelay: Micros;
  readonly timerExpiredBackup: number | undefined;
}

/** nopreempt and preempt_delay where they can work; keepalived resets them elsewhere, too. */
export function completePreemption(
  draft: InstanceDraft,
  { priority, initialActive, strict }: Identity,
  lowering: Lowering,
): Preemption {
  const obstacle = priority === 255 ? "priority 255" : initialActive ? "state MASTER" : undefined;
  const { nopreempt } = draft;
  if (nopreempt !== undefined && obstacle !== undefined) {
    report(
      lowering,
      "preempt-conflict",
      nopreempt,
      `nopreempt does not work with ${obstacle} and is ignored: ${draft.name.text} takes its addresses back when it returns`,
      "write state BACKUP on every node",
    );
  }
  const preempt = nopreempt === undefined || obstacle !== undefined;
  const preemptDelay = completeDelay(draft, preempt, obstacle, strict, lowering);
  const expired = draft.timerExpiredBackup;
  if (expired !== undefined && preempt) {
    report(
      lowering,
      "setting-ignored",
      expired.at,
      "timer_expired_backup has an effect only together with nopreempt",
    );
  }
  return { preempt, preemptDelay, timerExpiredBackup: preempt ? undefined : expired?.value };
}

function completeDelay(
  draft: InstanceDraft,
  preempt: boolean,
  obstacle: string | undefined,
  strict: boolean,
  lowering: Lowering,
): Micros {
  const said = draft.preemptDelay;
  if (said === undefined || said.value === 0) return micros(0);
  const reason = obstacle ?? (strict ? "strict mode" : preempt ? undefined : "nopreempt");
  if (reason === undefined) return said.value;
  report(
    lowering,
    "preempt-conflict",
    said.at,
    `preempt_delay does not work with ${reason} and is ignored`,
    obstacle === "state MASTER" ? "write state BACKUP on every node" : undefined,
  );
  return micros(0);
}
