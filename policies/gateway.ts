import { definePolicy } from "holdfast/sdk";

// A node that does not reach its gateway serves nobody. When no node reaches it, the gateway is at
// fault, and the address ends where it was (it may move to and fro once, as nodes find out one after
// the other): a weight does that, a fault would not. It is more than the difference of the priorities.

const GATEWAY = "192.0.2.1";

export default definePolicy({
  about: "The gateway answers this node",
  permissions: { gateway: ["192.0.2.1"], control: { routers: ["VI_1"] } },
  checks: {
    reachable: {
      every: "1s",
      timeout: "500ms",
      fall: 3,
      rise: 3,
      // Without this policy the agent is as it was before there was one.
      onStale: "up",
      track: { routers: { VI_1: -60 } },
      async run(ctx) {
        // One that does not answer in time throws, and that is a bad result.
        const { ms } = await ctx.gateway.probe(GATEWAY);
        return { ok: true, reason: `answered in ${ms} ms` };
      },
    },
  },
});
