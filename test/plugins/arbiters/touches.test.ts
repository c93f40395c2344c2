import assert from "node:assert/strict";
import { test } from "node:test";
import { Touches } from "../../../plugins/arbiters/zookeeper/touches.ts";

const TTL = 1_000;

test("an ensemble vouches for who was heard in time, and early enough to be told of", () => {
  const touches = new Touches(TTL);
  assert.equal(touches.vouchFor(0), false);
  touches.connected(0);
  assert.equal(touches.vouchFor(500), true);
  assert.equal(touches.vouchFor(501), false);
  // A sign that is so fresh that the leader may not have heard of it.
  touches.answered(600);
  assert.equal(touches.vouchFor(849), false);
  assert.equal(touches.vouchFor(850), true);
  assert.equal(touches.vouchFor(1_100), true);
  assert.equal(touches.vouchFor(1_101), false);
});

test("many signs at once push no old one out", () => {
  const touches = new Touches(TTL);
  for (let at = 0; at < 3_000; at++) {
    touches.answered(at);
    if (at > 260) assert.equal(touches.vouchFor(at), true, `${at}`);
  }
});

test("regular signs vouch for every moment; those before another connection for none", () => {
  const touches = new Touches(TTL);
  touches.connected(0);
  for (let at = 125; at < 5_000; at += 125) {
    assert.equal(touches.vouchFor(at), true, `${at}`);
    touches.answered(at);
  }
  touches.connected(5_000);
  assert.equal(touches.vouchFor(5_501), false);
});
