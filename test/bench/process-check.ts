import { checkCost } from "./check-cost.ts";
import { serveNginx } from "./nginx.ts";
import type { Package } from "./program.ts";
import type { Section } from "./row.ts";

/** Whether a real nginx runs. */
export const processCheck = (from: Package): Promise<Section> =>
  checkCost(from, {
    title: "Is nginx alive?",
    method: "keepalived runs a script of `pidof nginx`, Holdfast asks `ctx.processes.count`.",
    what: "processor time of a check whether nginx runs",
    script: "exec pidof nginx >/dev/null",
    run: '(ctx) => ctx.processes.count("nginx") > 0',
    permissions: '{ process: ["nginx"] }',
    grant: ["process nginx"],
    aim: 50,
    serve: async (node) => {
      const nginx = await serveNginx(node);
      return () => nginx.dispose();
    },
  });
