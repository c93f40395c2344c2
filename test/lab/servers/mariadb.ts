import assert from "node:assert/strict";
import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { asUser, userOf } from "./as-user.ts";
import type { Scene } from "./scene.ts";
import type { Server } from "./server.ts";
import { needProgram, runOn } from "./server.ts";

const PROGRAM = "/usr/sbin/mariadbd";
const INSTALLER = "/usr/bin/mariadb-install-db";
const CLIENT = "/usr/bin/mariadb";
const USER = "mysql";

export interface Mariadb extends Server {
  /** Of a user without privileges, for the client; only the server's user may read it. */
  readonly clientFile: string;
  query(sql: string): Promise<void>;
}

/** MariaDB on a node. */
export async function mariadb(scene: Scene, at: number): Promise<Mariadb> {
  for (const program of [PROGRAM, INSTALLER, CLIENT]) needProgram(program);
  const { node } = scene.member(at);
  const { uid, gid } = userOf(USER);
  const folder = scene.folder(at).join("mariadb");
  mkdirSync(folder);
  chownSync(folder, uid, gid);
  const data = join(folder, "data");
  const socket = join(folder, "socket");
  const run = async (...command: readonly [string, ...string[]]): Promise<void> => {
    const { status, output } = await runOn(node, asUser(USER, ...command));
    assert.equal(status, 0, output);
  };
  await run(
    INSTALLER,
    ...["--no-defaults", `--datadir=${data}`, `--auth-root-socket-user=${USER}`],
    ...["--skip-test-db", "--skip-name-resolve"],
  );
  const clientFile = scene
    .folder(at)
    .write("mysql.cnf", `[client]\nuser=watch\npassword=secret\nsocket=${socket}\n`, 0o600);
  chownSync(clientFile, uid, gid);
  const query = (sql: string): Promise<void> =>
    run(CLIENT, "--no-defaults", `--socket=${socket}`, "-e", sql);
  const small = ["--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M"];
  const server = scene.server({
    node,
    command: asUser(
      USER,
      PROGRAM,
      "--no-defaults",
      ...[`--datadir=${data}`, `--socket=${socket}`, `--pid-file=${join(folder, "pid")}`],
      ...["--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0", ...small],
    ),
    ready: () => query("create user if not exists watch@localhost identified by 'secret'"),
  });
  return Object.assign(server, { clientFile, query });
}
