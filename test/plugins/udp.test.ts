import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { Lookups } from "../../plugins/network/lookup.ts";
import { udpPlugin } from "../../plugins/udp/udp-plugin.ts";
import type { Json } from "../../sdk/index.ts";
import type { OpenPlugin } from "../../sdk/plugin.ts";
import { callOn, failureOf, hostFor, testCompliance } from "./compliance.ts";

/** Answers each datagram with its text turned round; "silence" with nothing. */
async function turner() {
  const socket = createSocket("udp4");
  const stranger = createSocket("udp4");
  socket.on("message", (message, from) => {
    const text = message.toString();
    if (text === "silence") return;
    const answer = [...text].reverse().join("");
    if (text !== "spoof") socket.send(answer, from.port, from.address);
    // Somebody else is faster.
    else
      stranger.send("forged", from.port, from.address, () =>
        socket.send(answer, from.port, from.address),
      );
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    socket,
    port: socket.address().port,
    close() {
      socket.close();
      stranger.close();
    },
  };
}

testCompliance("udp", async () => {
  const server = await turner();
  const target = `127.0.0.1:${server.port}`;
  const permission = [target];
  const call = (...args: Json[]) => ({ method: "exchange", args, permission });
  return {
    plugin: udpPlugin(new Lookups()),
    goodPermissions: [permission, ["[::1]:53", "*.a:*"]],
    badPermissions: [null, ["a"], ["a:b"]],
    narrower: [[["10.0.0.1:53"], ["10.0.0.0/8:53"]]],
    answered: [call(target, "abc"), call(target, "x", { reply: false, timeout: "1s" })],
    forbidden: [call("127.0.0.1:1", "x"), { ...call(target, "x"), permission: [] }],
    wrong: [
      call("127.0.0.1", "x"),
      call(target, "x".repeat(65_508)),
      call(target, "x", { timeout: "" }),
    ],
    unanswered: [call(target, "silence")],
    dispose: () => server.close(),
  };
});

describe("udp.exchange", () => {
  const open = udpPlugin(new Lookups()).open(hostFor()) as OpenPlugin;
  let server: Awaited<ReturnType<typeof turner>>;
  before(async () => {
    server = await turner();
  });
  after(async () => {
    await open.close();
    server.close();
  });
  const exchange = async (target: string, payload: string, options: Json = null) =>
    (await callOn(open, {
      method: "exchange",
      args: [target, payload, options],
      permission: ["*:*"],
    })) as { readonly received: string };

  test("answers what comes back from there, and only from there", async () => {
    assert.equal((await exchange(`127.0.0.1:${server.port}`, "abc ü")).received, "ü cba");
    assert.equal((await exchange(`localhost:${server.port}`, "spoof")).received, "foops");
  });

  test("sends without waiting", async () => {
    const seen = once(server.socket, "message");
    assert.equal(
      (await exchange(`127.0.0.1:${server.port}`, "silence", { reply: false })).received,
      "",
    );
    assert.equal(String((await seen)[0]), "silence");
  });

  test("hears that nobody listens", async () => {
    const gone = await turner();
    gone.close();
    const error = await failureOf(
      exchange(`127.0.0.1:${gone.port}`, "x") as unknown as Promise<Json>,
    );
    assert.equal(error.code, "ECONNREFUSED");
  });
});
