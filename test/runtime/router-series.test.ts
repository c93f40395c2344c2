import assert from "node:assert/strict";
import { test } from "node:test";
import { routerSeries } from "../../agent/runtime/router-series.ts";
import { FakeLan } from "./fake-lan.ts";
import { config, host, instance } from "./fixtures.ts";
import { Lab } from "./mandates/lab.ts";
import { VirtualTime } from "./virtual-time.ts";

test("each router has its counters, and alarms and reasons are labels", async () => {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const one = host("a", time, lan, "192.0.2.1/24");
  const other = host("b", time, lan, "192.0.2.2/24");
  await one.node.configure(config([instance("VI_1", { priority: 150 })]));
  await other.node.configure(config([instance("VI_1", { version: 2 })]));
  await time.advance(5_500);
  const lines = routerSeries([...one.node.snapshot()]).split("\n");
  for (const line of [
    "# TYPE holdfast_router_active gauge",
    'holdfast_router_active{router="VI_1"} 1',
    'holdfast_router_priority{router="VI_1"} 150',
    'holdfast_router_became_active_total{router="VI_1"} 1',
    'holdfast_router_advertisements_dropped_total{router="VI_1",reason="version"} 2',
    "# TYPE holdfast_router_alarms_total counter",
    'holdfast_router_alarms_total{router="VI_1",alarm="version-mismatch"} 1',
  ]) {
    assert.ok(lines.includes(line), `${line}\n\n${lines.join("\n")}`);
  }
});

test("where somebody has a say in it, series say whether it may be reached", async () => {
  const lab = new Lab();
  const has = (...lines: readonly string[]): void => {
    const all = routerSeries([...lab.host.node.snapshot()]).split("\n");
    for (const line of lines) assert.ok(all.includes(line), `${line}\n\n${all.join("\n")}`);
  };
  await lab.configure();
  await lab.time.advance(3_700);
  has('holdfast_router_mandate_granted{router="VI_1"} 0');
  lab.grant(1_000);
  await lab.time.advance(2);
  has(
    'holdfast_router_mandate_granted{router="VI_1"} 1',
    'holdfast_router_gate_open{router="VI_1"} 1',
  );
  await lab.time.advance(1_100);
  has('holdfast_router_mandates_lost_total{router="VI_1"} 1');
});

test("without routers there is nothing to say", () => {
  assert.equal(routerSeries([]), "");
});
