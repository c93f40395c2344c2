import type { Notice } from "../../agent/core/notify/notice.ts";
import type { JudgeAnswer, Preset, PresetContext } from "./preset.ts";
import {
  cut,
  cutBytes,
  json,
  judgeCode,
  judgeJson,
  parseObject,
  plainText,
  take,
} from "./preset.ts";

// Services that show a message to people. Forms and limits are from each service's own documentation.

/** `&`, `<` and `>` begin mentions and links: https://docs.slack.dev/messaging/formatting-message-text */
const slackText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Mattermost and Rocket.Chat take the same, and answer `ok`, or JSON. */
export const slack: Preset = {
  request: ({ title, text }, url) =>
    json(url, {
      text: [
        ...(title === "" ? [] : [`*${slackText(cut(title, 250))}*`]),
        slackText(cut(text, 3_500)),
      ]
        .filter((part) => part !== "")
        .join("\n"),
    }),
  judge: (body) => {
    const text = body.trim();
    const answer = parseObject(text);
    // Those who take Slack's form answer with words of their own, and may have taken it.
    if (answer === undefined) return SLACK_REFUSALS.includes(text) ? slackError(text) : undefined;
    if (answer["ok"] !== false && answer["success"] !== false) return undefined;
    return slackError(String(answer["error"] ?? "ok: false"));
  },
};

const SLACK_LATER: readonly string[] = [
  "ratelimited",
  "rate_limited",
  "rollup_error",
  "internal_error",
  "fatal_error",
  "service_unavailable",
];

/** What Slack's webhooks say in plain text in place of `ok`. */
const SLACK_REFUSALS: readonly string[] = [
  ...SLACK_LATER,
  "action_prohibited",
  "channel_is_archived",
  "channel_not_found",
  "invalid_payload",
  "invalid_token",
  "no_active_hooks",
  "no_service",
  "no_service_id",
  "no_team",
  "no_text",
  "posting_to_general_channel_denied",
  "team_disabled",
  "too_many_attachments",
  "user_not_found",
];

const slackError = (error: string): ReturnType<JudgeAnswer> => ({
  kind: SLACK_LATER.includes(error) ? "failed" : "refused",
  reason: error,
});

const CARD_COLORS: Readonly<Record<Notice["severity"], string>> = {
  info: "Accent",
  warning: "Warning",
  critical: "Attention",
  resolved: "Good",
};

/** A workflow "when a Teams webhook request is received"; connectors took cards of another form. */
export const teams: Preset = {
  request: ({ title, text, severity }, url) =>
    json(url, {
      type: "message",
      attachments: [
        {
          contentType: "application/vnd.microsoft.card.adaptive",
          contentUrl: null,
          content: {
            $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
            type: "AdaptiveCard",
            version: "1.4",
            body: [
              ...(title === ""
                ? []
                : [{ ...textBlock(title), weight: "Bolder", color: CARD_COLORS[severity] }]),
              textBlock(cut(text, 15_000)),
            ],
          },
        },
      ],
    }),
  // The older addresses answer 200, and say in the text that it was not delivered.
  judge: (body) =>
    /delivery failed|HTTP error \d/i.test(body)
      ? { kind: "failed", reason: "it says that the delivery failed" }
      : undefined,
};

/** Line feeds alone do not break a line in a card. */
const textBlock = (text: string) => ({
  type: "TextBlock",
  text: text.replaceAll("\n", "\n\n"),
  wrap: true,
});

/** https://discord.com/developers/docs/resources/webhook#execute-webhook: 2,000 characters. */
export const discord: Preset = {
  request: ({ title, text }, url) =>
    json(url, {
      content: cut([...(title === "" ? [] : [`**${title}**`]), text].join("\n"), 2_000),
      // Nobody is called by what a message happens to hold.
      allowed_mentions: { parse: [] },
    }),
};

