import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isRecipient, mailPermission } from "../../plugins/mail/mail-permission.ts";
import { webhookPermission } from "../../plugins/webhook/webhook-permission.ts";
import type { Json } from "../../sdk/index.ts";

describe("permission mail", () => {
  test("addresses, and nothing that could be read as two", () => {
    assert.equal(
      mailPermission.checkPermission({ to: ["ops@example.org", "a+b@x.example"] }),
      undefined,
    );
    const bad: readonly Json[] = [
      null,
      "ops@example.org",
      [],
      {},
      { to: "ops@example.org" },
      { to: [1] },
      { to: ["ops"] },
      { to: ["a@x\r\nBcc: b@y"] },
      { to: ["a@x, b@y"] },
      { to: ["A <a@x>"] },
      { to: ["*@*"] },
      { to: ["a@x"], from: "b@y" },
      { to: Array.from({ length: 65 }, () => "a@x") },
    ];
    for (const one of bad) {
      assert.equal(typeof mailPermission.checkPermission(one), "string", JSON.stringify(one));
    }
  });

  test("a grant covers an address, or a domain", () => {
    const missing = (asked: readonly string[], granted: readonly string[]) =>
      mailPermission.missing({ to: asked }, { to: granted });
    assert.deepEqual(missing(["ops@Example.org"], ["ops@example.org"]), []);
    assert.deepEqual(missing(["ops@example.org"], ["*@example.org"]), []);
    assert.deepEqual(missing(["ops@example.org", "me@x"], ["*@example.com"]), [
      "mail ops@example.org",
      "mail me@x",
    ]);
    assert.deepEqual(missing(["ops@sub.example.org"], ["*@example.org"]), [
      "mail ops@sub.example.org",
    ]);
    assert.deepEqual(missing(["*@example.org"], ["ops@example.org"]), ["mail *@example.org"]);
    assert.deepEqual(mailPermission.missing({ to: ["a@x"] }, null), ["mail a@x"]);
  });

  test("a mail server's own users are recipients of keepalived.conf's", () => {
    assert.ok(isRecipient("root"));
    for (const odd of ["", "a b", "a,b", "a\nb", "<a@x>", "a@x y", "@x"])
      assert.ok(!isRecipient(odd), odd);
  });
});

describe("permission webhook", () => {
  test("a URL, or a preset and a URL", () => {
    const good: Json = {
      a: "https://example.org/hook",
      b: `\${secret:b}`,
      c: { preset: "slack", url: `https://hooks.slack.com/\${secret:c}` },
      d: {
        preset: "telegram",
        url: `https://api.telegram.org/bot\${secret:t}/sendMessage?chat_id=1`,
      },
    };
    assert.equal(webhookPermission.checkPermission(good), undefined);
    const bad: readonly Json[] = [
      "https://example.org/",
      { a: 1 },
      { a: "ftp://example.org/" },
      { a: "https://example.org/ x" },
      { a: { preset: "pigeon", url: "https://example.org/" } },
      { a: { preset: "slack" } },
      { a: { preset: "telegram", url: "https://api.telegram.org/bot1/sendMessage" } },
      { a: `https://example.org/${"x".repeat(1_100)}` },
    ];
    for (const one of bad) {
      assert.equal(typeof webhookPermission.checkPermission(one), "string", JSON.stringify(one));
    }
  });

  test("a grant of a name leaves the address to the policy, one of a target does not", () => {
    const asked = { team: { preset: "slack", url: `\${secret:slack}` } };
    const missing = (granted: Json) => webhookPermission.missing(asked, granted);
    for (const granted of [["team"], ["*"], { team: true }, { "*": null }, asked]) {
      assert.deepEqual(missing(granted), [], JSON.stringify(granted));
    }
    for (const granted of [
      null,
      [],
      { other: true },
      { team: { preset: "slack", url: `\${secret:other}` } },
      { team: `\${secret:slack}` },
    ]) {
      assert.deepEqual(missing(granted), ["webhook team"], JSON.stringify(granted));
    }
  });
});
