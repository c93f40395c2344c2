import { definePolicy } from "holdfast/sdk";
import { simulate } from "holdfast/sdk/testing";

// Compiled by types.test.ts, and with everything else. Every @ts-expect-error must be one: the test takes each away in turn.

export const bare = definePolicy({
  checks: {
    a: {
      every: "1s",
      run(ctx) {
        ctx.log.info(ctx.node, { now: ctx.now });
        ctx.metrics.gauge("x", 1);
        // @ts-expect-error no permission http
        ctx.http;
        // @ts-expect-error no permission tcp
        ctx.tcp;
        // @ts-expect-error no permission udp
        ctx.udp;
        // @ts-expect-error no permission dns
        ctx.dns;
        // @ts-expect-error no permission icmp
        ctx.icmp;
        // @ts-expect-error no permission tls
        ctx.tls;
        // @ts-expect-error no permission exec
        ctx.exec;
        // @ts-expect-error no permission read
        ctx.files;
        // @ts-expect-error no permission process
        ctx.processes;
        // @ts-expect-error no permission interface
        ctx.interfaces;
        // @ts-expect-error no permission gateway
        ctx.gateway;
        // @ts-expect-error no permission mail
        ctx.mail;
        // @ts-expect-error no permission webhook
        ctx.webhook;
        // @ts-expect-error no permission plugins
        ctx.plugin;
        // @ts-expect-error no permission control
        ctx.router;
        // @ts-expect-error no permission control
        ctx.realServer;
        // @ts-expect-error no state
        ctx.state.n;
        return true;
      },
    },
  },
});

export const full = definePolicy({
  permissions: {
    http: ["http://127.0.0.1/*"],
    exec: { reload: ["/usr/sbin/nginx", "-s", "reload"] },
    process: ["nginx"],
    interface: ["eth0"],
    webhook: { chat: { preset: "slack", url: "u" }, plain: "u" },
    control: { routers: ["VI_1", "VI_2"], realServers: ["web/10.0.0.1:80"] },
    plugins: { fence: { port: 1 } },
  },
  state: {
    version: 1,
    init: () => ({ failures: 0, last: "" }),
    migrate: () => ({ failures: 1, last: "" }),
  },
  checks: {
    alive: {
      every: "1.5s",
      timeout: "500ms",
      onStale: { keep: { maxStale: "1m" } },
      track: { routers: { VI_1: -50, VI_2: "fault" }, realServers: { "web/10.0.0.1:80": "down" } },
      async run(ctx) {
        const status: number = (await ctx.http.get("http://127.0.0.1/")).status;
        const code: number = (await ctx.exec.run("reload")).code;
        const count: number = ctx.processes.count("nginx");
        ctx.webhook.post("chat", { text: "x", severity: "critical" });
        ctx.webhook.post("plain", { json: { a: [1, null] } });
        ctx.router("VI_1").adjust(-5, { ttl: "30s" });
        ctx.realServer("web/10.0.0.1:80").drain();
        await ctx.plugin("fence", "off", 1);
        ctx.state.failures += 1;
        const addresses: readonly string[] = (await ctx.interfaces.get("eth0")).addresses;
        // @ts-expect-error no such command
        await ctx.exec.run("rm");
        // @ts-expect-error no such program
        ctx.processes.count("apache2");
        // @ts-expect-error no such interface
        await ctx.interfaces.get("eth1");
        // @ts-expect-error no such webhook
        ctx.webhook.post("chta", { text: "x" });
        // @ts-expect-error no such severity
        ctx.webhook.post("chat", { text: "x", severity: "bad" });
        // @ts-expect-error no such plugin
        await ctx.plugin("other", "off");
        // @ts-expect-error no such router
        ctx.router("VI_3");
        // @ts-expect-error no such real server
        ctx.realServer("web/10.0.0.2:80");
        // @ts-expect-error no such member of the state
        ctx.state.failure;
        // @ts-expect-error another type in the state
        ctx.state.failures = "1";
        // @ts-expect-error a lease is a duration
        ctx.router("VI_1").adjust(-5, { ttl: 30 });
        // @ts-expect-error what is read of the agent cannot be written
        ctx.routers["VI_1"] = undefined;
        // @ts-expect-error tcp is not among the permissions
        ctx.tcp;
        return { ok: status === 200 && code + count > 0, reason: addresses.join() };
      },
    },
    other: { every: "24h", run: () => "skip" },
  },
  on: {
    checkChange(_ctx, { check, up }) {
      const known: "alive" | "other" = check;
      const flag: boolean = up;
      // @ts-expect-error there are two checks
      const one: "alive" = check;
      return void [known, flag, one];
    },
    transition(ctx, event) {
      ctx.router(event.router === "VI_1" ? "VI_1" : "VI_2").clear();
      // @ts-expect-error MASTER is no word of ours
      return void (event.to === "MASTER");
    },
    start(_ctx, { reason }) {
      const known: "boot" | "reload" | "recovery" = reason;
      return void known;
    },
  },
});

