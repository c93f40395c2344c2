import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import type { Notice } from "../../agent/core/notify/notice.ts";
import { cut, cutBytes } from "../../plugins/webhook/preset.ts";
import { PRESET_NAMES, presetOf } from "../../plugins/webhook/presets.ts";
import { retryAfter } from "../../plugins/webhook/retry-after.ts";

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);
const CONTEXT = {
  node: "lb1",
  now: AT,
  sign: (key: string, text: string) => createHmac("sha256", key).update(text).digest("base64"),
};

const notice = (more: Partial<Notice> = {}): Notice => ({
  target: { kind: "syslog" },
  source: "policy nginx",
  title: "nginx <down>",
  text: "502 & more",
  severity: "critical",
  json: undefined,
  key: "nginx",
  throttleMs: 0,
  at: AT,
  ...more,
});

/** What a preset makes of a notice, with the URL as text. */
function made(name: string, url: string, more: Partial<Notice> = {}) {
  const preset = presetOf(name);
  assert.ok(preset);
  const request = preset.request(notice(more), new URL(url), CONTEXT);
  return { url: request.url.href, headers: request.headers, body: request.body };
}

describe("the form of each service", () => {
  test("slack: nothing in a text is a mention", () =>
    assert.deepEqual(made("slack", "https://hooks.slack.com/services/T/B/X"), {
      url: "https://hooks.slack.com/services/T/B/X",
      headers: {},
      body: { text: "*nginx &lt;down&gt;*\n502 &amp; more" },
    }));

  test("teams: an adaptive card", () => {
    const { body } = made("teams", "https://prod.logic.azure.com/workflows/1");
    const card = body as {
      type: string;
      attachments: { contentType: string; content: { type: string; body: { text: string }[] } }[];
    };
    assert.equal(card.type, "message");
    assert.equal(card.attachments[0]?.contentType, "application/vnd.microsoft.card.adaptive");
    assert.equal(card.attachments[0]?.content.type, "AdaptiveCard");
    assert.deepEqual(
      card.attachments[0]?.content.body.map(({ text }) => text),
      ["nginx <down>", "502 & more"],
    );
  });

  test("discord: nobody is called by it, and it has 2,000 characters at most", () => {
    const { body } = made("discord", "https://discord.com/api/webhooks/1/x", {
      text: "@everyone".repeat(500),
    });
    const { content, allowed_mentions: mentions } = body as {
      content: string;
      allowed_mentions: unknown;
    };
    assert.equal(content.length, 2_000);
    assert.deepEqual(mentions, { parse: [] });
  });

  test("telegram: the chat is taken out of the query", () =>
    assert.deepEqual(
      made(
        "telegram",
        "https://api.telegram.org/bot1:x/sendMessage?chat_id=-100&message_thread_id=7",
      ),
      {
        url: "https://api.telegram.org/bot1:x/sendMessage",
        headers: {},
        body: { chat_id: "-100", message_thread_id: 7, text: "nginx <down>\n502 & more" },
      },
    ));

  test("pagerduty: an alert is opened and closed by its key", () => {
    const url = "https://events.pagerduty.com/v2/enqueue?routing_key=R";
    assert.deepEqual(made("pagerduty", url).body, {
      routing_key: "R",
      dedup_key: "nginx",
      event_action: "trigger",
      client: "Holdfast",
      payload: {
        summary: "nginx <down>",
        source: "lb1",
        severity: "critical",
        timestamp: "2026-01-02T03:04:05.000Z",
        component: "policy nginx",
        custom_details: { text: "502 & more" },
      },
    });
    const closing = made("pagerduty", url, { severity: "resolved" });
    assert.equal(closing.url, "https://events.pagerduty.com/v2/enqueue");
    assert.deepEqual(closing.body, {
      routing_key: "R",
      dedup_key: "nginx",
      event_action: "resolve",
    });
    const long = made("pagerduty", url, { key: "k".repeat(300) }).body as { dedup_key: string };
    assert.match(long.dedup_key, /^[0-9a-f]{64}$/);
  });

  test("opsgenie: the key is in a header, the alias in the address that closes", () => {
    const url = "https://api.opsgenie.com/v2/alerts?api_key=K";
    const opening = made("opsgenie", url);
    assert.deepEqual(
      [opening.url, opening.headers],
      ["https://api.opsgenie.com/v2/alerts", { authorization: "GenieKey K" }],
    );
    assert.equal((opening.body as { priority: string }).priority, "P1");
    const closing = made("opsgenie", url, { severity: "resolved", key: "a/b c" });
    assert.equal(
      closing.url,
      "https://api.opsgenie.com/v2/alerts/a%2Fb%20c/close?identifierType=alias",
    );
  });

  test("dingtalk: signed with its own secret, which is not sent", () => {
    const { url, body } = made(
      "dingtalk",
      "https://oapi.dingtalk.com/robot/send?access_token=A&secret=SEC1",
    );
    const query = new URL(url).searchParams;
    assert.equal(query.get("timestamp"), String(AT));
    assert.equal(query.get("sign"), CONTEXT.sign("SEC1", `${AT}\nSEC1`));
    assert.equal(query.has("secret"), false);
    assert.equal((body as { msgtype: string }).msgtype, "text");
  });

  test("feishu: the signature is in the body, of nothing under time and secret", () => {
    const { url, body } = made("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/H?secret=S");
    assert.equal(url, "https://open.feishu.cn/open-apis/bot/v2/hook/H");
    const seconds = String(AT / 1_000);
    assert.deepEqual(body, {
      timestamp: seconds,
      sign: CONTEXT.sign(`${seconds}\nS`, ""),
      msg_type: "text",
      content: { text: "nginx <down>\n502 & more" },
    });
  });

  test("wecom: 2,048 bytes, and no half character", () => {
    const { body } = made("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=K", {
      text: "告".repeat(2_000),
    });
    const { content } = (body as { text: { content: string } }).text;
    assert.ok(Buffer.byteLength(content) <= 2_048);
    assert.doesNotMatch(content, /\ufffd/);
    assert.match(content, /…$/);
  });

  test("ntfy: the topic is the last part of the path", () =>
    assert.deepEqual(made("ntfy", "https://ntfy.example.org/base/alerts?token=tk_1"), {
      url: "https://ntfy.example.org/base/",
      headers: { authorization: "Bearer tk_1" },
      body: {
        topic: "alerts",
        title: "nginx <down>",
        message: "502 & more",
        priority: 5,
        tags: ["rotating_light"],
      },
    }));

  test("json: the body as it was given, or the notice", () => {
    assert.deepEqual(made("json", "https://x/", { json: [1, { a: null }] }).body, [1, { a: null }]);
    assert.deepEqual(Object.keys(made("json", "https://x/").body as object), [
      ...["title", "text", "severity", "key", "source", "node", "at"],
    ]);
  });

  test("every preset bears a notice without a title", () => {
    for (const name of PRESET_NAMES) {
      const query = "chat_id=1&routing_key=1&api_key=1";
      const { body } = made(name, `https://example.org/a/b?${query}`, { title: "" });
      assert.ok(JSON.stringify(body).includes("502"), name);
    }
    assert.equal(presetOf("constructor"), undefined);
  });
});

