import type { TrackerKind } from "../../../core/track/tracking.ts";
import { trackerId } from "../../../core/track/tracking.ts";
import type { TrackedCheck } from "../../trackers.ts";
import { nearest } from "../suggest.ts";
import type { Statement, Word } from "../tree.ts";
import { parseWhole } from "./literals.ts";
import type { Lowering } from "./lowering.ts";
import { report, take } from "./lowering.ts";
import type { TrackerWeight } from "./tracker-weight.ts";

/** A tracker that an instance or a group looks at, with the word that names it. */
export interface TrackedCheckWord {
  readonly tracked: TrackedCheck;
  readonly at: Word;
}

/** Kind, word that defines it, and the highest and lowest weight of its lines. */
const WORDS: Readonly<Record<string, readonly [TrackerKind, definition: string, limit: number]>> = {
  track_script: ["script", "vrrp_script", 253],
  track_file: ["file", "track_file", 254],
  track_process: ["process", "vrrp_track_process", 254],
  track_bfd: ["track_bfd", "bfd_instance", 253],
};

export const TRACKED_CHECKS: readonly string[] = Object.keys(WORDS);

/** Names that a misspelt one is compared with. */
const MOST_SUGGESTIONS = 200;

/** track_script, track_file, track_process or track_bfd { NAME [weight N [reverse|noreverse]] … }. */
export function readTrackedChecks(
  into: TrackedCheckWord[],
  statement: Statement,
  lowering: Lowering,
): void {
  const [kind, definition, limit] = WORDS[statement.keyword.text] ?? [];
  if (kind === undefined || definition === undefined || limit === undefined) return;
  const taken = new Set(into.map(({ tracked }) => tracked.tracker));
  for (const line of statement.block ?? []) {
    const name = line.keyword;
    const tracker = trackerId(kind, name.text);
    const defined = lowering.trackers.get(tracker);
    if (defined === undefined) {
      reportUnknown(name, kind, definition, lowering);
      continue;
    }
    defined.used = true;
    if (taken.has(tracker)) {
      report(lowering, "tracker-duplicate", name, `${name.text} is tracked already`);
      continue;
    }
    taken.add(tracker);
    const { weight, reverse } = defined.config ?? { weight: 0, reverse: false };
    const said = readLine(line, { weight, reverse }, limit, lowering);
    into.push({ tracked: { tracker, ...said }, at: name });
  }
}

/** What a line says stands before what the tracker says; what it leaves out is the tracker's. */
function readLine(
  line: Statement,
  own: TrackerWeight,
  limit: number,
  lowering: Lowering,
): TrackerWeight {
  let { weight, reverse } = own;
  const cursor = { words: line.words, at: 0 };
  for (let word = take(cursor); word !== undefined; word = take(cursor)) {
    if (word.text === "reverse" || word.text === "noreverse") reverse = word.text === "reverse";
    else if (word.text === "weight") {
      const value = take(cursor);
      const parsed = parseWhole(value?.text ?? "", -limit, limit);
      if (parsed === undefined) {
        const range = `a whole number from ${-limit} to ${limit}`;
        const message = `the weight of ${line.keyword.text} is ${range}; its own, ${own.weight}, is used`;
        report(lowering, "tracker-option-unknown", value ?? word, message, "write weight N");
      }
      weight = parsed ?? own.weight;
    } else {
      const message = `a tracker has no option "${word.text}"; it is left out`;
      const hint = "write NAME [weight N [reverse]]";
      report(lowering, "tracker-option-unknown", word, message, hint);
    }
  }
  return { weight, reverse };
}

/** keepalived goes on without it, so that an instance becomes active that should not. */
function reportUnknown(
  name: Word,
  kind: TrackerKind,
  definition: string,
  lowering: Lowering,
): void {
  const prefix = `${kind} `;
  const names = [...lowering.trackers.keys()]
    .slice(0, MOST_SUGGESTIONS)
    .filter((id) => id.startsWith(prefix))
    .map((id) => id.slice(prefix.length));
  const meant = nearest(name.text, names)?.word;
  report(
    lowering,
    "tracker-unknown",
    name,
    `there is no ${definition} ${name.text}; what it should watch would go unnoticed`,
    meant === undefined ? `write ${definition} ${name.text} { … }` : `did you mean "${meant}"?`,
  );
}