export const durations = definePolicy({
  checks: {
    // @ts-expect-error a unit is ms, s, m or h
    a: { every: "1 sec", run: () => true },
    // @ts-expect-error a duration has a unit
    b: { every: "1", run: () => true },
    // @ts-expect-error a duration is a text
    c: { every: 1000, run: () => true },
    // @ts-expect-error a verdict is no number
    d: { every: "1s", run: () => 1 },
    // @ts-expect-error periodic work has a period
    e: { run: () => true },
    // @ts-expect-error keep says for how long
    f: { every: "1s", onStale: "keep", run: () => true },
  },
});

export const events = definePolicy({
  on: {
    // @ts-expect-error no such event
    transitoin() {},
  },
});

export const tracked = definePolicy({
  permissions: { control: { routers: ["VI_1"] } },
  checks: {
    a: {
      every: "1s",
      // @ts-expect-error only what is controlled can be tracked
      track: { routers: { VI_2: -5 } },
      run: () => true,
    },
    b: {
      every: "1s",
      // @ts-expect-error routers are no servers
      track: { realServers: { VI_1: "down" } },
      run: () => true,
    },
  },
});

export const balanced = definePolicy({
  permissions: { control: { services: ["web"] } },
  state: { version: 1, init: () => ({ parts: 1 }) },
  balance: {
    every: "1s",
    timeout: "100ms",
    ttl: "10s",
    run(ctx, { name, realServers }) {
      ctx.state.parts += 1;
      ctx.log.info(name);
      const [first] = realServers;
      const slow: number | undefined = first?.latencyMs?.p99;
      const kept: boolean = first?.order === "drain" || first?.held === true;
      // @ts-expect-error it may have no latency
      const never: number = first.latencyMs.p50;
      // @ts-expect-error what it is shown cannot be written
      realServers[0] = first;
      // @ts-expect-error no permission http
      ctx.http;
      return { "10.0.0.1:80": slow ?? never, "10.0.0.2:80": kept ? 1 : 0 };
    },
  },
});
export const balancingNothing = definePolicy({
  // @ts-expect-error no service that it may balance
  balance: { every: "1s", run: () => ({}) },
});
export const balancingOddly = definePolicy({
  permissions: { control: { services: ["web"] } },
  // @ts-expect-error a weight is a number
  balance: { every: "1s", run: () => ({ "10.0.0.1:80": "5" }) },
});
export const balancingNever = definePolicy({
  permissions: { control: { services: ["web"] } },
  // @ts-expect-error it has a period
  balance: { run: () => ({}) },
});

// @ts-expect-error no such permission
export const asking = definePolicy({ permissions: { htp: ["x"] } });
// @ts-expect-error mail goes to a list
export const mailing = definePolicy({ permissions: { mail: { to: "x" } } });
export const posting = definePolicy({
  // @ts-expect-error no such preset
  permissions: { webhook: { a: { preset: "irc", url: "u" } } },
});
// @ts-expect-error state is plain data
export const remembering = definePolicy({ state: { version: 1, init: () => new Map() } });

export async function simulated(): Promise<number> {
  const sim = await simulate("./nginx.ts", { routers: { VI_1: { state: "active" } } });
  // @ts-expect-error a simulation begins as backup or active
  await simulate("./nginx.ts", { routers: { VI_1: { state: "fault" } } });
  // @ts-expect-error a time has a unit
  await sim.advance("10");
  // @ts-expect-error a file answers nothing
  sim.file("/x").replies("a");
  await sim.realServer("web/10.0.0.1:80", { up: false, latencyMs: 5, order: null });
  // @ts-expect-error an operator says no such thing
  await sim.realServer("web/10.0.0.1:80", { order: "remove" });
  // @ts-expect-error a command exits with a number
  sim.exec("df").exits("0");
  // @ts-expect-error no such state
  await sim.transition("VI_1", "master");
  // @ts-expect-error what was sent is read, not written
  sim.mails.push({ at: 0, to: [], subject: "", text: "" });
  return sim.router("VI_1").priority;
}
