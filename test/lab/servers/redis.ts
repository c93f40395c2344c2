import assert from "node:assert/strict";
import type { Scene } from "./scene.ts";
import type { Server } from "./server.ts";
import { needProgram } from "./server.ts";

const PROGRAM = "/usr/bin/redis-server";
const CLIENT = "/usr/bin/redis-cli";

/** Redis on its usual port of a node; with `master`, a replica of the one at that address. */
export function redis(scene: Scene, at: number, master?: string): Server {
  needProgram(PROGRAM);
  needProgram(CLIENT);
  const { node } = scene.member(at);
  const config = scene.folder(at).write(
    "redis/redis.conf",
    `bind * -::*
protected-mode no
save ""
dir ${scene.folder(at).path}/redis
repl-diskless-sync-delay 0
${master === undefined ? "" : `replicaof ${master} 6379\n`}`,
  );
  const role = master === undefined ? "master" : "slave";
  return scene.server({
    node,
    command: [PROGRAM, config],
    ready: () => assert.match(redisCli(scene, at, "role"), new RegExp(`^${role}`)),
  });
}

/** What redis-cli says on a node. */
export const redisCli = (scene: Scene, at: number, ...words: readonly string[]): string => {
  const { status, stdout } = scene.member(at).node.exec(CLIENT, words);
  assert.equal(status, 0, stdout);
  return stdout;
};
