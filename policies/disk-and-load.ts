import { definePolicy } from "holdfast/sdk";

// A node that is overloaded or full gives way, while another is better off: weights, never a fault.

const MOST_LOAD = 16;
const MOST_PERCENT = 95;

export default definePolicy({
  about: "Prefers the node with load and disk space to spare",
  permissions: {
    read: ["/proc/loadavg"],
    exec: { df: ["/bin/df", "--output=pcent,target", "-l"] },
    control: { routers: ["VI_1"] },
  },
  checks: {
    load: {
      every: "5s",
      fall: 3,
      rise: 6,
      track: { routers: { VI_1: -10 } },
      async run(ctx) {
        const load = Number.parseFloat(await ctx.files.readText("/proc/loadavg"));
        ctx.metrics.gauge("load", load);
        return { ok: load < MOST_LOAD, reason: `load ${load}` };
      },
    },
    disk: {
      every: "30s",
      track: { routers: { VI_1: -10 } },
      async run(ctx) {
        const { stdout } = await ctx.exec.run("df");
        const rows = stdout.trim().split("\n").slice(1);
        const full = rows.filter((row) => Number.parseInt(row, 10) > MOST_PERCENT);
        return { ok: full.length === 0, reason: full.map((row) => row.trim()).join(", ") };
      },
    },
  },
});