/** `https://api.telegram.org/bot${secret:token}/sendMessage?chat_id=ID`: 4,096 characters. */
export const telegram: Preset = {
  needs: ["chat_id"],
  request: (notice, url) => {
    const chat = take(url, "chat_id");
    const thread = take(url, "message_thread_id");
    return json(url, {
      chat_id: chat,
      ...(thread !== "" && { message_thread_id: Number(thread) }),
      text: cut(plainText(notice), 4_096),
    });
  },
  judge: judgeJson((answer) => {
    if (answer["ok"] === true) return undefined;
    const code = Number(answer["error_code"] ?? 0);
    const reason = String(answer["description"] ?? "ok: false");
    const { retry_after: seconds } = (answer["parameters"] ?? {}) as { retry_after?: unknown };
    if (code !== 429 && code < 500) return { kind: "refused", reason };
    const wait = typeof seconds === "number" ? { retryAfterMs: seconds * 1_000 } : {};
    return { kind: "failed", reason, ...wait };
  }),
};

/**
 * `https://oapi.dingtalk.com/robot/send?access_token=…`, with `&secret=…` for a robot that wants
 * signatures: HMAC of time and secret, under the secret, in the query.
 */
export const dingtalk: Preset = {
  request: (notice, url, { now, sign }) => {
    const secret = take(url, "secret");
    if (secret !== "") {
      url.searchParams.set("timestamp", String(now));
      url.searchParams.set("sign", sign(secret, `${now}\n${secret}`));
    }
    return json(url, {
      msgtype: "text",
      text: { content: cutBytes(plainText(notice), 20_000) },
      at: { isAtAll: false },
    });
  },
  judge: judgeCode([["errcode", "errmsg"]], [-1, 130_101, 410_100, 660_026]),
};

/** `https://open.feishu.cn/open-apis/bot/v2/hook/…`, with `?secret=…` for one that wants signatures. */
export const feishu: Preset = {
  request: (notice, url, context) => {
    const secret = take(url, "secret");
    return json(url, {
      ...(secret !== "" && feishuSignature(secret, context)),
      msg_type: "text",
      content: { text: cutBytes(plainText(notice), 18_000) },
    });
  },
  judge: judgeCode(
    [
      ["code", "msg"],
      ["StatusCode", "StatusMessage"],
    ],
    [11_232, 99_991_400],
  ),
};

/** The text is the key, and nothing is signed with it: the reverse of DingTalk's. */
function feishuSignature(secret: string, { now, sign }: PresetContext) {
  const timestamp = String(Math.floor(now / 1_000));
  return { timestamp, sign: sign(`${timestamp}\n${secret}`, "") };
}

/** `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…`: 2,048 bytes. */
export const wecom: Preset = {
  request: (notice, url) =>
    json(url, { msgtype: "text", text: { content: cutBytes(plainText(notice), 2_048) } }),
  judge: judgeCode([["errcode", "errmsg"]], [-1, 45_009, 45_033]),
};

const NTFY_PRIORITY: Readonly<Record<Notice["severity"], number>> = {
  info: 3,
  warning: 4,
  critical: 5,
  resolved: 3,
};

const NTFY_TAG: Readonly<Record<Notice["severity"], string>> = {
  info: "information_source",
  warning: "warning",
  critical: "rotating_light",
  resolved: "white_check_mark",
};

/** `https://ntfy.sh/TOPIC`, with `?token=…` for a protected one: https://docs.ntfy.sh/publish/ */
export const ntfy: Preset = {
  request: ({ title, text, severity }, url) => {
    const token = take(url, "token");
    const path = url.pathname.replace(/\/+$/, "");
    const topic = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
    url.pathname = `${path.slice(0, path.lastIndexOf("/"))}/`;
    return {
      url,
      headers: token === "" ? {} : { authorization: `Bearer ${token}` },
      body: {
        topic,
        ...(title !== "" && { title: cut(title, 250) }),
        message: cutBytes(text, 4_096),
        priority: NTFY_PRIORITY[severity],
        tags: [NTFY_TAG[severity]],
      },
    };
  },
};
