import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Lookups } from "../../plugins/network/lookup.ts";
import { tcpPlugin } from "../../plugins/tcp/tcp-plugin.ts";
import type { Json } from "../../sdk/index.ts";
import type { OpenPlugin } from "../../sdk/plugin.ts";
import { callOn, failureOf, hostFor, testCompliance } from "./compliance.ts";
import type { Listening } from "./servers.ts";
import { closedPort, tcpServer } from "./servers.ts";

testCompliance("tcp", async () => {
  const greeter = await tcpServer((socket) => socket.write("+READY\r\n"));
  const silent = await tcpServer(() => {});
  const permission = ["127.0.0.1:*"];
  const call = (...args: Json[]) => ({ method: "connect", args, permission });
  const target = `127.0.0.1:${greeter.port}`;
  return {
    plugin: tcpPlugin(new Lookups()),
    goodPermissions: [[], permission, ["db.internal:5432", "*.a.org:*"], ["[2001:db8::/32]:53"]],
    badPermissions: [
      null,
      "127.0.0.1:80",
      {},
      [1],
      ["127.0.0.1"],
      ["h:0"],
      ["10.0.0.0/33:1"],
      ["::1:80"],
      ["a*b:80"],
      ["10.*:80"],
      ["x".repeat(600)],
      Array<Json>(300).fill("a:1"),
    ],
    narrower: [
      [["10.0.0.1:80"], ["10.0.0.0/8:*"]],
      [["a.b.org:1"], ["*.org:1", "c:1"]],
    ],
    answered: [call(target), call(target, { send: "PING\r\n", until: "READY", timeout: "2s" })],
    forbidden: [
      { ...call("127.0.0.2:80"), permission },
      { ...call(target), permission: ["localhost:*", "127.0.0.1:1"] },
      { ...call(target), permission: [] },
      { ...call(target), permission: null },
    ],
    wrong: [
      call(""),
      call("127.0.0.1"),
      call("127.1:80"),
      call(target, { timeout: "1 s" }),
      call(target, { timeout: "0s" }),
      call(target, { send: "x".repeat(70_000) }),
    ],
    unanswered: [call(`127.0.0.1:${silent.port}`, { until: "never" })],
    dispose: async () => void (await Promise.all([greeter.close(), silent.close()])),
  };
});

describe("tcp.connect", () => {
  const open = tcpPlugin(new Lookups()).open(hostFor()) as OpenPlugin;
  const servers: Listening[] = [];
  let endless = 0;
  let early = 0;
  let resetting = 0;
  let echo = 0;
  let closed = 0;

  before(async () => {
    const serve = async (act: Parameters<typeof tcpServer>[0]) => {
      const server = await tcpServer(act);
      servers.push(server);
      return server.port;
    };
    endless = await serve((socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write("x".repeat(4_096)));
      };
      socket.on("drain", more);
      more();
    });
    early = await serve((socket) => socket.end("-ERR \u0007"));
    resetting = await serve((socket) => socket.once("data", () => socket.resetAndDestroy()));
    echo = await serve((socket) => {
      // In single bytes: what is waited for comes in pieces.
      socket.once("data", (data) => {
        for (const byte of data) socket.write(Buffer.of(byte));
      });
    });
    closed = await closedPort();
  });
  after(async () => void (await Promise.all([open.close(), ...servers.map((s) => s.close())])));

  const connect = (port: number, options: Json = null) =>
    callOn(open, { method: "connect", args: [`127.0.0.1:${port}`, options], permission: ["*:*"] });
  const codeOf = async (call: Promise<Json>) => (await failureOf(call)).code;

  test("answers what was received up to the text that was waited for", async () => {
    const answer = await connect(echo, { send: "ab PONG cd ü", until: "ü" });
    assert.equal((answer as { received: string }).received, "ab PONG cd ü");
    const first = await connect(echo, { send: "+PONG\r\nmore", until: "PONG" });
    assert.equal((first as { received: string }).received, "+PONG");
  });

  test("does not read for ever", async () => {
    assert.equal(await codeOf(connect(endless, { until: "never" })), "too-long");
  });

  test("tells how a connection failed", async () => {
    assert.equal(await codeOf(connect(closed)), "ECONNREFUSED");
    assert.equal(await codeOf(connect(resetting, { send: "x", until: "y" })), "ECONNRESET");
    const error = await failureOf(connect(early, { until: "OK" }));
    assert.equal(error.code, "closed-early");
    assert.match(error.message, /"-ERR \\u0007"/);
  });

  test("looks names up, and tells of those that do not exist", async () => {
    const lookups = new Lookups((name, _, found) => {
      if (name === "here.test") found(null, [{ address: "127.0.0.1", family: 4 }]);
      else found(Object.assign(new Error("no"), { code: "ENOTFOUND" }), []);
    });
    const named = (name: string) =>
      callOn(tcpPlugin(lookups).open(hostFor()) as OpenPlugin, {
        method: "connect",
        args: [`${name}:${echo}`],
        permission: ["*:*"],
      });
    assert.ok(await named("here.test"));
    assert.equal(await codeOf(named("gone.test")), "ENOTFOUND");
  });
});

test("lookups leave threads to others, and ask once for what many want", async () => {
  const asked: (readonly [name: string, answer: () => void])[] = [];
  const lookups = new Lookups((name, _, found) => {
    asked.push([name, () => found(null, [{ address: "192.0.2.1", family: 4 }])]);
  });
  const names = ["a", "a", "b", "c", "a"];
  const found = Promise.all(names.map((name) => lookups.addressOf({ kind: "name", name })));
  assert.deepEqual(
    asked.map(([name]) => name),
    ["a", "b"],
  );
  asked[0]?.[1]();
  assert.deepEqual(
    asked.map(([name]) => name),
    ["a", "b", "c"],
  );
  for (const [, answer] of asked.slice(1)) answer();
  assert.deepEqual(
    await found,
    names.map(() => "192.0.2.1"),
  );
});
