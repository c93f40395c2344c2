import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

const SERVER = "127.0.0.1:443";

test("a certificate with time left is nothing to write about", async () => {
  const sim = await simulate("./certificate-expiry.ts");
  sim.tls(SERVER).shows({ daysLeft: 60 });
  await sim.advance("3h");
  assert.equal(sim.check("certificate").reason, "60 days left");
  assert.equal(sim.metrics["certificate_days_left"], 60);
  assert.deepEqual(sim.mails, []);
  assert.deepEqual(sim.errors, []);
});

test("one that ends is told once a day", async () => {
  const sim = await simulate("./certificate-expiry.ts");
  sim.tls(SERVER).shows({ daysLeft: 20 });
  await sim.advance("25h");
  assert.equal(sim.mails.length, 2);
  assert.equal(sim.mails[0]?.subject, "www.example.org: 20 days left");
});

test("so is one that nobody should trust", async () => {
  const sim = await simulate("./certificate-expiry.ts");
  sim.tls(SERVER).shows({ valid: false, problem: "self-signed certificate" });
  await sim.advance("1m");
  assert.equal(sim.mails[0]?.subject, "www.example.org: self-signed certificate");
});
