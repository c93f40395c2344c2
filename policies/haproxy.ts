import { definePolicy } from "holdfast/sdk";

// haproxy runs here and has a backend that works. It reads haproxy's own statistics; haproxy.cfg needs
//   frontend stats
//     bind 127.0.0.1:8404
//     stats enable
//     stats uri /stats
// (a frontend: a `listen` would count as a backend that always works).

const STATS = "http://127.0.0.1:8404/stats;csv";

export default definePolicy({
  about: "haproxy runs here and has a backend that works",
  permissions: {
    http: ["http://127.0.0.1:8404/*"],
    process: ["haproxy"],
    control: { routers: ["VI_1"] },
  },
  checks: {
    // Its end is seen at once; without haproxy a node never has the address.
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
      // More than the difference of the priorities, so that a node with a backend takes over. When
      // neither has one, both lose the same, and nothing moves.
      track: { routers: { VI_1: -60 } },
      async run(ctx) {
        const { status, body } = await ctx.http.get(STATS);
        if (status !== 200) return { ok: false, reason: `HTTP ${status} from the statistics` };
        const [header = "", ...rows] = body.trim().split("\n");
        const names = header.replace("# ", "").split(",");
        const server = names.indexOf("svname");
        const state = names.indexOf("status");
        const all = rows.map((row) => row.split(",")).filter((row) => row[server] === "BACKEND");
        const down = all.filter((row) => row[state] !== "UP").map(([name]) => name);
        ctx.metrics.gauge("backends_down", down.length);
        return { ok: down.length < all.length, reason: `down: ${down.join(", ") || "none"}` };
      },
    },
  },
});
