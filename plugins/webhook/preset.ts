import type { Notice } from "../../agent/core/notify/notice.ts";
import type { Delivery } from "../../agent/ports/channels.ts";

/** What is sent. */
export interface WebhookRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body: unknown;
}

export interface PresetContext {
  /** Name of this node. */
  readonly node: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** HMAC-SHA256 in base64. */
  readonly sign: (key: string, text: string) => string;
}

/** An answer with a status of 200–299, judged by its body; `undefined`: it is what it looks like. */
export type JudgeAnswer = (body: string) => Exclude<Delivery, { kind: "delivered" }> | undefined;

/**
 * How one service takes a message. Parameters that are no part of the service's own address stand in
 * the query of the URL, and are taken out of it.
 */
export interface Preset {
  /** Names of parameters that must stand in the query. */
  readonly needs?: readonly string[];
  /** `url` is the preset's own: it may be changed. */
  request(notice: Notice, url: URL, context: PresetContext): WebhookRequest;
  readonly judge?: JudgeAnswer;
  /** A page of HTML is as good an answer as any other. */
  readonly anyAnswer?: true;
}

/** Title and text; a notice may lack one of them. */
export const plainText = ({ title, text }: Notice): string =>
  [title, text].filter((part) => part !== "").join("\n");

/** At most `limit` characters, the last of them an ellipsis where something was cut off. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const kept = text.slice(0, limit - 1);
  // Not half a character.
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}

/** The same, counted in bytes of UTF-8. */
export function cutBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  const bytes = Buffer.from(text).subarray(0, limit - 3);
  return `${bytes.toString("utf8").replace(/\ufffd+$/, "")}…`;
}

/** Takes a parameter out of a URL's query. */
export function take(url: URL, name: string): string {
  const value = url.searchParams.get(name) ?? "";
  url.searchParams.delete(name);
  return value;
}

export const json = (url: URL, body: unknown): WebhookRequest => ({ url, headers: {}, body });

type Answer = Readonly<Record<string, unknown>>;

/** For services that answer 200 to everything and say in JSON what they think. */
export const judgeJson =
  (judge: (answer: Answer) => ReturnType<JudgeAnswer>): JudgeAnswer =>
  (body) => {
    const answer = parseObject(body);
    if (answer !== undefined) return judge(answer);
    return { kind: "failed", reason: "it answered something else than JSON: a proxy's page?" };
  };

/** `undefined` for all that is no JSON object. */
export function parseObject(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return value as Answer;
  } catch {
    return undefined;
  }
}

/** Names of a code, of which 0 means well, and of its message. */
type CodeNames = readonly [code: string, message: string];

/**
 * An error code in the body, under the first of these names: `retried` are those that say "too much"
 * or "later".
 */
export const judgeCode = (names: readonly CodeNames[], retried: readonly number[]): JudgeAnswer =>
  judgeJson((answer) => {
    const [code, message] = names.find(([name]) => answer[name] !== undefined) ?? [];
    if (code === undefined || message === undefined) {
      return { kind: "failed", reason: "its answer does not say what became of the message" };
    }
    const value = answer[code];
    if (value === 0) return undefined;
    const reason = `${code} ${String(value)}: ${String(answer[message] ?? "")}`;
    return { kind: retried.includes(Number(value)) ? "failed" : "refused", reason };
  });
