import { definePolicy } from "holdfast/sdk";

// `touch /run/holdfast/maintenance` hands the address over; `rm` takes part again. A node in
// maintenance still takes over when it is the only one left: a weight, not a fault. The folder is
// emptied when the machine starts; elsewhere the file would last.

const FILE = "/run/holdfast/maintenance";

export default definePolicy({
  about: "A file puts this node behind the others",
  permissions: { read: ["/run/holdfast/maintenance"], control: { routers: ["VI_1"] } },
  checks: {
    inService: {
      every: "1s",
      // Without this policy the node is in service.
      onStale: "up",
      track: { routers: { VI_1: -200 } },
      async run(ctx) {
        const maintenance = await ctx.files.exists(FILE);
        return { ok: !maintenance, reason: maintenance ? `${FILE} is there` : "in service" };
      },
    },
  },
});
