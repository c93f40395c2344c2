import { fork } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

/* As a supervisor: listens on a path, has a child claim a name, and tells its pid. */

const [, , name = "", path] = process.argv;
const child = fork(fileURLToPath(new URL("sole-holder-child.ts", import.meta.url)), [name]);
child.once("message", () => {
  createServer().listen(path, () => process.send?.(child.pid));
});
