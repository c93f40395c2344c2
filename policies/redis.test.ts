import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

const SERVER = "127.0.0.1:6379";

test("the master is worth 50, a replica nothing, and none at all is a fault", async () => {
  const sim = await simulate("./redis.ts", { routers: { VI_1: { priority: 100 } } });
  sim.tcp(SERVER, "PING\r\n").replies("+PONG\r\n");
  sim.tcp(SERVER, "ROLE\r\n").replies("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n");
  await sim.advance("10s");
  assert.equal(sim.router("VI_1").priority, 150);

  sim.tcp(SERVER, "ROLE\r\n").replies("*5\r\n$5\r\nslave\r\n$9\r\n192.0.2.2\r\n");
  await sim.advance("10s");
  assert.equal(sim.router("VI_1").priority, 100);

  sim.tcp(SERVER, "PING\r\n").fails("ECONNREFUSED");
  await sim.advance("10s");
  assert.equal(sim.router("VI_1").state, "fault");
  assert.deepEqual(sim.errors, []);
});

test("a Redis that wants a password lives", async () => {
  const sim = await simulate("./redis.ts");
  sim.tcp(SERVER).replies("-NOAUTH Authentication required.\r\n");
  await sim.advance("10s");
  assert.equal(sim.check("alive").up, true);
  assert.equal(sim.check("master").up, false);
});
