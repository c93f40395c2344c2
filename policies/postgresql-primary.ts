import { definePolicy } from "holdfast/sdk";

// The address follows the primary: a standby never has it. Promote, and the address comes.

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
      rise: 1,
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
