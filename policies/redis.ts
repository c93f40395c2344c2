import { definePolicy } from "holdfast/sdk";

// The address follows the Redis that is master: a replica takes it only when nobody else can.

export default definePolicy({
  about: "Redis answers here, and the master is preferred",
  permissions: { tcp: ["127.0.0.1:6379"], control: { routers: ["VI_1"] } },
  checks: {
    alive: {
      every: "1s",
      timeout: "900ms",
      fall: 3,
      track: { routers: { VI_1: "fault" } },
      async run(ctx) {
        const options = { send: "PING\r\n", until: "\r\n" };
        const { received } = await ctx.tcp.connect("127.0.0.1:6379", options);
        // With a password set, "-NOAUTH …" is an answer of a Redis that lives.
        const ok = received.startsWith("+PONG") || received.startsWith("-NOAUTH");
        return { ok, reason: received.trim().slice(0, 80) };
      },
    },
    master: {
      every: "1s",
      timeout: "900ms",
      fall: 2,
      rise: 2,
      track: { routers: { VI_1: 50 } },
      async run(ctx) {
        const options = { send: "ROLE\r\n", until: "\r\n$" };
        const { received } = await ctx.tcp.connect("127.0.0.1:6379", options);
        const master = /\r\nmaster/.test(received) || received.includes("master");
        return { ok: master, reason: master ? "master" : "replica" };
      },
    },
  },
});
