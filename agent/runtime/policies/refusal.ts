import { CallError } from "../../../sdk/plugin.ts";
import type { Diagnostic } from "../../config/diagnostic.ts";
import type { SandboxFailure } from "../../sandbox/sandbox.ts";

/** A finding in one line: place, what is wrong, what to do. */
export function problemText({ position, message, hint }: Diagnostic): string {
  const { file, line, column } = position;
  return `${file}:${line}:${column}: ${message}${hint === undefined ? "" : ` (${hint})`}`;
}

/** A failure in the sandbox in one line: place, and what happened. */
export function failureText({ kind, message, stack }: SandboxFailure): string {
  const [place] = stack;
  const text = message === "" ? kind : message;
  return place === undefined ? text : `${place}: ${text}`;
}

/** A call that lies outside of what the policy may: the refusal names both lines to change. */
export function permissionRefusal(
  policy: string,
  permissionName: string,
  settingsFile: string,
  why: string,
): CallError {
  const grant = `policy ${policy} { grant { ${permissionName} … } }`;
  return new CallError(
    "permission",
    `${why}; ask for it in permissions.${permissionName} of the policy, and grant it in ` +
      `${settingsFile}: ${grant}`,
  );
}

export const unknownOperation = (operation: string): CallError =>
  new CallError("unknown", `there is no ${operation.slice(0, 80)} here`);
