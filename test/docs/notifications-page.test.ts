import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { GLOBAL_KEYWORDS } from "../../agent/config/keepalived/lower/global-keywords.ts";
import { NOTIFY_KEYWORDS } from "../../agent/config/keepalived/lower/notify.ts";
import { loadConfig } from "../../agent/config/load.ts";
import { NO_NOTIFY } from "../../agent/config/notifications.ts";
import type { Notice } from "../../agent/core/notify/notice.ts";
import type { Occurrence } from "../../agent/core/notify/tell.ts";
import { tell } from "../../agent/core/notify/tell.ts";
import { tellQuorum, tellServer } from "../../agent/core/notify/tell-service.ts";
import { PRESET_NAMES, presetOf } from "../../plugins/webhook/presets.ts";
import { memoryHost } from "../config/language/memory-host.ts";
import { codeBlocks } from "./code-blocks.ts";

// What docs/notifications.md says is what is told.

const PAGE = "docs/notifications.md";
const text = readFileSync(PAGE, "utf8");
const [configuration] = codeBlocks(PAGE).filter((block) => block.text.startsWith("# keepalived."));
assert.ok(configuration !== undefined);

/** The first cells of the table under this heading, each as the words in it. */
const firstCells = (heading: string): readonly (readonly string[])[] => {
  const [, table = ""] = text.split(`| ${heading} |`);
  const rows = (table.split("\n\n")[0] ?? "").split("\n").slice(2);
  return rows.map((row) => wordsIn(row.split("|")[1] ?? ""));
};

const wordsIn = (cell: string): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);

const scripts = [...configuration.text.matchAll(/\/etc\/keepalived\/\w+\.sh/g)].map(String);

const host = memoryHost(Object.fromEntries(scripts.map((path) => [path, "#!/bin/sh\n"])), {
  user: (name) => ({ uid: name === "root" ? 0 : 33, gid: name === "root" ? 0 : 33, groups: [] }),
});

test("the page is no longer than one wants to read", () => {
  assert.ok(text.split("\n").length <= 151);
});

test("its keepalived.conf is read without a finding, and does what the page says", () => {
  const { config, diagnostics } = loadConfig({ file: "k.conf", text: configuration.text }, host);
  assert.deepEqual(diagnostics, []);
  const [instance] = config?.instances ?? [];
  assert.deepEqual(instance?.notify.active?.argv, ["/etc/keepalived/master.sh", "two words"]);
  assert.equal(instance?.notify.active?.runAs?.uid, 33);
  assert.deepEqual(instance?.notify.any?.argv, ["/etc/keepalived/notify.sh"]);
  assert.equal(instance?.notify.deleted, true);
  assert.ok(instance.notify.mail && instance.notify.priorityChanges);
  const { mail, fifos, startupScript, shutdownScript } = config?.notifications ?? {};
  assert.equal(mail?.faults, false);
  assert.equal(mail.heloName, "lb1.example.org");
  assert.deepEqual(mail.server, { host: "127.0.0.1", port: 25 });
  assert.deepEqual(fifos?.[0]?.script?.argv, ["/etc/keepalived/reader.sh", "lb1"]);
  assert.ok(startupScript !== undefined && shutdownScript !== undefined);
});

test("every word of notifications is on the page, and every word on it is one", () => {
  const documented = firstCells("word").flat();
  const all = [
    ...NOTIFY_KEYWORDS,
    ...[...GLOBAL_KEYWORDS.keys()].filter((word) =>
      /notify_(fifo|priority)|(?<!checker_)email|^smtp_alert(_vrrp)?$|^(startup|shutdown)_script/.test(
        word,
      ),
    ),
  ];
  assert.deepEqual(
    all.filter((word) => !text.includes(`\`${word}\``) && !configuration.text.includes(word)),
    [],
  );
  assert.deepEqual(
    documented.filter((word) => !all.includes(word)),
    [],
  );
});

describe("what is told", () => {
  const subject = (kind: "instance" | "group", name: string) => ({
    kind,
    name,
    notify: { ...NO_NOTIFY, mail: true, priorityChanges: true },
  });
  const VI_1 = subject("instance", "VI_1");
  const ROWS: readonly (readonly [Occurrence, ReturnType<typeof subject>, RegExp?])[] = [
    [{ kind: "state", state: "active", priority: 100 }, VI_1],
    [{ kind: "priority", active: true, priority: 90 }, VI_1],
    [{ kind: "lower-priority-heard", priority: 100 }, VI_1],
    [{ kind: "state", state: "active", priority: 100 }, subject("group", "web")],
  ];
  const told = ROWS.flatMap(([occurrence, about]) =>
    tell(occurrence, about, { routerId: "lb1", mailFaults: true }),
  );

  test("the lines of a FIFO are those of the page", () => {
    const lines = told.flatMap((telling) => (telling.kind === "fifo" ? [telling.line] : []));
    assert.ok(text.includes(`\`\`\`\n${lines.join("\n")}\n\`\`\``), lines.join("\n"));
  });

  test("so are those of virtual servers", () => {
    const down = { up: false, reason: "" };
    const silent = { mail: false, notifyUp: undefined, notifyDown: undefined };
    const quorum = { quorum: 1, hysteresis: 0, quorumUp: undefined, quorumDown: undefined };
    const service = { name: "[192.0.2.1]:tcp:80", mail: false, ...quorum };
    const server = { name: "[10.0.0.1]:tcp:80", ...silent };
    const change = { up: false, weight: 0, threshold: 1, when: "later" } as const;
    const both = [
      ...tellQuorum(service, change, "lb1"),
      ...tellServer(server, service, down, "lb1"),
    ];
    for (const telling of both) {
      assert.ok(telling.kind === "fifo" && text.includes(`\`${telling.line}\``));
    }
    assert.equal(both.length, 2);
  });

  test("so is the subject of mail", () => {
    const [title = ""] = told.flatMap((telling) =>
      telling.kind === "mail" ? [telling.title] : [],
    );
    assert.ok(text.includes(`\`${title}\``), title);
  });
});

describe("presets", () => {
  test("are all on the page", () => {
    assert.deepEqual(firstCells("preset").flat(), PRESET_NAMES);
  });

  const notice: Notice = {
    target: { kind: "syslog" },
    source: "policy test",
    title: "title",
    text: "text",
    severity: "warning",
    json: undefined,
    key: "key",
    throttleMs: 0,
    at: 0,
  };
  for (const [name = "", url = ""] of [...text.matchAll(/^\| `(\w+)` \| `(https:[^`]+)`/gm)].map(
    ([, ...cells]) => cells,
  )) {
    test(`${name} takes the address that the page shows`, () => {
      const preset = presetOf(name);
      const written = new URL(url.replaceAll(/\$\{secret:\w+\}|…/g, "x-secret"));
      for (const need of preset?.needs ?? []) assert.ok(written.searchParams.has(need), need);
      const context = { node: "lb1", now: 0, sign: () => "" };
      const request = preset?.request(notice, written, context);
      assert.match(request?.url.href ?? "", /^https:/);
    });
  }
});
