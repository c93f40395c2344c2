import assert from "node:assert/strict";
import { test } from "node:test";
import type { ToVrrp } from "../../agent/runtime/ipc.ts";
import { VrrpClient } from "../../agent/runtime/vrrp-client.ts";
import { configOf } from "../config/lower/lowered.ts";

const TEXT = `vrrp_instance V {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress { 192.0.2.100 }
}
virtual_server 192.0.2.100 80 {
  lb_algo rr
  lb_kind NAT
  protocol TCP
  real_server 10.0.0.1 80 { }
}`;

test("the vrrp process hears of its routers, and of no virtual servers: there may be thousands", () => {
  const sent: ToVrrp[] = [];
  const client = new VrrpClient(
    (message) => sent.push(message),
    () => () => undefined,
  );
  void client.configure(1, configOf(TEXT), false);
  assert.deepEqual(
    sent.map(({ kind }) => kind),
    ["instances", "configure"],
  );
  const text = JSON.stringify(sent);
  assert.ok(text.includes("192.0.2.100"));
  assert.ok(!text.includes("10.0.0.1"));
});
