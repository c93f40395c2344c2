import { definePolicy } from "holdfast/sdk";

// The address follows the primary: a standby never has it. Promote one, and the address comes.
// Commands run as a user without rights; let this one run as PostgreSQL's own, in holdfast.conf:
//   exec { postgresql-primary/in-recovery postgres }
// For another socket or port add "-h", "/run/…" or "-p", "5433" to the command.

export default definePolicy({
  about: "PostgreSQL is the primary here",
  permissions: {
    exec: {
      "in-recovery": ["/usr/bin/psql", "-XAtqc", "select pg_is_in_recovery()", "postgres"],
    },
    control: { routers: ["VI_1"] },
  },
  checks: {
    primary: {
      every: "2s",
      timeout: "1500ms",
      fall: 2,
      track: { routers: { VI_1: "fault" } },
      async run(ctx) {
        const { code, stdout } = await ctx.exec.run("in-recovery");
        if (code !== 0) return { ok: false, reason: `psql ended with status ${code}` };
        const primary = stdout.trim() === "f";
        return { ok: primary, reason: primary ? "primary" : "standby" };
      },
    },
  },
});
