import assert from "node:assert/strict";
import { test } from "node:test";
import { renderServices, serviceLines, serviceProblems } from "../../agent/cli/status/services.ts";
import { PLAIN } from "../../agent/cli/style.ts";
import type { RealServerStatus, ServiceStatus } from "../../agent/control/protocol.ts";

const NOW = 1_000_000;

const server: RealServerStatus = {
  server: "10.0.0.1:80",
  state: "up",
  reason: "connected",
  since: NOW - 12_000,
  configuredWeight: 5,
  weight: 5,
  kernelWeight: 5,
  connections: { active: 3, inactive: 9 },
  override: null,
  change: null,
  contributions: [],
  checks: [
    {
      kind: "tcp",
      verdict: "up",
      reason: "",
      runs: 7,
      failures: 0,
      failing: 0,
      lastMs: 1.24,
      p50Ms: 1.1,
      p99Ms: 33.6,
    },
  ],
};

const service: ServiceStatus = {
  name: "[192.0.2.1]:tcp:80",
  targets: ["tcp 192.0.2.1:80"],
  scheduler: "wlc",
  quorum: { up: true, weight: 5, wanted: 1, hysteresis: 0 },
  sorryServer: null,
  held: 0,
  suspended: false,
  retiring: false,
  refused: [],
  realServers: [server],
};

test("each service with its real servers, and what an operator said", () => {
  const drained: RealServerStatus = {
    ...server,
    server: "10.0.0.2:80",
    weight: 0,
    kernelWeight: 0,
    override: { kind: "drain", who: "eve", at: NOW - 60_000 },
  };
  const down: RealServerStatus = {
    ...server,
    server: "10.0.0.3:80",
    state: "down",
    reason: "connection\nrefused",
    weight: null,
    kernelWeight: 5,
  };
  const text = renderServices([{ ...service, realServers: [server, drained, down] }], NOW, PLAIN);
  assert.match(
    text,
    /^\[192\.0\.2\.1\]:tcp:80 {2}tcp 192\.0\.2\.1:80, wlc, quorum: weight 5 of 1\n/,
  );
  assert.match(text, /10\.0\.0\.1:80 +up +5 +3 +12 s +tcp 1\.2 ms \(1\.1, 33\.6\) +connected/);
  assert.match(text, /10\.0\.0\.2:80 +drained +0 of 5 .*by eve, 1 min ago/);
  assert.match(text, /10\.0\.0\.3:80 +down +out \(kernel: 5\).*connection refused/);
  const by = { source: "policy least-latency balance", since: NOW - 3_000 };
  const balanced: RealServerStatus = {
    ...server,
    weight: 2,
    contributions: [{ ...by, kind: "balance", weight: 2 }],
  };
  const row = renderServices([{ ...service, realServers: [balanced] }], NOW, PLAIN);
  assert.match(row, / weight 2 by policy least-latency balance, 3 s ago; connected/);
  assert.equal(renderServices([], NOW, PLAIN), "No virtual server is configured.\n");
});

test("why is what the checks say now, and of which of several it is", () => {
  const [check] = server.checks;
  assert.ok(check !== undefined);
  const failing = { ...check, failing: 2, reason: "HTTP 503" };
  const http = { ...check, kind: "http" };
  const rows: readonly (readonly [Partial<RealServerStatus>, RegExp])[] = [
    [{ checks: [failing] }, /connected; failed 2 times so far: HTTP 503$/m],
    [{ checks: [http, { ...failing, failing: 1 }] }, /; failed once so far: tcp: HTTP 503$/m],
    [
      { state: "down", reason: "connection refused", checks: [{ ...failing, verdict: "down" }] },
      / ms \(1\.1, 33\.6\) +HTTP 503$/m,
    ],
    [
      { state: "down", reason: "no", checks: [http, { ...failing, verdict: "down" }] },
      / +tcp: HTTP 503$/m,
    ],
    // It is something else that keeps it out.
    [{ state: "down", reason: "not looked at yet", checks: [check] }, / +not looked at yet$/m],
  ];
  for (const [part, wanted] of rows) {
    const realServers = [{ ...server, ...part }];
    assert.match(renderServices([{ ...service, realServers }], NOW, PLAIN), wanted);
  }
});

test("who added and who removed a real server", () => {
  const said = { who: "eve", at: NOW - 60_000 };
  const servers: readonly RealServerStatus[] = [
    { ...server, change: { kind: "added", ...said, like: "10.0.0.2:80" } },
    {
      ...{ ...server, server: "10.0.0.3:80", state: "removed", reason: "", since: null },
      ...{ weight: null, kernelWeight: null, connections: null, checks: [] },
      change: { kind: "removed", ...said, like: null },
    },
    {
      ...{ ...server, server: "10.0.0.4:80", weight: 0, kernelWeight: 0, reason: "" },
      override: { kind: "drain", who: "bob", at: NOW - 5_000 },
      change: { kind: "added", ...said, like: null },
    },
  ];
  const text = renderServices([{ ...service, realServers: servers }], NOW, PLAIN);
  assert.match(
    text,
    /10\.0\.0\.1:80 +up, added .*by eve, 1 min ago, like 10\.0\.0\.2:80; connected/,
  );
  assert.match(text, /10\.0\.0\.3:80 +removed +out +by eve, 1 min ago\n/);
  assert.match(text, /10\.0\.0\.4:80 +drained, added .*by bob, 5 s ago; added by eve, 1 min ago\n/);
});

test("status has a line for each, and with many only for those that need somebody", () => {
  const lost: ServiceStatus = {
    ...service,
    name: "lost",
    quorum: { ...service.quorum, up: false, weight: 0 },
    sorryServer: { server: "10.0.0.99:80", active: true },
  };
  const few = serviceLines([service, lost], PLAIN).join("\n");
  assert.match(few, /tcp:80 +yes +5 of 1 +1 of 1 up/);
  assert.match(few, /lost +lost +0 of 1 .*sorry server 10\.0\.0\.99:80 serves/);
  const many = serviceLines([...Array.from({ length: 40 }, () => service), lost], PLAIN);
  assert.equal(many.at(-1), "40 further services are well.");
});

test("what needs a person", () => {
  const bad: ServiceStatus = {
    ...service,
    quorum: { ...service.quorum, up: false },
    held: 2,
    refused: ["add tcp 192.0.2.1:80: there is no scheduler nope"],
  };
  const problems = serviceProblems([bad, service], "the kernel has no ip_vs");
  assert.deepEqual(
    problems.map(({ subject, problem }) => `${subject}: ${problem.slice(0, 30)}`),
    [
      "ip_vs: the kernel has no ip_vs",
      "[192.0.2.1]:tcp:80: add tcp 192.0.2.1:80: there is",
      "[192.0.2.1]:tcp:80: it has no quorum: weight 5, wh",
      "[192.0.2.1]:tcp:80: 2 real servers fell at once, a",
    ],
  );
});
