import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { laneConfig, targetKey, targetLabel } from "../../../agent/core/notify/target.ts";

const webhook = (url: string, preset = "slack") => ({ kind: "webhook", preset, url }) as const;

describe("targets", () => {
  test("a label never holds what may be a secret", () => {
    const labels = [
      ["https://hooks.slack.com/services/T0/B0/XXXX", "slack at hooks.slack.com"],
      [
        "https://user:password@chat.example.org:8443/hook?token=1",
        "slack at chat.example.org:8443",
      ],
      [`https://api.telegram.org/bot\${secret:t}/sendMessage`, "slack at api.telegram.org"],
      [`\${secret:slack}`, "slack at a secret address"],
      [`https://\${secret:host}/x`, "slack at a secret address"],
    ] as const;
    for (const [url, label] of labels) assert.equal(targetLabel(webhook(url)), label);
  });

  test("equal targets have equal keys, others have not", () => {
    assert.equal(targetKey(webhook("https://a/b")), targetKey(webhook("https://a/b")));
    assert.notEqual(targetKey(webhook("https://a/b")), targetKey(webhook("https://a/b", "ntfy")));
    const mail = (...to: readonly string[]) => ({ kind: "mail", to, from: undefined }) as const;
    assert.notEqual(targetKey(mail("a@x", "b@x")), targetKey(mail("a@x,b@x")));
  });

  test("services with alerts are not sent digests; syslog knows no limit", () => {
    assert.deepEqual(laneConfig(webhook("https://x/", "pagerduty")), {
      perMinute: 20,
      digests: false,
    });
    assert.deepEqual(laneConfig({ kind: "syslog" }), { perMinute: undefined, digests: false });
  });
});
