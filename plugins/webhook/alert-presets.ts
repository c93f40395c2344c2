import { createHash } from "node:crypto";
import type { Notice } from "../../agent/core/notify/notice.ts";
import type { Preset } from "./preset.ts";
import { cut, json, take } from "./preset.ts";

// Services that open an alert and close it again: a notice with the severity `resolved` closes the
// one of its key.

/** A key that is too long for the service stands in by its hash: equal stays equal. */
const keyWithin = (key: string, limit: number): string =>
  key.length <= limit ? key : createHash("sha256").update(key).digest("hex");

const headline = ({ title, text }: Notice): string =>
  title === "" ? (text.split("\n", 1)[0] ?? "") : title;

/** `https://events.pagerduty.com/v2/enqueue?routing_key=…`: Events API v2. */
export const pagerduty: Preset = {
  needs: ["routing_key"],
  request: (notice, url, { node }) => {
    const key = { routing_key: take(url, "routing_key"), dedup_key: keyWithin(notice.key, 255) };
    if (notice.severity === "resolved") return json(url, { ...key, event_action: "resolve" });
    return json(url, {
      ...key,
      event_action: "trigger",
      client: "Holdfast",
      payload: {
        summary: cut(headline(notice), 1_024),
        source: node,
        severity: notice.severity,
        timestamp: new Date(notice.at).toISOString(),
        component: notice.source,
        custom_details: { text: notice.text },
      },
    });
  },
};

const OPSGENIE_PRIORITY = { info: "P5", warning: "P3", critical: "P1" } as const;

/** `https://api.opsgenie.com/v2/alerts?api_key=…` (`api.eu.` in Europe); the alias is the key. */
export const opsgenie: Preset = {
  needs: ["api_key"],
  request: (notice, url, { node }) => {
    const headers = { authorization: `GenieKey ${take(url, "api_key")}` };
    const alias = keyWithin(notice.key, 512);
    if (notice.severity === "resolved") {
      url.pathname = `${url.pathname.replace(/\/+$/, "")}/${encodeURIComponent(alias)}/close`;
      url.searchParams.set("identifierType", "alias");
      return { url, headers, body: { source: cut(node, 100), note: cut(notice.text, 25_000) } };
    }
    return {
      url,
      headers,
      body: {
        message: cut(headline(notice), 130),
        alias,
        description: cut(notice.text, 15_000),
        source: cut(node, 100),
        entity: cut(notice.source, 512),
        priority: OPSGENIE_PRIORITY[notice.severity],
      },
    };
  },
};

/** Any receiver of JSON: the body as it was given, or the notice. */
export const plainJson: Preset = {
  anyAnswer: true,
  request: (notice, url, { node }) => {
    const { title, text, severity, key, source, at } = notice;
    return json(url, notice.json ?? { title, text, severity, key, source, node, at });
  },
};
