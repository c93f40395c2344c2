import { definePolicy } from "holdfast/sdk";

// Moves the address away from a node whose nginx does not answer, and tells by mail who has it.
// Names and addresses in `permissions` are written out: they are read before anything runs.

const URL = "http://127.0.0.1/";

export default definePolicy({
  about: "nginx answers here, and its death is seen at once",
  permissions: {
    http: ["http://127.0.0.1/*"],
    process: ["nginx"],
    mail: { to: ["ops@example.org"] },
    control: { routers: ["VI_1"] },
  },
  checks: {
    // What nobody answers, or with an error of the server, counts after two in a row. A weight: when
    // nginx fails on both nodes alike, the address stays where it is.
    alive: {
      every: "1s",
      timeout: "900ms",
      fall: 2,
      rise: 2,
      track: { routers: { VI_1: -50 } },
      async run(ctx) {
        const { status } = await ctx.http.get(URL);
        return { ok: status < 500, reason: `HTTP ${status}` };
      },
    },
    // The kernel tells when a process ends: this runs at once then, not a second later. A fault:
    // a node without nginx never has the address. A restart is an end too; a reload is none.
    running: {
      every: "1s",
      track: { routers: { VI_1: "fault" } },
      run(ctx) {
        const count = ctx.processes.count("nginx");
        return { ok: count > 0, reason: `${count} processes` };
      },
    },
  },
  on: {
    transition(ctx, { router, from, to, reason }) {
      if (to !== "active" && from !== "active") return;
      ctx.mail.send({
        subject: `${router} is ${to} on ${ctx.node}`,
        text: `${ctx.node}: ${router} went from ${from} to ${to} (${reason}).`,
      });
    },
  },
});
