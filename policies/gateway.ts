import { definePolicy } from "holdfast/sdk";

// A node that does not reach its gateway serves nobody. When no node reaches it, the gateway is at
// fault, and the address had better stay: a weight does that, a fault would not.

export default definePolicy({
  about: "The gateway answers this node",
  permissions: { gateway: ["192.0.2.1"], control: { routers: ["VI_1"] } },
  checks: {
    reachable: {
      every: "1s",
      timeout: "500ms",
      fall: 3,
      rise: 3,
      onStale: "up",
      track: { routers: { VI_1: -60 } },
      async run(ctx) {
        const { ms } = await ctx.gateway.probe("192.0.2.1");
        return { ok: true, reason: `answered in ${ms} ms` };
      },
    },
  },
});