describe("answers that lie", () => {
  const cases: readonly [preset: string, body: string, kind: "failed" | "refused" | undefined][] = [
    ["slack", "ok", undefined],
    ["slack", '{"ok":true}', undefined],
    ["slack", '{"ok":false,"error":"invalid_auth"}', "refused"],
    ["slack", '{"ok":false,"error":"ratelimited"}', "failed"],
    ["slack", '{"success":false,"error":"x"}', "refused"],
    ["slack", "ok\n", undefined],
    ["slack", "no_service", "refused"],
    ["slack", "rate_limited", "failed"],
    ["slack", "accepted, thank you", undefined],
    ["teams", "1", undefined],
    ["teams", "Webhook message delivery failed with error: HTTP error 429", "failed"],
    ["telegram", '{"ok":true,"result":{}}', undefined],
    ["telegram", '{"ok":false,"error_code":400,"description":"chat not found"}', "refused"],
    ["telegram", '{"ok":false,"error_code":429,"parameters":{"retry_after":7}}', "failed"],
    ["telegram", "<html>log in</html>", "failed"],
    ["dingtalk", '{"errcode":0,"errmsg":"ok"}', undefined],
    ["dingtalk", '{"errcode":310000,"errmsg":"sign not match"}', "refused"],
    ["dingtalk", '{"errcode":130101,"errmsg":"send too fast"}', "failed"],
    ["feishu", '{"code":0,"msg":"success"}', undefined],
    ["feishu", '{"StatusCode":0,"StatusMessage":"success"}', undefined],
    ["feishu", '{"code":19021,"msg":"sign match fail"}', "refused"],
    ["feishu", '{"code":11232,"msg":"frequency limited"}', "failed"],
    ["wecom", '{"errcode":0}', undefined],
    ["wecom", '{"errcode":93000,"errmsg":"invalid webhook url"}', "refused"],
    ["wecom", '{"errcode":45009,"errmsg":"api freq out of limit"}', "failed"],
    ["wecom", "", "failed"],
    ["wecom", "{}", "failed"],
    ["dingtalk", '{"success":true}', "failed"],
    ["feishu", "[]", "failed"],
  ];
  for (const [name, body, kind] of cases) {
    test(`${name} answers ${body === "" ? "nothing" : body}`, () => {
      assert.equal(presetOf(name)?.judge?.(body)?.kind, kind);
    });
  }

  test("telegram says how long to wait", () => {
    const body = '{"ok":false,"error_code":429,"parameters":{"retry_after":7}}';
    const judged = presetOf("telegram")?.judge?.(body);
    assert.equal(judged?.kind === "failed" && judged.retryAfterMs, 7_000);
  });
});

describe("small parts", () => {
  test("what is cut stays whole characters", () => {
    assert.equal(cut("abc", 3), "abc");
    assert.equal(cut("abcd", 3), "ab…");
    assert.equal(cut("a😀bc", 3), "a…");
    assert.equal(cutBytes("ééé", 6), "ééé");
    assert.equal(cutBytes("éééé", 6), "é…");
  });

  test("Retry-After is seconds or a date, and nothing else", () => {
    assert.equal(retryAfter("5", AT), 5_000);
    assert.equal(retryAfter("0.4", AT), 400);
    assert.equal(retryAfter("Fri, 02 Jan 2026 03:04:15 GMT", AT), 10_000);
    assert.equal(retryAfter("Fri, 02 Jan 2026 03:04:00 GMT", AT), 0);
    for (const odd of [undefined, "", "soon", "-5"])
      assert.equal(retryAfter(odd, AT), undefined, odd);
  });
});
