import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { CheckReport } from "../../agent/cli/check.ts";
import { changed, userFile } from "./users.ts";

/* `holdfast check`, as an operator runs it on the files that exist. */

const PROGRAM = join(import.meta.dirname, "../../agent/holdfast.mjs");
const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-check-`));
after(() => rmSync(folder, { recursive: true }));

const STRICT = userFile("lvs-dr-global-strict.conf");
const SCRIPTED = userFile("nginx-pair-lb02-script.conf");

/** The scripts are on no test machine, and this program is not on every one. */
const KILLALL = existsSync("/usr/bin/killall");

/** Name → text and the codes that are expected, in the file's order. */
const FILES: Readonly<Record<string, readonly [text: string, codes: readonly string[]]>> = {
  "nginx-pair-lb02-nopreempt": [userFile("nginx-pair-lb02-nopreempt.conf"), []],
  "nginx-pair-lb02-script": [SCRIPTED, ["program-refused"]],
  "lvs-dr-node1": [userFile("lvs-dr-node1.conf"), ["deprecated-keyword", "deprecated-keyword"]],
  "lvs-dr-node4": [userFile("lvs-dr-node4.conf"), ["deprecated-keyword", "deprecated-keyword"]],
  "lvs-dr-global-strict": [STRICT, []],
  "strict-in-front-of-node4": [
    STRICT + userFile("lvs-dr-node4.conf"),
    [...["strict-unreachable", "auth-ignored"], ...["deprecated-keyword", "deprecated-keyword"]],
  ],
  "mail-and-a-weighted-script": [
    changed(SCRIPTED, [
      ['"/servers/scripts/check_nginx.sh"', '"killall -0 nginx"'],
      ["interval 5", "weight -5\n    fall 2\n    rise 1\n    interval 2"],
      [
        "\tadvert_int 1",
        `\tadvert_int 1
\tnotify_master "/etc/keepalived/send_message_by_email.sh master"
\tnotify_backup "/etc/keepalived/send_message_by_email.sh backup"
\tnotify_fault "/etc/keepalived/send_message_by_email.sh fault"`,
      ],
    ]),
    Array(KILLALL ? 3 : 4).fill("program-refused"),
  ],
};

function check(file: string, ...options: readonly string[]) {
  return spawnSync(process.execPath, [PROGRAM, "check", ...options, file], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
}

describe("holdfast check on files that users have", { concurrency: 2 }, () => {
  for (const [name, [text, codes]] of Object.entries(FILES)) {
    test(`${name}: warnings at most, each with its place`, () => {
      const file = join(folder, `${name}.conf`);
      writeFileSync(file, text);
      const forPeople = check(file);
      assert.equal(forPeople.status, 0, forPeople.stderr);
      const found = [...forPeople.stdout.matchAll(/^(\S+):(\d+):(\d+): warning\[([a-z-]+)\]/gm)];
      assert.deepEqual(
        found.map(([, , , , code]) => code),
        codes,
      );
      for (const [, where, line, column] of found) {
        assert.equal(where, file);
        const said = text.split("\n")[Number(line) - 1] ?? "";
        assert.match(said.slice(Number(column) - 1), /^\S/, `${line}:${column} shows a word`);
      }
      const forPrograms = check(file, "--json", "--strict");
      const report = JSON.parse(forPrograms.stdout) as CheckReport;
      assert.equal(forPrograms.status, codes.length > 0 ? 1 : 0);
      assert.deepEqual([report.errors, report.warnings], [0, codes.length]);
    });
  }

  test("why nobody reaches the address under vrrp_strict", () => {
    const file = join(folder, "strict.conf");
    writeFileSync(file, STRICT + userFile("lvs-dr-node1.conf"));
    const { stdout } = check(file);
    assert.match(stdout, /strict mode drops every packet to 192\.168\.1\.100/);
    assert.match(stdout, /hint: remove vrrp_strict/);
  });
});
