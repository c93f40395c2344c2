import type { Word } from "../tree.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { FoundProgram } from "./programs.ts";

export interface RunProgram {
  readonly at: Word;
  readonly owner: string;
  readonly argv: readonly string[];
  readonly program: FoundProgram;
}

/** Programs whose first argument is a script of theirs. */
const SHELLS: ReadonlySet<string> = new Set("sh ash bash dash ksh mksh zsh busybox".split(" "));

/** Commands that end keepalived, and by the alias of the unit this agent too. */
const STOPS: readonly RegExp[] = [
  /\bsystemctl\b[^;&|]*?\s(?:stop|kill)\b[^;&|]*?\s(?:keepalived|holdfast)\b/,
  /\b(?:rc-)?service\s+(?:keepalived|holdfast)\s+stop\b/,
  /\/init\.d\/keepalived\s+stop\b/,
  /\b(?:killall|pkill)\b[^;&|]*?\s(?:keepalived|holdfast)\b/,
  /\bkill\b[^;&]*?\b(?:keepalived|holdfast)(?:\.pid\b|\s*[)`])/,
  /\b(?:keepalived|holdfast)\b[^;&]*?\|\s*xargs\s(?:-\S+\s+)*kill\b/,
];
/** Signals that ask or reload rather than stop. */
const HARMLESS = /\s-(?:s\s*)?(?:0|1|10|12|(?:SIG)?(?:HUP|USR1|USR2))\b/;
/** Longer lines are no commands that a person wrote; and looking at one stays quick. */
const LONGEST_LINE = 1_000;

/** Says where a script stops the agent that runs it. */
export function reportStopsAgent(run: RunProgram, lowering: Lowering): void {
  const { argv, at, program } = run;
  const { programs } = lowering.commands;
  const inline = stopIn(argv.join(" "));
  if (inline !== undefined) tell(run, at, lowering);
  const scripts = [program.realPath];
  const shell = SHELLS.has(program.path.slice(program.path.lastIndexOf("/") + 1));
  const script = shell ? argv.slice(1).find((word) => word.startsWith("/")) : undefined;
  if (script !== undefined) scripts.push(script);
  for (const path of scripts) {
    const file = path === program.realPath ? program.path : path;
    const lines = programs.text(path)?.split("\n") ?? [];
    for (const [index, line] of lines.entries()) {
      const stop = stopIn(line);
      if (stop === undefined) continue;
      const position = { file, line: index + 1, column: stop.column };
      const key = `${file}:${index}`;
      if (lowering.commands.reported.has(key)) continue;
      lowering.commands.reported.add(key);
      tell(run, { text: stop.text, position, quoted: false }, lowering);
    }
  }
}

function tell({ owner, at: said }: RunProgram, at: Word, lowering: Lowering): void {
  const { file, line } = said.position;
  report(
    lowering,
    "script-stops-agent",
    at,
    `${owner} (${file}:${line}) ends the agent here, and with it every instance of this node`,
    "let a tracking script end with `exit 1`: without a weight that is a fault of its instances alone, with one it lowers their priority; the unit's alias keeps this line working meanwhile",
  );
}

function stopIn(line: string): { readonly text: string; readonly column: number } | undefined {
  if (line.length > LONGEST_LINE || !/keepalived|holdfast/.test(line)) return undefined;
  const code = line.replace(/(^|\s)#.*$/, "");
  for (const stop of STOPS) {
    const found = stop.exec(code);
    if (found === null || HARMLESS.test(found[0])) continue;
    return { text: found[0], column: found.index + 1 };
  }
  return undefined;
}
