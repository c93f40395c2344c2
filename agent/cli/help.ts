import type { OptionSpec } from "./arguments.ts";
import type { CommandSpec } from "./command.ts";

const WIDTH = 80;

/** `holdfast help`: what there is. */
export function overview(commands: readonly CommandSpec[]): string {
  return [
    "Holdfast keeps addresses alive and balances load, by keepalived.conf.",
    "",
    "Usage: holdfast COMMAND [OPTIONS]",
    "       holdfast [keepalived's options]      the same as holdfast run",
    "",
    ...commandLines(commands),
    "",
    "holdfast help COMMAND says more.",
    "",
  ].join("\n");
}

/** The name is the last word: `check` of `policy check`. */
function commandLines(commands: readonly CommandSpec[]): readonly string[] {
  const rows = commands.map(({ name, about }) => [name.split(" ").at(-1) ?? name, about] as const);
  const indent = Math.max(...rows.map(([name]) => name.length)) + 4;
  return rows.flatMap(([name, about]) => {
    const [first = "", ...more] = wrap(about, WIDTH - indent);
    return [`  ${name}`.padEnd(indent) + first, ...more.map((line) => " ".repeat(indent) + line)];
  });
}

/** `holdfast help COMMAND`, no line longer than 80 columns. */
export function usage(command: CommandSpec): string {
  const operands = command.operands === "" ? "" : ` ${command.operands}`;
  const shown = command.options.filter((option) => option.about !== undefined);
  const hidden = command.options.filter((option) => option.about === undefined);
  return [
    `Usage: holdfast ${command.name}${command.load === undefined ? "" : " [OPTIONS]"}${operands}`,
    `${command.about}.`,
    ...(command.commands === undefined ? [] : ["", ...commandLines(command.commands)]),
    ...(command.details.length === 0 ? [] : ["", ...command.details]),
    "",
    ...shown.flatMap(optionLines),
    ...(hidden.length === 0 ? [] : ["", ...withoutEffect(hidden)]),
    "",
  ].join("\n");
}

/** `-f, --use-file FILE`. */
function spelled(option: OptionSpec): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const value = option.value;
  if (value === undefined) return `${short}--${option.name}`;
  return `${short}--${option.name}${value.optional === true ? `[=${value.name}]` : ` ${value.name}`}`;
}

const INDENT = 30;

function optionLines(option: OptionSpec): readonly string[] {
  const head = `  ${spelled(option)}`;
  const [first = "", ...more] = wrap(option.about ?? "", WIDTH - INDENT);
  const indent = " ".repeat(INDENT);
  const begin = head.length < INDENT ? [`${head.padEnd(INDENT)}${first}`] : [head, indent + first];
  return [...begin, ...more.map((line) => indent + line)];
}

function withoutEffect(options: readonly OptionSpec[]): readonly string[] {
  const names = options.map((option) =>
    option.short === undefined ? `--${option.name}` : `-${option.short}`,
  );
  return wrap(`Accepted, without effect: ${names.join(" ")}`, WIDTH);
}

/** Breaks a text at spaces so that no line is longer than `width`, unless one word is. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}
