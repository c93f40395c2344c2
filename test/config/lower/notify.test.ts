import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NO_NOTIFY } from "../../../agent/config/notifications.ts";
import { at, brief, configOf, instanceOf, instanceText, load } from "./lowered.ts";

const FILES = { "/bin/tell": "", "/bin/read": "" };

const command = (line: number, column: number, argv: readonly string[], runAs?: unknown) => ({
  position: { file: "k.conf", line, column },
  argv,
  runAs,
});

describe("notifications of an instance", () => {
  const WORDS: readonly (readonly [string, string])[] = [
    ["notify", "any"],
    ["notify_master", "active"],
    ["notify_backup", "backup"],
    ["notify_fault", "fault"],
    ["notify_stop", "stop"],
    ["notify_deleted", "deleted"],
    ["notify_master_rx_lower_pri", "lowerPriorityHeard"],
  ];
  for (const [word, member] of WORDS) {
    test(`${word}: a command, and who runs it`, () => {
      const { notify } = instanceOf(`${word} "/bin/tell a 'b c'" checker adm`, "", FILES);
      const runAs = { uid: 1000, gid: 4, groups: [] };
      const told = command(2, word.length + 2, ["/bin/tell", "a", "b c"], runAs);
      assert.deepEqual(notify, { ...NO_NOTIFY, [member]: told });
    });
  }

  test("notify_deleted alone: DELETED is told, by nobody of its own", () => {
    assert.equal(instanceOf("notify_deleted", "", FILES).notify.deleted, true);
    const { config, diagnostics } = load(instanceText("notify_deleted /bin/nothing"));
    assert.equal(at(config, "instances.0.notify.deleted"), true);
    assert.deepEqual(brief(diagnostics), ["2:16 program-refused"]);
  });

  test("of two scripts the first counts, as in keepalived", () => {
    const { notify } = instanceOf("notify /bin/tell\nnotify /bin/read", "", FILES);
    assert.deepEqual(notify.any?.argv, ["/bin/tell"]);
  });

  test("a script that cannot run is a warning that says so", () => {
    const { config, diagnostics } = load(instanceText("notify_master /bin/nothing"));
    assert.deepEqual(brief(diagnostics), ["2:15 program-refused"]);
    assert.match(diagnostics[0]?.message ?? "", /^notify_master of VI: .* it will not run$/);
    assert.deepEqual(at(config, "instances.0.notify"), NO_NOTIFY);
  });

  const MAIL = "smtp_server 192.0.2.9\nnotification_email {\na@example.org\n}\n";
  const global = (lines: string): string => `global_defs {\n${MAIL}${lines}\n}\n`;

  test("smtp_alert: its own, else smtp_alert_vrrp, else smtp_alert", () => {
    const table: readonly [own: string, all: string, boolean][] = [
      ["", "", false],
      ["smtp_alert", "", true],
      ["smtp_alert off", "smtp_alert", false],
      ["", "smtp_alert", true],
      ["", "smtp_alert\nsmtp_alert_vrrp off", false],
      ["", "smtp_alert off\nsmtp_alert_vrrp on", true],
    ];
    for (const [own, all, mail] of table) {
      assert.equal(instanceOf(own, global(all)).notify.mail, mail, `${own} ${all}`);
    }
  });

  test("notify_priority_changes: its own, else that of all", () => {
    const all = "global_defs {\nvrrp_notify_priority_changes\n}\n";
    assert.equal(instanceOf("", all).notify.priorityChanges, true);
    assert.equal(instanceOf("notify_priority_changes off", all).notify.priorityChanges, false);
    assert.equal(instanceOf("notify_priority_changes").notify.priorityChanges, true);
  });

  test("groups have the same words", () => {
    const text = `${global("smtp_alert_vrrp")}vrrp_sync_group G {\ngroup {\nVI\n}\nnotify_master /bin/tell\nnotify_backup /bin/tell\nnotify_fault /bin/tell\nnotify_stop /bin/tell\nnotify /bin/tell\nnotify_priority_changes\n}\n${instanceText("smtp_alert off")}`;
    const notify = configOf(text, FILES).syncGroups[0]?.notify;
    assert.deepEqual(notify?.active?.argv, ["/bin/tell"]);
    assert.deepEqual(notify?.any?.position, { file: "k.conf", line: 16, column: 8 });
    for (const occasion of ["backup", "fault", "stop"] as const) assert.ok(notify?.[occasion]);
    assert.equal(notify?.mail, true);
    assert.equal(notify?.priorityChanges, true);
  });
});

