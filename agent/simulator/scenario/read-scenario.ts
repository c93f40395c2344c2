import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isJournal, readJournal } from "./journal.ts";
import type { Draft, Scenario } from "./scenario.ts";
import { finished } from "./scenario.ts";
import { BEGINNINGS, HAPPENINGS } from "./statements.ts";
import { Words } from "./words.ts";

/**
 * Reads a scenario: what happens, a line each, with the time since the start before it; or the journal
 * of an agent. Throws a SyntaxError with file, line and column for what cannot be understood, and the
 * error of the file system.
 *
 * @example
 * router VI_1 priority 150 active
 * process nginx 2
 * http http://127.0.0.1/ replies 200
 * 10s  http http://127.0.0.1/ fails ECONNREFUSED
 * 1m   end
 */
export function readScenario(file: string): Scenario {
  const draft: Draft = { world: {}, steps: [], end: undefined };
  const text = readFileSync(file, "utf8");
  if (isJournal(text)) readJournal(file, text, draft);
  else {
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      readLine(new Words({ file, line: index + 1 }, line), line, draft);
    }
  }
  return finished(draft);
}

function readLine(words: Words, line: string, draft: Draft): void {
  if (words.empty) return;
  const time = words.optionalTime();
  const at = (time ?? 0) / 1_000;
  const verbs = ["journal", "end", ...BEGINNINGS.keys(), ...HAPPENINGS.keys()];
  const verb = words.choice(verbs);
  const beginning = BEGINNINGS.get(verb);
  const happens = HAPPENINGS.get(verb);
  words.usage = beginning?.usage ?? happens?.usage ?? USAGES[verb] ?? "";
  if (happens !== undefined) {
    const text = line.trim().replace(/^[\d.]+(ms|s|m|h)\s+/, "");
    draft.steps.push({ at, text, act: happens.act(words) });
  } else if (verb === "end") draft.end = at;
  else if (time !== undefined) throw words.fault(`${verb} holds from the start: it takes no time`);
  else if (beginning !== undefined) draft.world = beginning.world(words, draft.world);
  else include(words, draft);
  words.end();
}

const USAGES: Readonly<Record<string, string>> = { journal: "journal FILE", end: "TIME end" };

/** What an agent recorded happens, besides what this scenario says. */
function include(words: Words, draft: Draft): void {
  const name = words.text("a file");
  const path = resolve(dirname(words.place.file), name);
  try {
    readJournal(path, readFileSync(path, "utf8"), draft);
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
    throw words.fault(`${path} cannot be read`);
  }
}
