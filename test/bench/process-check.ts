import { checkCost } from "./check-cost.ts";
import { NGINX, serveNginx } from "./nginx.ts";
import type { Package } from "./program.ts";
import type { Section } from "./row.ts";

/** Whether a real nginx runs. */
export const processCheck = (from: Package): Promise<Section> =>
  checkCost(from, {
    title: "Is nginx alive?",
    method:
      "keepalived runs a script of `pidof nginx`, Holdfast asks `ctx.processes.count`; nginx has a name of its own.",
    what: "processor time of a check whether nginx runs",
    script: `exec pidof ${NGINX} >/dev/null`,
    run: `(ctx) => ctx.processes.count("${NGINX}") > 0`,
    permissions: `{ process: ["${NGINX}"] }`,
    grant: [`process ${NGINX}`],
    aim: 50,
    serve: async (node) => {
      const nginx = await serveNginx(node);
      return () => nginx.dispose();
    },
  });
