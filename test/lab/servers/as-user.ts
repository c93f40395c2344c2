import { execFileSync } from "node:child_process";

const SETPRIV = "/usr/bin/setpriv";

/** A command as it is run by another user; it dies with its parent all the same. */
export const asUser = (
  user: string,
  ...command: readonly string[]
): readonly [string, ...string[]] => {
  const { uid, gid } = userOf(user);
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  return [SETPRIV, ...identity, "--pdeathsig=KILL", "--", ...command];
};

export const userOf = (user: string): { readonly uid: number; readonly gid: number } => {
  const [uid = 0, gid = 0] = ["-u", "-g"].map((flag) =>
    Number(execFileSync("id", [flag, user], { encoding: "utf8" })),
  );
  return { uid, gid };
};
