import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { dnsPlugin } from "../../plugins/dns/dns-plugin.ts";
import type { Json } from "../../sdk/index.ts";
import type { OpenPlugin } from "../../sdk/plugin.ts";
import { callOn, failureOf, hostFor, testCompliance } from "./compliance.ts";
import type { Reply } from "./name-server.ts";
import { nameData, nameServer, uint16 } from "./name-server.ts";

const TYPES = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 };
const text = (value: string): Buffer =>
  Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);

const RECORDS: Readonly<Record<number, readonly Buffer[]>> = {
  [TYPES.A]: [Buffer.of(192, 0, 2, 1), Buffer.of(192, 0, 2, 2)],
  [TYPES.AAAA]: [Buffer.from("20010db8000000000000000000000001", "hex")],
  [TYPES.NS]: [nameData("ns.a.test")],
  [TYPES.CNAME]: [nameData("b.test")],
  [TYPES.PTR]: [nameData("host.a.test")],
  [TYPES.MX]: [Buffer.concat([uint16(10), nameData("mx.a.test")])],
  [TYPES.TXT]: [Buffer.concat([text("v=1 "), text("two \u0001")])],
  [TYPES.SRV]: [Buffer.concat([uint16(1, 2, 5432), nameData("db.a.test")])],
  [TYPES.SOA]: [
    Buffer.concat([
      nameData("ns.a.test"),
      nameData("root.a.test"),
      uint16(0, 1, 0, 2, 0, 3, 0, 4, 0, 5),
    ]),
  ],
};

function reply(name: string, type: number): Reply | undefined {
  if (name === "silent.test") return undefined;
  if (name === "none.test") return { code: 3 };
  if (name === "broken.test") return { code: 2 };
  if (name === "empty.test") return {};
  return { records: RECORDS[type] ?? [] };
}

testCompliance("dns", async () => {
  const server = await nameServer(reply);
  const here = `127.0.0.1:${server.port}`;
  const permission = [`*.test@127.0.0.1:*`];
  const call = (...args: Json[]) => ({ method: "resolve", args, permission, optional: [1] });
  return {
    plugin: dnsPlugin(),
    goodPermissions: [permission, ["*"], ["a.org", "*.a.org@10.0.0.53"], ["10.0.0.0/8@[::1]:54"]],
    badPermissions: [null, ["a b"], ["a.org@ns.a.org"], ["a@b@c"], ["*a.org"], ["a.org@1.2.3.4:0"]],
    narrower: [
      [["a.b.org"], ["*.org"]],
      [["a.org@10.0.0.1"], ["*@10.0.0.0/8"]],
    ],
    answered: [
      call("a.test", "A", { server: here, timeout: "2s" }),
      call("a.test", "SOA", { server: here }),
    ],
    forbidden: [
      call("a.org", "A", { server: here }),
      call("a.test", "A", { server: "127.0.0.2" }),
      // The system's servers are not granted here.
      call("a.test"),
      { ...call("a.test", "A", { server: here }), permission: ["*.test"] },
    ],
    wrong: [
      call("", "A"),
      call("a..test"),
      call("1.2.3.4", "A", { server: here }),
      call("a.test", "ANY"),
      call("a.test", "toString"),
      call("a.test", "A", { server: "ns.test" }),
    ],
    unanswered: [call("silent.test", "A", { server: here })],
    dispose: () => server.close(),
  };
});

describe("dns.resolve", () => {
  const open = dnsPlugin().open(hostFor()) as OpenPlugin;
  let server: Awaited<ReturnType<typeof nameServer>>;
  before(async () => {
    server = await nameServer(reply);
  });
  after(async () => {
    await open.close();
    server.close();
  });
  const sample = (name: string, type: Json = "A") => ({
    method: "resolve",
    args: [name, type, { server: `127.0.0.1:${server.port}` }],
    permission: ["*@127.0.0.1:*"],
  });
  const resolve = (name: string, type: Json) => callOn(open, sample(name, type));

  for (const [type, answer] of [
    ["A", ["192.0.2.1", "192.0.2.2"]],
    ["AAAA", ["2001:db8::1"]],
    ["NS", ["ns.a.test"]],
    ["CNAME", ["b.test"]],
    ["MX", ["10 mx.a.test"]],
    ["TXT", ["v=1 two \u0001"]],
    ["SRV", ["1 2 5432 db.a.test"]],
    ["SOA", ["ns.a.test root.a.test 1 2 3 4 5"]],
  ] as const) {
    test(`${type} as text`, async () => assert.deepEqual(await resolve("a.test", type), answer));
  }

  test("PTR of an address, or of its name", async () => {
    assert.deepEqual(await resolve("192.0.2.1", "PTR"), ["host.a.test"]);
    assert.deepEqual(await resolve("2001:db8::1", "PTR"), ["host.a.test"]);
    assert.deepEqual(await resolve("1.2.0.192.in-addr.arpa", "PTR"), ["host.a.test"]);
  });

  test("a name that does not exist is an error, one without such a record an empty answer", async () => {
    assert.equal((await failureOf(callOn(open, sample("none.test")))).code, "ENOTFOUND");
    assert.deepEqual(await resolve("empty.test", "A"), []);
    assert.equal((await failureOf(callOn(open, sample("broken.test")))).code, "ESERVFAIL");
  });

  test("asks each time", async () => {
    const before = server.questions();
    for (let at = 0; at < 3; at += 1) await resolve("a.test", "A");
    assert.equal(server.questions() - before, 3);
  });
});
