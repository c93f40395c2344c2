import type { HttpUrl } from "../../../virtual-servers.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import type { Lines } from "./lines.ts";

/** regex of a url. */
export function readBodyPattern(lines: Lines, lowering: Lowering): HttpUrl["regex"] {
  const at = lines.get("regex")?.words[0];
  if (at !== undefined) {
    report(lowering, "regex-unsupported", at, "a regex is not understood here", "write a digest");
  }
  return undefined;
}
