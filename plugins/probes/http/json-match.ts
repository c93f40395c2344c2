import type { HttpUrl } from "./http-request.ts";

/** What speaks against a body that is to be JSON; `undefined`: nothing. `cut`: the end is missing. */
export function jsonProblem(json: HttpUrl["json"], body: Buffer, cut: boolean): string | undefined {
  if (json === undefined) return undefined;
  if (cut) return "the body is longer than 64 KiB: not read as JSON";
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    return "the body is no JSON";
  }
  for (const key of json.path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) {
      return `${json.path.join(".")} is missing`;
    }
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text === json.equals ? undefined : `${json.path.join(".")} is ${shown(text)}`;
}

const shown = (text: string): string => {
  const quoted = JSON.stringify(text.slice(0, 60));
  return text.length > 60 ? `${quoted.slice(0, -1)}…"` : quoted;
};
