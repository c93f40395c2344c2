import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Simulation } from "../../sdk/testing.ts";
import { simulated } from "./simulation.ts";

/** What a call is permitted, how it is made, how it is scripted, and what comes of it: JSON. */
interface Case {
  readonly permission: string;
  readonly call: string;
  readonly script: (sim: Simulation) => void;
  readonly comes: unknown;
}

const DAY = 86_400_000;

const CASES: Readonly<Record<string, Case>> = {
  "http, with a pattern": {
    permission: 'http: ["http://127.0.0.1/*"]',
    call: 'ctx.http.post("http://127.0.0.1/a/b", { body: "x" })',
    script: (sim) => sim.http("http://127.0.0.1/a*").replies(201, "made", { headers: { a: "b" } }),
    comes: { status: 201, headers: { a: "b" }, body: "made", ms: 0 },
  },
  "the last word on http": {
    permission: 'http: ["http://127.0.0.1/*"]',
    call: 'ctx.http.get("http://127.0.0.1:80")',
    script(sim) {
      sim.http("http://127.0.0.1/").replies(500);
      sim.http("*").replies(200, "", { after: "30ms" });
    },
    comes: { status: 200, headers: {}, body: "", ms: 30 },
  },
  tcp: {
    permission: 'tcp: ["127.0.0.1:6379"]',
    call: 'ctx.tcp.connect("127.0.0.1:6379", { send: "PING" })',
    script(sim) {
      sim.tcp("127.0.0.1:6379").replies("other");
      sim.tcp("127.0.0.1:6379", "PING").replies("PONG");
    },
    comes: { ms: 0, received: "PONG" },
  },
  udp: {
    permission: 'udp: ["127.0.0.1:53"]',
    call: 'ctx.udp.exchange("127.0.0.1:53", "q")',
    script: (sim) => sim.udp("127.0.0.1:53").replies("a"),
    comes: { ms: 0, received: "a" },
  },
  dns: {
    permission: 'dns: ["www.example.org"]',
    call: 'ctx.dns.resolve("www.example.org", "AAAA")',
    script(sim) {
      sim.dns("www.example.org").resolves(["192.0.2.1"]);
      sim.dns("www.example.org", "AAAA").resolves(["2001:db8::1"]);
    },
    comes: ["2001:db8::1"],
  },
  icmp: {
    permission: 'icmp: ["192.0.2.1"]',
    call: 'ctx.icmp.ping("192.0.2.1", { count: 3 })',
    script: (sim) => sim.icmp("192.0.2.1").replies({ after: "4ms" }),
    comes: { sent: 3, received: 3, ms: 4 },
  },
  gateway: {
    permission: 'gateway: ["192.0.2.1"]',
    call: 'ctx.gateway.probe("192.0.2.1")',
    script: (sim) => sim.gateway("192.0.2.1").replies({ after: "1ms" }),
    comes: { ms: 1 },
  },
  "tls, whose end follows from the days": {
    permission: 'tls: ["127.0.0.1:443"]',
    call: 'ctx.tls.certificate("127.0.0.1:443").then(({ daysLeft, notAfter, valid }) => [daysLeft, notAfter - ctx.now, valid])',
    script: (sim) => sim.tls("127.0.0.1:443").shows({ daysLeft: 2 }),
    comes: [2, 2 * DAY, true],
  },
  exec: {
    permission: 'exec: { df: ["/bin/df", "-l"] }',
    call: 'ctx.exec.run("df")',
    script: (sim) => sim.exec("df").exits(3, "full"),
    comes: { code: 3, stdout: "full", ms: 0 },
  },
  "a file, and one that is gone": {
    permission: 'read: ["/run/*"]',
    call: 'Promise.all([ctx.files.readText("/run/a"), ctx.files.exists("/run/b")])',
    script(sim) {
      sim.file("/run/a").is("text");
      sim.file("/run/b").gone();
    },
    comes: ["text", false],
  },
  interface: {
    permission: 'interface: ["eth0"]',
    call: 'ctx.interfaces.get("eth0").then(({ up, carrier, mtu }) => [up, carrier, mtu])',
    script: (sim) => sim.interface("eth0").is({ carrier: false }),
    comes: [true, false, 1500],
  },
  "an operator's own plugin": {
    permission: 'plugins: { "lab-power": { outlet: 3 } }',
    call: 'ctx.plugin("lab-power", "read", 3)',
    script: (sim) => sim.plugin("lab-power", "read").answers({ on: true }),
    comes: { on: true },
  },
  "a failure, by its code": {
    permission: 'read: ["/run/*"]',
    call: 'ctx.files.readText("/run/a").catch((error) => (error as { code?: string }).code ?? "")',
    script: (sim) => sim.file("/run/a").gone(),
    comes: "ENOENT",
  },
};

describe("a simulation answers", { timeout: 20_000 }, () => {
  for (const [name, { permission, call, script, comes }] of Object.entries(CASES)) {
    test(name, async () => {
      const sim = await simulated(
        `permissions: { ${permission} },
         checks: { it: { every: "1h", async run(ctx) {
           ctx.log.info("came", { it: await ${call} });
           return true;
         } } }`,
      );
      script(sim);
      await sim.advance("1s");
      assert.deepEqual(sim.errors, []);
      assert.deepEqual(sim.logs[0]?.fields["it"], comes);
    });
  }
});
