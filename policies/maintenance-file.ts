import { definePolicy } from "holdfast/sdk";

// `touch /run/holdfast/maintenance` hands the addresses over; `rm` takes part again. A node in
// maintenance still takes over when it is the only one left: a weight, not a fault.

const FILE = "/run/holdfast/maintenance";

export default definePolicy({
  about: "A file puts this node behind the others",
  permissions: { read: ["/run/holdfast/maintenance"], control: { routers: ["VI_1"] } },
  checks: {
    inService: {
      every: "1s",
      onStale: "up",
      track: { routers: { VI_1: -200 } },
      async run(ctx) {
        const maintenance = await ctx.files.exists(FILE);
        return { ok: !maintenance, reason: maintenance ? `${FILE} is there` : "in service" };
      },
    },
  },
});
