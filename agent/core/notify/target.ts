import type { LaneConfig } from "./lane.ts";
import type { NoticeTarget } from "./notice.ts";

/** Equal for equal targets. */
export function targetKey(target: NoticeTarget): string {
  switch (target.kind) {
    case "mail":
      return JSON.stringify(["mail", target.to, target.from ?? null]);
    case "webhook":
      return JSON.stringify(["webhook", target.preset, target.url]);
    case "syslog":
      return JSON.stringify(["syslog"]);
  }
}

/** For people. Of a URL only the host: the rest may be a secret that was written out. */
export function targetLabel(target: NoticeTarget): string {
  switch (target.kind) {
    case "mail":
      return `mail to ${target.to.join(", ")}`;
    case "webhook":
      return `${target.preset} at ${hostOf(target.url)}`;
    case "syslog":
      return "syslog";
  }
}

const hostOf = (url: string): string => {
  const host = /^https?:\/\/(?:[^/?#@]*@)?([A-Za-z0-9.:[\]-]+)(?:[/?#]|$)/.exec(url)?.[1];
  return host ?? "a secret address";
};

/** Services that keep alerts apart by their key: a digest would open an alert of its own. */
const NO_DIGEST: readonly string[] = ["pagerduty", "opsgenie", "json"];
const PER_MINUTE = 20;

/** What a target can bear. 20 a minute is what DingTalk and WeCom take at most. */
export const laneConfig = (target: NoticeTarget): LaneConfig => ({
  perMinute: target.kind === "syslog" ? undefined : PER_MINUTE,
  digests:
    target.kind === "mail" || (target.kind === "webhook" && !NO_DIGEST.includes(target.preset)),
});
