import { readFileSync } from "node:fs";

/** Shown in stacks; frames of it are left out of what an author sees. */
export const PRELUDE_FILE = "prelude.js";

/** The guest side as a script. Its value is the door: see guest.js, a file of its own in a build too. */
export function readPrelude(): string {
  const source = readFileSync(new URL("guest.js", import.meta.url), "utf8");
  const body = source
    .replace(/^ *(\/\/|\/\*\*|\*).*\n/gm, "")
    .replace(/^ +/gm, "")
    .replace(/export ?\{ ?([\w$]+)(?: as door)? ?\};?/, "return $1;");
  return `(function(){"use strict";${body}})()`;
}
