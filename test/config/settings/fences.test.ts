import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seconds } from "../../../agent/core/time.ts";
import { ownSettings, PRIVATE } from "./own-settings.ts";

const AGENT = "/usr/sbin/fence_apc";
const SECRET = "/etc/holdfast/secrets/pdu";
const load = (lines: string) =>
  ownSettings(`fence pdu1 {\n${lines}\n}\nsecret s ${SECRET}\n`, [AGENT], { [SECRET]: PRIVATE });

describe("fence devices", () => {
  test("a program is enough", () => {
    const { settings, findings } = load(`program ${AGENT}`);
    assert.deepEqual(findings, []);
    const [{ position, ...fence } = assert.fail()] = settings.fences;
    assert.equal(position.line, 1);
    assert.deepEqual(fence, {
      name: "pdu1",
      program: AGENT,
      action: "off",
      options: [],
      secretOptions: [],
      timeout: seconds(30),
    });
  });

  test("options keep their order, and secrets stay names", () => {
    const { settings, findings } = load(
      `program ${AGENT}\noption ip 10.0.0.9\noption plug "port 3"\noption_secret password s\naction reboot\ntimeout 12.5`,
    );
    assert.deepEqual(findings, []);
    const [fence] = settings.fences;
    assert.deepEqual(fence?.options, [
      { name: "ip", value: "10.0.0.9" },
      { name: "plug", value: "port 3" },
    ]);
    assert.deepEqual(fence?.secretOptions, [{ name: "password", secret: "s" }]);
    assert.deepEqual([fence?.action, fence?.timeout], ["reboot", seconds(12.5)]);
  });

  const REFUSED: Readonly<Record<string, readonly [lines: string, finding: string]>> = {
    "no program": ["action off", "1:7 fence-invalid"],
    "a program without its path": ["program fence_apc", "2:9 fence-invalid"],
    "a program that is not there": ["program /usr/sbin/fence_none", "2:9 fence-invalid"],
    "an option without a value": [`program ${AGENT}\noption ip`, "3:1 missing-argument"],
    "an option that would be another line": [`program ${AGENT}\noption a=b 1`, "3:8 fence-invalid"],
    "action as an option": [`program ${AGENT}\noption action on`, "3:8 fence-invalid"],
    "an option twice": [`program ${AGENT}\noption ip 1\noption_secret ip s`, "4:15 fence-invalid"],
    "an unknown secret": [`program ${AGENT}\noption_secret password t`, "3:24 secret-invalid"],
    "a reference in an option": [
      `program ${AGENT}\noption password ${"$"}{secret:s}`,
      "3:17 fence-invalid",
    ],
    "a misspelt word": [`program ${AGENT}\ntimout 5`, "3:1 essential-unknown"],
    "no time at all": [`program ${AGENT}\ntimeout 0`, "3:9 essential-value"],
  };
  for (const [name, [lines, finding]] of Object.entries(REFUSED)) {
    test(`refused: ${name}`, () => {
      const { findings, settings } = load(lines);
      assert.ok(findings.includes(finding), findings.join("\n"));
      assert.deepEqual(settings.fences, []);
    });
  }

  test("two devices have two names", () => {
    const text = `fence a {\nprogram ${AGENT}\n}\nfence a {\nprogram ${AGENT}\n}\n`;
    assert.deepEqual(ownSettings(text, [AGENT]).findings, ["4:7 name-duplicate"]);
  });

  test("an agent that others than root can change is refused, with the command that ends it", () => {
    const program = `fence a {\nprogram ${AGENT}\n}\n`;
    const rows = [
      [{ mode: 0o757 }, /chmod go-w/],
      [{ mode: 0o775, gid: 100 }, /chmod go-w/],
      [{ mode: 0o755, uid: 1_000 }, /chown root/],
    ] as const;
    for (const [rights, hint] of rows) {
      const { diagnostics, findings } = ownSettings(program, [], {
        [AGENT]: { ...PRIVATE, ...rights },
      });
      assert.deepEqual(findings, ["2:9 fence-exposed"]);
      assert.match(diagnostics[0]?.hint ?? "", hint);
    }
    const { findings } = ownSettings(program, [], { [AGENT]: { ...PRIVATE, mode: 0o644 } });
    assert.deepEqual(findings, ["2:9 fence-invalid"]);
  });

  test("a password that stands in the file is warned of, and not repeated", () => {
    const { diagnostics, findings, settings } = load(`program ${AGENT}\noption passwd hunter2`);
    assert.deepEqual(findings, ["3:8 fence-secret-plain"]);
    assert.doesNotMatch(JSON.stringify(diagnostics), /hunter2/);
    assert.equal(settings.fences.length, 1);
  });
});
