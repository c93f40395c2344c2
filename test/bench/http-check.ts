import { checkCost } from "./check-cost.ts";
import { NGINX_URL, serveNginx } from "./nginx.ts";
import type { Package } from "./program.ts";
import type { Section } from "./row.ts";

/** Whether a real nginx answers, on loopback. */
export const httpCheck = (from: Package): Promise<Section> =>
  checkCost(from, {
    title: "Does nginx answer?",
    method:
      "keepalived runs a script of `curl -sf`, Holdfast `ctx.http.get`; nginx itself is not counted.",
    what: "processor time of an HTTP check",
    script: `exec curl -sf -o /dev/null ${NGINX_URL}`,
    run: `async (ctx) => (await ctx.http.get("${NGINX_URL}")).status === 200`,
    permissions: `{ http: ["${NGINX_URL}"] }`,
    grant: [`http ${NGINX_URL}`],
    aim: 30,
    serve: async (node) => {
      const nginx = await serveNginx(node);
      return () => nginx.dispose();
    },
  });
