import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { brief, instanceOf, instanceText, load } from "./lowered.ts";

const block = (...lines: readonly string[]): string => `authentication {\n${lines.join("\n")}\n}`;
const hmac = (...lines: readonly string[]): string => `auth_hmac {\n${lines.join("\n")}\n}`;

const TEXT_KEY = "an-ascii-key-of-32-bytes-or-more";
const HEX_KEY = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const FILES = { "/etc/keepalived/key": `${TEXT_KEY}\n` };

const asHex = (text: string): string => Buffer.from(text).toString("hex");

describe("authentication", () => {
  const KINDS: readonly (readonly [lines: string, wanted: object])[] = [
    [block("auth_type PASS", "auth_pass 1111"), { kind: "pass", password: "1111" }],
    [block("auth_pass 1111", "auth_type AH"), { kind: "ah", password: "1111" }],
    [block("auth_type PASS", "auth_pass 123456789"), { kind: "pass", password: "12345678" }],
    [block("auth_type PASS", "auth_pass 1234567é"), { kind: "pass", password: "1234567é" }],
    [block("auth_type PASS", 'auth_pass "a b"'), { kind: "pass", password: "a b" }],
    [block("auth_type PASS;", "auth_pass 1111"), { kind: "none" }],
    [`version 3\n${block("auth_type PASS", "auth_pass 1111")}`, { kind: "none" }],
    [`strict_mode\n${block("auth_type PASS", "auth_pass 1111")}`, { kind: "none" }],
  ];
  for (const [lines, wanted] of KINDS) {
    test(lines.replaceAll("\n", " "), () =>
      assert.deepEqual(instanceOf(lines).authentication, wanted),
    );
  }

  test("AH starts as backup below priority 255", () => {
    const ah = block("auth_type AH", "auth_pass 1111");
    assert.equal(instanceOf(`state MASTER\npriority 200\n${ah}`).router.initialActive, false);
    assert.equal(instanceOf(`priority 255\n${ah}`).router.initialActive, true);
  });

  const FINDINGS: readonly (readonly [lines: string, finding: string, refused: boolean])[] = [
    [block("auth_type PASS"), "3:11 auth-invalid", true],
    [block("auth_type MD5", "auth_pass 1"), "3:11 essential-value", true],
    [block("auth_type PASS;", "auth_pass 1"), "3:11 trailing-semicolon", false],
    [block("auth_type PASS", "auth_pass 123456789"), "4:11 auth-password-cut", false],
    [block("auth_pass 1111"), "3:11 auth-ignored", false],
    [
      `virtual_ipaddress { fe80::1 }\n${block("auth_type AH", "auth_pass 1")}`,
      "4:11 auth-ignored",
      false,
    ],
  ];
  for (const [lines, finding, refused] of FINDINGS) {
    test(`${lines.replaceAll("\n", " ")} gives ${finding}`, () => {
      const { config, diagnostics } = load(instanceText(lines));
      assert.deepEqual(brief(diagnostics), [finding]);
      assert.equal(config === undefined, refused);
    });
  }

  test("no finding shows a password", () => {
    const { diagnostics } = load(instanceText(block("auth_type PASS", "auth_pass secret789")));
    assert.doesNotMatch(JSON.stringify(diagnostics), /secret/);
  });
});

describe("auth_hmac", () => {
  const whole = {
    kind: "hmac",
    keys: [{ id: 1, secret: HEX_KEY }],
    activeKey: 1,
    timeWindow: 5_000_000,
    antiReplay: "time",
    mode: "enforce",
  };
  const KINDS: readonly (readonly [lines: string, wanted: object])[] = [
    [hmac(`key 1 hex:${HEX_KEY}`, "active_key 1"), whole],
    [
      hmac(`key 1 ${TEXT_KEY}`, "active_key 1"),
      { ...whole, keys: [{ id: 1, secret: asHex(TEXT_KEY) }] },
    ],
    [
      hmac("key 1 file:/etc/keepalived/key", "active_key 1"),
      { ...whole, keys: [{ id: 1, secret: asHex(TEXT_KEY) }] },
    ],
    [
      hmac(`key 7 hex:${HEX_KEY}`, `key 9 ${TEXT_KEY}`, "active_key 9"),
      {
        ...whole,
        activeKey: 9,
        keys: [
          { id: 7, secret: HEX_KEY },
          { id: 9, secret: asHex(TEXT_KEY) },
        ],
      },
    ],
    [
      hmac(
        `key 1 hex:${HEX_KEY}`,
        "active_key 1",
        "time_window 30",
        "anti_replay monotonic",
        "mode permissive",
      ),
      { ...whole, timeWindow: 30_000_000, antiReplay: "monotonic", mode: "permissive" },
    ],
    [
      `advert_int 10\n${hmac(`key 1 hex:${HEX_KEY}`, "active_key 1")}`,
      { ...whole, timeWindow: 30_000_000 },
    ],
  ];
  for (const [lines, wanted] of KINDS) {
    test(lines.replaceAll("\n", " "), () =>
      assert.deepEqual(instanceOf(lines, "", FILES).authentication, wanted),
    );
  }

  const REFUSED: readonly (readonly [lines: string, place: string])[] = [
    [hmac(`key 1 hex:${HEX_KEY}`, "active_key 2"), "4:12"],
    [hmac(`key 1 hex:${HEX_KEY}`), "2:1"],
    [hmac("key 1 short", "active_key 1"), "3:7"],
    [hmac("key 1 hex:abc", "active_key 1"), "3:7"],
    [hmac("key 1 file:/nowhere", "active_key 1"), "3:7"],
    [hmac(`key 1 ${TEXT_KEY}`, `key 1 ${TEXT_KEY}`, "active_key 1"), "4:5"],
  ];
  for (const [lines, place] of REFUSED) {
    test(`${lines.replaceAll("\n", " ")} is refused at ${place}`, () => {
      const { config, diagnostics } = load(instanceText(lines));
      assert.equal(brief(diagnostics)[0], `${place} hmac-invalid`);
      assert.equal(config, undefined);
      assert.doesNotMatch(JSON.stringify(diagnostics), /short|ascii-key/);
    });
  }
});
