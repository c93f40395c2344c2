import { definePolicy } from "holdfast/sdk";

// haproxy.cfg needs a frontend with `stats enable` and `stats uri /stats` on this address.
const STATS = "http://127.0.0.1:8404/stats;csv";

export default definePolicy({
  about: "haproxy runs here and has a backend that works",
  permissions: {
    http: ["http://127.0.0.1:8404/*"],
    process: ["haproxy"],
    control: { routers: ["VI_1"] },
  },
  checks: {
    running: {
      every: "1s",
      track: { routers: { VI_1: "fault" } },
      run(ctx) {
        const count = ctx.processes.count("haproxy");
        return { ok: count > 0, reason: `${count} processes` };
      },
    },
    backends: {
      every: "2s",
      timeout: "1s",
      fall: 2,
      rise: 2,
      // Less than the difference of the priorities: with no backend on either node, nothing moves.
      track: { routers: { VI_1: -20 } },
      async run(ctx) {
        const { status, body } = await ctx.http.get(STATS);
        if (status !== 200) return { ok: false, reason: `HTTP ${status} from the statistics` };
        const [header = "", ...rows] = body.trim().split("\n");
        const names = header.replace("# ", "").split(",");
        const rank = names.indexOf("svname");
        const state = names.indexOf("status");
        const backends = rows.map((row) => row.split(",")).filter((row) => row[rank] === "BACKEND");
        const down = backends.filter((row) => row[state] !== "UP").map((row) => row[0]);
        ctx.metrics.gauge("backends_down", down.length);
        return { ok: down.length < backends.length, reason: `down: ${down.join(", ") || "none"}` };
      },
    },
  },
});
