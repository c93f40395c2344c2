import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { isPolicyFile, isPolicyName } from "../../policy/discover.ts";
import { writeEditorFiles } from "../../policy/editor-files.ts";
import { UsageError } from "../arguments.ts";
import type { CommandContext } from "../command.ts";
import { EXIT } from "../exit-status.ts";
import { textOf } from "../run-options.ts";
import { policiesDirectory } from "./policies.ts";
import type { PolicyTemplate } from "./templates.ts";
import { TEMPLATES } from "./templates.ts";

/** A file cannot be written. */
class PolicyNotWritten extends Error {
  override readonly name = "PolicyNotWritten";
  readonly code = "policy-not-written";
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** Writes a policy and its test; nothing that is there is touched. */
export function newPolicy({ terminal, arguments: parsed }: CommandContext): Promise<number> {
  const name = parsed.operands[0]?.replace(/\.ts$/, "") ?? "";
  if (!isPolicyName(name) || !isPolicyFile(`${name}.ts`)) {
    throw new UsageError(
      `${name} is no name for a policy`,
      "use letters, digits, and - _ . after the first, at most 64",
    );
  }
  const template = templateFor(name, textOf(parsed, "template"));
  const directory = policiesDirectory(parsed);
  const policy = join(directory, `${name}.ts`);
  const test = join(directory, `${name}.test.ts`);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    writeNew(policy, template.policy);
    writeNew(test, template.test.replaceAll("NAME", name));
    const others = writeEditorFiles(directory);
    const also = others.length === 0 ? "" : `  and ${others.length} files for editors\n`;
    terminal.out(`wrote\n  ${policy}\n  ${test}\n${also}\n${nextSteps(policy)}`);
  } catch (error) {
    throw notWritten(error, directory);
  }
  return Promise.resolve(EXIT.ok);
}

function templateFor(name: string, asked: string | undefined): PolicyTemplate {
  const named = new Map(Object.entries(TEMPLATES));
  const template =
    named.get(asked ?? name) ?? (asked === undefined ? named.get("empty") : undefined);
  if (template !== undefined) return template;
  const names = [...named.keys()].join(", ");
  throw new UsageError(`there is no template ${asked}`, `there are ${names}`);
}

const writeNew = (path: string, text: string): void =>
  writeFileSync(path, text, { flag: "wx", mode: 0o644 });

function nextSteps(file: string): string {
  const near = relative(process.cwd(), file);
  const shown = near.startsWith("..") ? file : near;
  const steps = [`check ${shown}`, `test ${shown}`, "grants --write"];
  return steps
    .map((step, at) => `${at === 0 ? "next:" : "     "} holdfast policy ${step}\n`)
    .join("");
}

function notWritten(error: unknown, directory: string): PolicyNotWritten {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (code === undefined) throw error;
  const path = error instanceof Error && "path" in error ? String(error.path) : directory;
  if (code === "EEXIST") {
    return new PolicyNotWritten(`${path} is there already`, "choose another name, or remove it");
  }
  return new PolicyNotWritten(
    `${path} cannot be written (${code})`,
    "become root, or name another folder with --policies",
  );
}
