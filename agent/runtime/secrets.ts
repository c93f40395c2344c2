import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { CallError } from "../../sdk/plugin.ts";
import type { Settings } from "../config/settings.ts";

const REFERENCE = /\$\{secret:([^{}]*)\}/g;
const LONGEST = 65_536;

/**
 * Puts secrets in the place of `${secret:name}`. They are read anew each time, so a file that was
 * changed holds at once. Throws a CallError that says what is missing, and never what a secret is.
 */
export const putSecrets = (text: string, secrets: Settings["secrets"]): string =>
  text.replaceAll(REFERENCE, (_, name: string) => {
    const file = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
    if (file !== undefined) return readSecret(name, file);
    const remedy = "add it to the secrets of holdfast.conf";
    throw new CallError("secret", `there is no secret ${JSON.stringify(name)}: ${remedy}`);
  });

/** The first line of the file. */
function readSecret(name: string, file: string): string {
  const refuse = (why: string): CallError => new CallError("secret", `the secret ${name}: ${why}`);
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw refuse(`its file cannot be read (${errnoOf(error)})`);
  }
  try {
    const { mode, size, uid } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw refuse("it is no plain file");
    if (uid !== 0 && uid !== process.geteuid?.()) throw refuse("its file belongs to another user");
    if ((mode & 0o027) !== 0) throw refuse("others may read its file: chmod 0600, or 0640");
    if (size > LONGEST) throw refuse(`its file has more than ${LONGEST} bytes`);
    return readFileSync(fd, "utf8").split(/\r?\n/, 1)[0] ?? "";
  } finally {
    closeSync(fd);
  }
}

const errnoOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown";
