import type { RealServerConfig } from "../../../virtual-servers.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import type { Lines } from "./lines.ts";
import { wholeOf } from "./lines.ts";

const COUNT = 4_294_967_295;

export interface Quorum {
  readonly quorum: number;
  readonly hysteresis: number;
}

/** A quorum that could never be reached is lowered, as keepalived lowers it. */
export function readQuorum(
  lines: Lines,
  servers: readonly RealServerConfig[],
  lowering: Lowering,
): Quorum {
  const total = servers.reduce((sum, { weight }) => sum + weight, 0);
  const wanted = wholeOf(lines, "quorum", { low: 1, high: COUNT }, lowering) ?? 1;
  const quorum = Math.min(wanted, total);
  const at = lines.get("quorum")?.words[0];
  if (at !== undefined && quorum < wanted) {
    const message = `quorum ${wanted} is more than all real servers have together: ${total} is used`;
    report(lowering, "value-adjusted", at, message, `write quorum ${total} or less`);
  }
  const slack = wholeOf(lines, "hysteresis", { low: 0, high: COUNT }, lowering) ?? 0;
  const hysteresis = Math.min(slack, Math.max(0, quorum - 1));
  const word = lines.get("hysteresis")?.words[0];
  if (word !== undefined && hysteresis < slack) {
    const message = `hysteresis ${slack} is not less than the quorum: ${hysteresis} is used`;
    report(lowering, "value-adjusted", word, message, `write hysteresis ${hysteresis} or less`);
  }
  return { quorum, hysteresis };
}
