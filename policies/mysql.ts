import { definePolicy } from "holdfast/sdk";

// For MySQL and MariaDB: the address follows the server that takes writes. Have replicas start with
// `read_only`; who clears it on one of them moves the address there.
// User, password and socket stand in a file of the client's own form, [client] and user=…; its user
// needs no privileges. Let the client run as somebody who may read the file, in holdfast.conf:
//   exec { mysql/read-only mysql }
// MariaDB from 11 on calls the client /usr/bin/mariadb.

/** What servers say of `off`, by their age. */
const OFF = ["0", "OFF"];

export default definePolicy({
  about: "MySQL or MariaDB takes writes here",
  permissions: {
    exec: {
      "read-only": [
        "/usr/bin/mysql",
        "--defaults-file=/etc/holdfast/mysql.cnf",
        "-NBe",
        "select @@global.read_only",
      ],
    },
    control: { routers: ["VI_1"] },
  },
  checks: {
    writable: {
      every: "2s",
      timeout: "1500ms",
      fall: 2,
      track: { routers: { VI_1: "fault" } },
      async run(ctx) {
        const { code, stdout } = await ctx.exec.run("read-only");
        if (code !== 0) return { ok: false, reason: `mysql ended with status ${code}` };
        const writable = OFF.includes(stdout.trim());
        return { ok: writable, reason: writable ? "writable" : "read-only" };
      },
    },
  },
});
