import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Occurrence, Telling, TellSubject } from "../../../agent/core/notify/tell.ts";
import { tell } from "../../../agent/core/notify/tell.ts";

const SETTINGS = { routerId: "lb1", mailFaults: true };

const everything: TellSubject<string>["notify"] = {
  active: "master.sh",
  backup: "backup.sh",
  fault: "fault.sh",
  stop: "stop.sh",
  deleted: "deleted.sh",
  any: "any.sh",
  lowerPriorityHeard: "lower.sh",
  mail: true,
  priorityChanges: true,
};

const instance: TellSubject<string> = { kind: "instance", name: "VI_1", notify: everything };
const group: TellSubject<string> = { kind: "group", name: "VG_1", notify: everything };

/** One line for each thing that is done. */
const shown = (tellings: readonly Telling<string>[]): readonly string[] =>
  tellings.map((telling) => {
    if (telling.kind === "script") return ["run", telling.command, ...telling.arguments].join(" ");
    return telling.kind === "fifo" ? telling.line : `${telling.title} | ${telling.text}`;
  });

const state = (to: "active" | "backup" | "fault", priority = 100): Occurrence => ({
  kind: "state",
  state: to,
  priority,
});

describe("what keepalived tells, in its order", () => {
  const cases: readonly [string, Occurrence, TellSubject<string>, readonly string[]][] = [
    [
      "an instance becomes active",
      state("active", 110),
      instance,
      [
        "run master.sh",
        "run any.sh INSTANCE VI_1 MASTER 110",
        'INSTANCE "VI_1" MASTER 110',
        "[lb1] VRRP Instance VI_1 - Entering MASTER state | => VRRP Instance is now owning VRRP VIPs <=",
      ],
    ],
    [
      "a group falls back",
      state("backup"),
      group,
      [
        "run backup.sh",
        "run any.sh GROUP VG_1 BACKUP 0",
        'GROUP "VG_1" BACKUP 0',
        "[lb1] VRRP Group VG_1 - Entering BACKUP state | => All VRRP group instances are now in BACKUP state <=",
      ],
    ],
    [
      "a fault",
      state("fault"),
      instance,
      [
        "run fault.sh",
        "run any.sh INSTANCE VI_1 FAULT 100",
        'INSTANCE "VI_1" FAULT 100',
        "[lb1] VRRP Instance VI_1 - Entering FAULT state | => VRRP Instance is no longer owning VRRP VIPs <=",
      ],
    ],
    [
      "a stop",
      { kind: "stop", priority: 100 },
      instance,
      [
        "run stop.sh",
        "run any.sh INSTANCE VI_1 STOP 100",
        'INSTANCE "VI_1" STOP 100',
        "[lb1] VRRP Instance VI_1 - Stopping | => VRRP Instance has stopped <=",
      ],
    ],
    [
      "a reload takes it away",
      { kind: "deleted", priority: 100 },
      instance,
      [
        "run deleted.sh",
        "run any.sh INSTANCE VI_1 DELETED 100",
        'INSTANCE "VI_1" DELETED 100',
        "[lb1] VRRP Instance VI_1 - Deleted | => VRRP Deleted at reload <=",
      ],
    ],
    [
      "its priority changes while it is active",
      { kind: "priority", active: true, priority: 90 },
      instance,
      ['INSTANCE "VI_1" MASTER_PRIORITY 90'],
    ],
    [
      "and while it is not",
      { kind: "priority", active: false, priority: 90 },
      instance,
      ['INSTANCE "VI_1" BACKUP_PRIORITY 90'],
    ],
    [
      "a lower priority is heard: notify is not run for it",
      { kind: "lower-priority-heard", priority: 100 },
      instance,
      ["run lower.sh", 'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 100'],
    ],
  ];
  for (const [name, occurrence, subject, expected] of cases) {
    test(name, () => assert.deepEqual(shown(tell(occurrence, subject, SETTINGS)), expected));
  }

  test("without notify_deleted a removal is a fault, for which notify_fault is not run", () => {
    const subject = { ...instance, notify: { ...everything, deleted: undefined } };
    assert.deepEqual(
      shown(tell({ kind: "deleted", priority: 100 }, subject, SETTINGS)).slice(0, 2),
      ["run any.sh INSTANCE VI_1 FAULT 100", 'INSTANCE "VI_1" FAULT 100'],
    );
  });

  test("notify_deleted without a script tells notify and the FIFOs", () => {
    const subject = { ...instance, notify: { ...everything, deleted: true as const } };
    assert.deepEqual(
      shown(tell({ kind: "deleted", priority: 100 }, subject, SETTINGS)).slice(0, 2),
      ["run any.sh INSTANCE VI_1 DELETED 100", 'INSTANCE "VI_1" DELETED 100'],
    );
  });

  test("no_email_faults leaves out the mail for a fault, and no other", () => {
    const settings = { ...SETTINGS, mailFaults: false };
    const kinds = (occurrence: Occurrence) =>
      tell(occurrence, instance, settings).map(({ kind }) => kind);
    assert.deepEqual(kinds(state("fault")), ["script", "script", "fifo"]);
    assert.deepEqual(kinds(state("active")), ["script", "script", "fifo", "mail"]);
  });

  test("what is not configured is not done; the FIFOs hear of each transition", () => {
    const notify = {
      ...everything,
      active: undefined,
      any: undefined,
      mail: false,
      priorityChanges: false,
    };
    const quiet = { ...instance, notify };
    assert.deepEqual(shown(tell(state("active"), quiet, SETTINGS)), ['INSTANCE "VI_1" MASTER 100']);
    assert.deepEqual(tell({ kind: "priority", active: true, priority: 1 }, quiet, SETTINGS), []);
  });
});
