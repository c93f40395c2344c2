/** Which processes a vrrp_track_process counts. */
export interface ProcessPattern {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly parameterMatch: "none" | "exact" | "initial" | "partial";
  readonly fullCommand: boolean;
}

interface Process {
  readonly comm: string;
  readonly commandLine: readonly string[];
}

/**
 * Whether it is one of them, as keepalived 2.2.7 was seen to decide: by the kernel's short name, or
 * with parameters or full_command by the command as it was started. `initial`: the parameters begin
 * with the characters that are given; `partial`: with the words that are given.
 */
export function matchesProcess(pattern: ProcessPattern, { comm, commandLine }: Process): boolean {
  const { program, parameters, parameterMatch, fullCommand } = pattern;
  if (!fullCommand && parameterMatch === "none") return comm === program;
  const [command, ...actual] = commandLine;
  if (command !== program) return false;
  switch (parameterMatch) {
    case "none":
      return true;
    case "exact":
      return actual.length === parameters.length && startsWith(actual, parameters);
    case "partial":
      return startsWith(actual, parameters);
    case "initial":
      return actual.join("\0").startsWith(parameters.join("\0"));
  }
}

const startsWith = (words: readonly string[], wanted: readonly string[]): boolean =>
  wanted.every((word, at) => words[at] === word);
