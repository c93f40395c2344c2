import assert from "node:assert/strict";
import { createSecureServer } from "node:http2";
import { createServer } from "node:https";
import { after, before, describe, test } from "node:test";
import { httpPlugin } from "../../plugins/http/http-plugin.ts";
import { Lookups } from "../../plugins/network/lookup.ts";
import { tlsPlugin } from "../../plugins/tls/tls-plugin.ts";
import type { Certificate, Json } from "../../sdk/index.ts";
import type { OpenPlugin } from "../../sdk/plugin.ts";
import type { Authority, ServerIdentity } from "./certificates.ts";
import { createAuthority } from "./certificates.ts";
import { callOn, failureOf, hostFor, testCompliance } from "./compliance.ts";
import type { Listening } from "./servers.ts";
import { closedPort, listening, tcpServer } from "./servers.ts";

const permission = ["*:*"];

let authority: Authority;
const servers: Listening[] = [];
let good = 0;
let expired = 0;
let foreign = 0;
let modern = 0;

before(async () => {
  authority = createAuthority();
  const serve = async (identity: ServerIdentity) => {
    const server = await listening(createServer(identity, (_, response) => response.end("safe")));
    servers.push(server);
    return server.port;
  };
  const identity = authority.issue("DNS:localhost,DNS:*.a.test,IP:127.0.0.1", 30);
  good = await serve(identity);
  expired = await serve(authority.issue("DNS:localhost,IP:127.0.0.1", -1));
  foreign = await serve(authority.issue("DNS:other.test", 30));
  const http2 = createSecureServer({ ...identity, allowHTTP1: true }, (request, response) => {
    response.end(request.httpVersion);
  });
  const server = await listening(http2);
  servers.push(server);
  modern = server.port;
});
after(async () => {
  await Promise.all(servers.map((server) => server.close()));
  authority.dispose();
});

describe("http over TLS", () => {
  let open: OpenPlugin;
  before(async () => {
    open = await httpPlugin(new Lookups()).open(hostFor({ ca_file: authority.caFile }));
  });
  after(() => open.close());

  const sample = (port: number, options: Json = null, host = "127.0.0.1") => ({
    method: "get",
    args: [`https://${host}:${port}/`, options],
    permission: ["https://*:*/*"],
  });
  const get = async (...args: Parameters<typeof sample>) =>
    ((await callOn(open, sample(...args))) as { body: string }).body;
  const codeOf = async (...args: Parameters<typeof sample>) =>
    (await failureOf(callOn(open, sample(...args)))).code;

  test("takes a good certificate, for an address and for a name", async () => {
    assert.equal(await get(good), "safe");
    assert.equal(await get(good, null, "localhost"), "safe");
    assert.equal(await get(good, { headers: { host: "x.a.test" } }), "safe");
  });

  test("takes no bad one, unless it is told to", async () => {
    assert.equal(await codeOf(expired), "CERT_HAS_EXPIRED");
    assert.equal(await codeOf(foreign), "ERR_TLS_CERT_ALTNAME_INVALID");
    assert.equal(
      await codeOf(good, { headers: { host: "b.test" } }),
      "ERR_TLS_CERT_ALTNAME_INVALID",
    );
    assert.equal(await get(expired, { verify: false }), "safe");
    assert.equal(await get(foreign, { verify: false }), "safe");
    // What was let in without a look lets nobody else in.
    assert.equal(await codeOf(expired), "CERT_HAS_EXPIRED");
  });

  test("trusts nobody that it was not told to", async () => {
    const plain = await httpPlugin(new Lookups()).open(hostFor());
    const error = await failureOf(callOn(plain, sample(good)));
    assert.match(
      error.code,
      /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)$/,
    );
    await plain.close();
  });

  test("speaks HTTP/2 when it is told to", async () => {
    assert.equal(await get(modern), "1.1");
    assert.equal(await get(modern, { http2: true }), "2.0");
    assert.equal(await get(modern, { http2: true }), "2.0");
    assert.equal(await get(good, { http2: true }), "safe");
  });

  test("says what is wrong with its options", async () => {
    for (const options of [{ ca_file: "/nowhere" }, { other: "x" }, { ca_file: 1 }, "x"]) {
      const opened = (async () => httpPlugin(new Lookups()).open(hostFor(options)))();
      await assert.rejects(opened, { code: "options" });
    }
  });
});

describe("tls.certificate", () => {
  let open: OpenPlugin;
  before(async () => {
    open = await tlsPlugin(new Lookups()).open(hostFor({ ca_file: authority.caFile }));
  });
  after(() => open.close());

  const look = async (port: number, options: Json = null, host = "127.0.0.1") =>
    (await callOn(open, {
      method: "certificate",
      args: [`${host}:${port}`, options],
      permission,
    })) as unknown as Certificate;

  test("describes a good one", async () => {
    const certificate = await look(good, null, "localhost");
    assert.deepEqual(certificate, {
      subject: "O=Holdfast, CN=server",
      issuer: "CN=Test CA",
      names: ["localhost", "*.a.test", "127.0.0.1"],
      notBefore: certificate.notBefore,
      notAfter: certificate.notBefore + 30 * 86_400_000,
      daysLeft: 29,
      valid: true,
    });
    assert.equal((await look(good)).valid, true);
    assert.equal((await look(good, { serverName: "x.a.test" })).valid, true);
  });

  test("says why one is bad", async () => {
    const old = await look(expired);
    assert.deepEqual([old.valid, old.problem, old.daysLeft], [false, "it has expired", -2]);
    assert.equal((await look(foreign)).problem, "it is for other names");
    assert.equal((await look(good, { serverName: "b.test" })).problem, "it is for other names");
  });

  test("tells how a server failed", async () => {
    const failed = async (port: number) =>
      (
        await failureOf(
          callOn(open, { method: "certificate", args: [`127.0.0.1:${port}`], permission }),
        )
      ).code;
    assert.equal(await failed(await closedPort()), "ECONNREFUSED");
    const plain = await tcpServer((socket) => socket.end("220 mail\r\n"));
    servers.push(plain);
    assert.equal(await failed(plain.port), "tls");
  });
});

testCompliance("tls", async () => {
  const silent = await tcpServer(() => {});
  const call = (...args: Json[]) => ({ method: "certificate", args, permission });
  return {
    plugin: tlsPlugin(new Lookups()),
    goodPermissions: [permission, ["www.example.org:443"]],
    badPermissions: [null, ["https://x/"], ["x"]],
    narrower: [[["a.b:443"], ["*.b:*"]]],
    answered: [call(`127.0.0.1:${good}`), call(`127.0.0.1:${good}`, { serverName: "localhost" })],
    forbidden: [{ ...call(`127.0.0.1:${good}`), permission: ["localhost:*"] }],
    wrong: [call("x"), call(`127.0.0.1:${good}`, { serverName: "127.0.0.1" })],
    unanswered: [call(`127.0.0.1:${silent.port}`)],
    dispose: () => silent.close(),
  };
});
