import { createHmac } from "node:crypto";
import { Agent, request } from "undici";
import type { Notice } from "../../agent/core/notify/notice.ts";
import type { Channel, ChannelHost, Delivery } from "../../agent/ports/channels.ts";
import type { Preset, WebhookRequest } from "./preset.ts";
import { presetOf } from "./presets.ts";
import { retryAfter } from "./retry-after.ts";

const CONNECT_MS = 10_000;
const ANSWER_MS = 20_000;
/** Of an answer; what comes after it is not looked at. */
const LONGEST_ANSWER = 65_536;
const LONGEST_REASON = 200;

/** Messages to services over HTTP, with connections that are kept for a while. */
export const webhookChannel = (host: ChannelHost): Channel => {
  const agent = new Agent({
    connect: { timeout: CONNECT_MS },
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
    connections: 4,
  });
  return {
    async send(notice, signal): Promise<Delivery> {
      if (notice.target.kind !== "webhook") throw new TypeError("this is no webhook");
      const preset = presetOf(notice.target.preset);
      if (preset === undefined) return refused(`there is no preset ${notice.target.preset}`);
      const built = build(notice, notice.target.url, preset, host);
      if ("kind" in built) return built;
      return without(built.hidden, await post(agent, built.request, preset, host, signal));
    },
    close: () => agent.destroy(),
  };
};

const refused = (reason: string): Delivery => ({ kind: "refused", reason });

/** A request with its secrets, and the texts that nobody is to be shown. */
interface Built {
  readonly request: WebhookRequest;
  readonly hidden: readonly string[];
}

/** Or why there is none. */
function build(
  notice: Notice,
  template: string,
  preset: Preset,
  host: ChannelHost,
): Built | Delivery {
  let text: string;
  try {
    text = host.secret(template).trim();
  } catch (error) {
    // A secret that is not there may be put there.
    return {
      kind: "failed",
      reason: error instanceof Error ? error.message : "a secret is missing",
    };
  }
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return refused("its URL is none of HTTP");
  const lacking = (preset.needs ?? []).find((name) => !url.searchParams.has(name));
  if (lacking !== undefined) return refused(`its URL lacks ${lacking}=… in the query`);
  const hidden = hiddenParts(url);
  const context = { node: host.node, now: host.wallClock(), sign };
  return { request: preset.request(notice, url, context), hidden };
}

const sign = (key: string, text: string): string =>
  createHmac("sha256", key).update(text).digest("base64");

async function post(
  agent: Agent,
  { url, headers, body }: WebhookRequest,
  preset: Preset,
  host: ChannelHost,
  signal: AbortSignal,
): Promise<Delivery> {
  try {
    const answer = await request(url, {
      method: "POST",
      dispatcher: agent,
      signal,
      headers: { "content-type": "application/json", "user-agent": "Holdfast", ...headers },
      body: JSON.stringify(body),
    });
    const text = await beginning(answer.body);
    const wait = retryAfter(answer.headers["retry-after"], host.wallClock());
    return judge(answer.statusCode, text, wait, preset);
  } catch (error) {
    return { kind: "failed", reason: failureText(error, signal) };
  }
}

/** The first part of a body; the rest is let go with the connection. */
async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= LONGEST_ANSWER) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

const PAGE: Delivery = { kind: "failed", reason: "it answered with a page: is it a proxy's?" };

function judge(
  status: number,
  text: string,
  retryAfterMs: number | undefined,
  preset: Preset,
): Delivery {
  if (status >= 200 && status < 300) {
    if (preset.anyAnswer !== true && /^\s*</.test(text)) return PAGE;
    return preset.judge?.(text) ?? { kind: "delivered" };
  }
  const reason = `HTTP ${status}${text.trim() === "" ? "" : `: ${text.trim()}`}`;
  if (status === 408 || status === 429 || status >= 500) {
    return { kind: "failed", reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  if (status >= 300 && status < 400)
    return refused(`HTTP ${status}: it moved; name its new address`);
  return refused(reason);
}

/** Words of ours: texts of foreign errors may hold the address. */
function failureText(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "no answer in time";
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code.startsWith("UND_ERR_") && code.endsWith("TIMEOUT")) return "no answer in time";
  if (code === "UND_ERR_SOCKET") return "the other side broke the connection";
  return /^[A-Z][A-Z0-9_]+$/.test(code) ? code : "the request failed";
}

/** What a service says may repeat parts of the address, and those may be secret. */
const hiddenParts = (url: URL): readonly string[] =>
  [...url.pathname.split("/"), ...url.searchParams.values()]
    .flatMap((part) => [part, safeDecode(part)])
    .filter((part) => part.length >= 8);

function without(hidden: readonly string[], delivery: Delivery): Delivery {
  if (delivery.kind === "delivered") return delivery;
  const shown = hidden.reduce((text, part) => text.replaceAll(part, "***"), delivery.reason);
  return { ...delivery, reason: shown.replaceAll(/\p{Cc}+/gu, " ").slice(0, LONGEST_REASON) };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
