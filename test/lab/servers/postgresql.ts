import assert from "node:assert/strict";
import { chownSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { asUser, userOf } from "./as-user.ts";
import type { Scene } from "./scene.ts";
import type { Server } from "./server.ts";
import { needProgram, runOn } from "./server.ts";

const USER = "postgres";
const CLIENT = "/usr/bin/psql";

/** PostgreSQL on a node, with its socket in `socketFolder`. */
export interface Postgresql extends Server {
  readonly socketFolder: string;
  query(sql: string): string;
}

/** A primary; with `primary`, a standby of the one at that address, which must run. */
export async function postgresql(scene: Scene, at: number, primary?: string): Promise<Postgresql> {
  const programs = programFolder();
  const { node, address } = scene.member(at);
  const { uid, gid } = userOf(USER);
  const socketFolder = scene.folder(at).join("postgresql");
  const data = join(socketFolder, "data");
  mkdirSync(socketFolder);
  chownSync(socketFolder, uid, gid);
  const run = async (program: string, ...args: readonly string[]): Promise<void> => {
    const { status, output } = await runOn(node, asUser(USER, join(programs, program), ...args));
    assert.equal(status, 0, `${program}: ${output}`);
  };
  if (primary === undefined) {
    await run("initdb", "-D", data, "-A", "peer", "--no-sync", "--no-locale");
    writeFileSync(join(data, "pg_hba.conf"), HOST_BASED);
  } else {
    await run(
      "pg_basebackup",
      "-D",
      data,
      "-h",
      primary,
      "-U",
      USER,
      "-R",
      "-c",
      "fast",
      "--no-sync",
    );
  }
  const options = [`listen_addresses=${address}`, "fsync=off", "shared_buffers=8MB"];
  const settings = options.flatMap((option) => ["-c", option]);
  const query = (sql: string): string => {
    const [command, ...words] = asUser(USER, CLIENT, "-h", socketFolder, "-XAtqc", sql, USER);
    const { status, stdout, stderr } = node.exec(command, words);
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };
  const server = scene.server({
    node,
    command: asUser(USER, join(programs, "postgres"), "-D", data, "-k", socketFolder, ...settings),
    ready: () =>
      assert.equal(query("select pg_is_in_recovery()"), primary === undefined ? "f" : "t"),
  });
  return Object.assign(server, { socketFolder, query });
}

const HOST_BASED = `local all all peer
host replication all 192.0.2.0/24 trust
`;

/** Of the newest version that is installed. */
function programFolder(): string {
  needProgram("/usr/bin/pg_ctlcluster");
  needProgram(CLIENT);
  const [newest] = globSync("/usr/lib/postgresql/*/bin/initdb").sort().reverse();
  assert.ok(newest !== undefined, "no version of PostgreSQL's server is on this machine");
  return dirname(newest);
}