describe("notifications of all", () => {
  const global = (lines: string) => load(`global_defs {\n${lines}\n}\n`, FILES);
  const MAIL = "notification_email {\na@example.org b@example.org\nc@example.org\n}\n";
  const USUAL = {
    from: "root@main.example.org",
    to: ["a@example.org", "b@example.org", "c@example.org"],
    server: { host: "mx", port: 25 },
    heloName: undefined,
    connectTimeout: 30_000_000,
    faults: true,
  };

  const MAILS: readonly (readonly [string, object])[] = [
    ["smtp_server mx", {}],
    ["smtp_server mx 2525", { server: { host: "mx", port: 2525 } }],
    ["smtp_server mx\nnotification_email_from k@example.org", { from: "k@example.org" }],
    ["smtp_server mx\nsmtp_helo_name me.example.org", { heloName: "me.example.org" }],
    ["smtp_server mx\nsmtp_connect_timeout 5", { connectTimeout: 5_000_000 }],
    ["smtp_server mx\nno_email_faults", { faults: false }],
  ];
  for (const [lines, difference] of MAILS) {
    test(lines.split("\n").at(-1) ?? "", () => {
      const { config, diagnostics } = global(MAIL + lines);
      assert.deepEqual(brief(diagnostics), []);
      assert.deepEqual(config?.notifications.mail, { ...USUAL, ...difference });
    });
  }

  test("recipients without a server, and alerts without recipients, are said", () => {
    assert.deepEqual(brief(global(MAIL).diagnostics), ["2:1 mail-server-missing"]);
    assert.deepEqual(brief(global("smtp_alert").diagnostics), ["2:1 setting-ignored"]);
    assert.equal(global("smtp_server mx").config?.notifications.mail, undefined);
  });

  test("the smtp block of holdfast.conf is a server too", () => {
    const files = { "/etc/holdfast/holdfast.conf": "smtp {\nhost localhost\n}\n" };
    const { config, diagnostics } = load(`global_defs {\n${MAIL}}\n`, files);
    assert.deepEqual(brief(diagnostics), []);
    assert.equal(config?.notifications.mail?.server, undefined);
  });

  test("named pipes: events, owner and reader", () => {
    const { config, diagnostics } = global(
      'notify_fifo /run/all\nnotify_fifo_script "/bin/read x" checker\nvrrp_notify_fifo /run/vrrp checker adm\nvrrp_notify_fifo_script /bin/read\nlvs_notify_fifo /run/lvs\nlvs_notify_fifo_script /bin/read',
    );
    assert.deepEqual(brief(diagnostics), []);
    const runAs = { uid: 1000, gid: 100, groups: [] };
    assert.deepEqual(config?.notifications.fifos, [
      {
        path: "/run/all",
        events: "all",
        owner: undefined,
        script: command(3, 20, ["/bin/read", "x"], runAs),
      },
      {
        path: "/run/vrrp",
        events: "vrrp",
        owner: { uid: 1000, gid: 4 },
        script: command(5, 25, ["/bin/read"]),
      },
      {
        path: "/run/lvs",
        events: "lvs",
        owner: undefined,
        script: command(7, 24, ["/bin/read"]),
      },
    ]);
  });

  const FIFOS: readonly (readonly [string, readonly string[]])[] = [
    ["notify_fifo run/all", ["2:13 value-invalid"]],
    ["notify_fifo_script /bin/read", ["2:1 setting-ignored"]],
    ["notify_fifo /run/a\nvrrp_notify_fifo /run/a", ["3:18 setting-ignored"]],
    ["notify_fifo /run/a ghost", ["2:20 program-refused"]],
    ["notify_fifo /run/a\nnotify_fifo_script /bin/nothing", ["3:20 program-refused"]],
  ];
  for (const [lines, findings] of FIFOS) {
    test(lines, () => assert.deepEqual(brief(global(lines).diagnostics), findings));
  }

  test("startup_script and shutdown_script, and how long they may take", () => {
    const { config, diagnostics } = global(
      'startup_script "/bin/tell up"\nshutdown_script /bin/tell checker\nshutdown_script_timeout 20',
    );
    assert.deepEqual(brief(diagnostics), []);
    const { startupScript, shutdownScript } = config?.notifications ?? {};
    assert.deepEqual(startupScript?.command.argv, ["/bin/tell", "up"]);
    assert.equal(startupScript?.timeout, 10_000_000);
    assert.equal(shutdownScript?.command.runAs?.uid, 1000);
    assert.equal(shutdownScript?.timeout, 20_000_000);
    const timed = global("startup_script /bin/tell\nstartup_script_timeout 3").config;
    assert.equal(timed?.notifications.startupScript?.timeout, 3_000_000);
  });
});
