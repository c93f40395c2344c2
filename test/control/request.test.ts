import assert from "node:assert/strict";
import { test } from "node:test";
import { readRequest } from "../../agent/control/request.ts";

const read = (command: string, order: unknown) =>
  readRequest(JSON.stringify({ id: 7, command, order }));

test("orders about real servers are read, and what does not belong to one is left out", () => {
  const who = "root";
  const order = { server: "S/10.0.0.9:80", who, weight: 5, like: "10.0.0.1", other: 1 };
  const wanted: readonly (readonly [string, object])[] = [
    ["add", { server: "S/10.0.0.9:80", who, weight: 5, like: "10.0.0.1" }],
    ["weight", { server: "S/10.0.0.9:80", who, weight: 5 }],
    ["remove", { server: "S/10.0.0.9:80", who }],
    ["drain", { server: "S/10.0.0.9:80", who }],
  ];
  for (const [command, expected] of wanted) {
    const answer = read(command, order);
    assert.deepEqual(answer, { ok: true, request: { id: 7, command, order: expected } });
  }
  const least = { server: "S/10.0.0.9", who };
  assert.deepEqual(read("add", least), {
    ok: true,
    request: { id: 7, command: "add", order: least },
  });
});

test("orders that mean nothing are refused in words", () => {
  const good = { server: "S/10.0.0.9", who: "root" };
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["add", undefined, /`order` must be an object/],
    ["add", { ...good, server: "" }, /`server` must be a text/],
    ["add", { ...good, who: "x".repeat(65) }, /`who` must be a text/],
    ["add", { ...good, weight: -1 }, /`weight` must be a whole number/],
    ["add", { ...good, like: "a\nb" }, /`like` must be a text/],
    ["weight", good, /`weight` must be a whole number/],
    ["remove", { ...good, server: 5 }, /`server` must be a text/],
  ];
  for (const [command, order, words] of wrong) {
    const answer = read(command, order);
    assert.ok(!answer.ok && answer.id === 7 && answer.code === "malformed", command);
    assert.match(answer.message, words);
  }
});
