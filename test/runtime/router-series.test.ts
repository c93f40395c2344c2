import assert from "node:assert/strict";
import { test } from "node:test";
import { routerSeries } from "../../agent/runtime/router-series.ts";
import { FakeLan } from "./fake-lan.ts";
import { config, host, instance } from "./fixtures.ts";
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

test("without routers there is nothing to say", () => {
  assert.equal(routerSeries([]), "");
});
