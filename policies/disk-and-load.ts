import { definePolicy } from "holdfast/sdk";

// A node that is overloaded or full gives way to one that is better off: weights, never a fault, so
// that the address stays where it is when all nodes are alike. Give each weight more than the
// difference of the priorities.

/** Twice the processors is a good measure. */
const MOST_LOAD = 16;
const MOST_PERCENT = 95;

export default definePolicy({
  about: "Prefers the node with load and disk space to spare",
  permissions: {
    read: ["/proc/loadavg"],
    // The disks that matter, by name: one that is full by nature says nothing.
    exec: { df: ["/bin/df", "--output=pcent,target", "/", "/var"] },
    control: { routers: ["VI_1"] },
  },
  checks: {
    // Slow in both directions: a short peak is no overload, and the load that moved comes back.
    load: {
      every: "5s",
      fall: 3,
      rise: 6,
      track: { routers: { VI_1: -60 } },
      async run(ctx) {
        const load = Number.parseFloat(await ctx.files.readText("/proc/loadavg"));
        ctx.metrics.gauge("load", load);
        return { ok: load < MOST_LOAD, reason: `load ${load}` };
      },
    },
    disk: {
      every: "30s",
      track: { routers: { VI_1: -60 } },
      async run(ctx) {
        const { code, stdout } = await ctx.exec.run("df");
        if (code !== 0) return { ok: false, reason: `df ended with status ${code}` };
        const rows = stdout.trim().split("\n").slice(1);
        const full = rows.filter((row) => Number.parseInt(row, 10) > MOST_PERCENT);
        return { ok: full.length === 0, reason: full.map((row) => row.trim()).join(", ") };
      },
    },
  },
});
