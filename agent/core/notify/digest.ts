import type { Notice, Severity } from "./notice.ts";

/** Shown of those that a digest is made of. */
const MOST_LINES = 50;
const ORDER: readonly Severity[] = ["resolved", "info", "warning", "critical"];

/** One notice in place of many, as bad as the worst of them, from the time of the first. */
export function digest(notices: readonly Notice[]): Notice {
  const [first] = notices;
  if (first === undefined) throw new TypeError("a digest of nothing");
  const lines = notices.slice(0, MOST_LINES).map(({ title, text, at }) => {
    const head = title === "" ? firstLine(text) : title;
    return `${timeOf(at)}  ${head}`;
  });
  const more = notices.length - lines.length;
  const worst = Math.max(...notices.map(({ severity }) => ORDER.indexOf(severity)));
  return {
    ...first,
    title: `${notices.length} notifications: ${first.title === "" ? firstLine(first.text) : first.title} …`,
    text: [...lines, ...(more > 0 ? [`… and ${more} more`] : [])].join("\n"),
    severity: ORDER[worst] ?? "info",
  };
}

/** Says how many like it were held back. */
export function withCount(notice: Notice, more: number): Notice {
  if (more <= 0) return notice;
  const text = `${notice.text}\n(${more} more in the last ${spanText(notice.throttleMs)})`;
  return { ...notice, text };
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

/** `90 s`, `5 min`, `2 h`: the largest unit that divides it. */
function spanText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  if (seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}

/** `HH:MM:SS` in UTC; a pure layer knows no time zone. */
function timeOf(at: number): string {
  const seconds = Math.floor(at / 1_000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const parts = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return `${parts.map(two).join(":")}Z`;
}
