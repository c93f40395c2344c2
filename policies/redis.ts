import { definePolicy } from "holdfast/sdk";

// The address follows the Redis that is master; a replica takes it only when nobody else can. Who
// promotes a replica (you, or Sentinel) moves the address with it. With a password, give Redis a user
// for this, `ACL SETUSER watch on nopass +role`, and let `master` send "AUTH watch -\r\nROLE\r\n".

const SERVER = "127.0.0.1:6379";

export default definePolicy({
  about: "Redis answers here, and the master is preferred",
  permissions: { tcp: ["127.0.0.1:6379"], control: { routers: ["VI_1"] } },
  checks: {
    // A fault: a node whose Redis is gone, or still loads its data, never has the address.
    alive: {
      every: "1s",
      timeout: "900ms",
      fall: 3,
      track: { routers: { VI_1: "fault" } },
      async run(ctx) {
        const talk = { send: "PING\r\n", until: "\r\n" };
        const { received } = await ctx.tcp.connect(SERVER, talk);
        // With a password set, "-NOAUTH …" is an answer of a Redis that lives.
        const ok = received.startsWith("+PONG") || received.startsWith("-NOAUTH");
        return { ok, reason: received.trim().slice(0, 80) };
      },
    },
    // A weight that counts while it is up: more than the difference of the priorities.
    master: {
      every: "1s",
      timeout: "900ms",
      fall: 2,
      track: { routers: { VI_1: 50 } },
      async run(ctx) {
        // The role, then a number: ":0" of a master, the port of a replica's master.
        const talk = { send: "ROLE\r\n", until: "\r\n:" };
        const { received } = await ctx.tcp.connect(SERVER, talk);
        const role = /\b(master|slave)\b/.exec(received)?.[1] ?? "no role";
        return { ok: role === "master", reason: role };
      },
    },
  },
});
