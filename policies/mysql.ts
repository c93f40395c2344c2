import { definePolicy } from "holdfast/sdk";

// For MySQL and MariaDB. A server that is read-only is a replica; one behind a greeting of its own
// accord is alive. Its client reads user and password from /etc/holdfast/mysql.cnf.

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
        const writable = stdout.trim() === "0";
        return { ok: writable, reason: writable ? "writable" : "read-only" };
      },
    },
  },
});
