import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { TLSSocket, TlsOptions } from "node:tls";
import { createServer } from "node:tls";
import type { HttpProbe } from "../../../plugins/probes/http/http-request.ts";
import type { Authority, ServerIdentity } from "../certificates.ts";
import { createAuthority } from "../certificates.ts";
import { endpoint, http, httpUrl, listening, openRig, tlsOptions } from "./rig.ts";

const rig = openRig();
const DAY_MS = 86_400_000;

let authority: Authority;
let identity: ServerIdentity;
let folder: string;

/** Answers as HTTP does, by what the connection says of itself. */
async function serve(options: TlsOptions, body: (socket: TLSSocket) => string = () => "safe") {
  const server = await listening(
    createServer(options, (socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(`HTTP/1.0 200 OK\r\n\r\n${body(socket)}`));
    }),
  );
  return server.port;
}

function selfSigned(): ServerIdentity {
  const paths = [join(folder, "self.key"), join(folder, "self.pem")] as const;
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const rest = ["-keyout", paths[0], "-out", paths[1], "-subj", "/CN=self", "-days", "30"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...rest], { stdio: "ignore" });
  return { key: readFileSync(paths[0], "utf8"), cert: readFileSync(paths[1], "utf8") };
}

before(() => {
  authority = createAuthority();
  folder = mkdtempSync(join(tmpdir(), "holdfast-probe-tls-"));
  identity = authority.issue("DNS:www.test,IP:127.0.0.1", 30);
});
after(() => {
  authority.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const secure = (
  port: number,
  tls: Parameters<typeof tlsOptions>[0],
  more: Partial<HttpProbe> = {},
) => http(port, {}, { tls: tlsOptions(tls), ...more });
const verified = () => ({ verify: true, caFile: authority.caFile });

describe("SSL_GET", () => {
  test("looks at the certificate when it is to", async () => {
    const good = await serve(identity);
    const expired = await serve(authority.issue("IP:127.0.0.1", -1));
    const foreign = await serve(authority.issue("DNS:other.test", 30));
    const self = await serve(selfSigned());
    assert.equal(await rig.reason(secure(good, verified())), "up: HTTP 200");
    const problem = (port: number) => rig.reason(secure(port, verified()));
    assert.equal(await problem(expired), "down: certificate: it has expired");
    assert.equal(await problem(foreign), "down: certificate: it is for other names");
    assert.equal(await problem(self), "down: certificate: it is signed by itself");
    assert.match(
      await rig.reason(secure(good, { verify: true })),
      /^down: certificate: its issuer/,
    );
    for (const port of [good, expired, foreign, self]) {
      assert.equal(await rig.reason(secure(port, {})), "up: HTTP 200");
    }
  });

  test("verifies the name of SNI, else of the Host, else the address", async () => {
    const named = await serve(authority.issue("DNS:www.test", 30));
    const asked = (serverName?: string, host?: string) => {
      const probe = secure(named, { ...verified(), serverName });
      return rig.reason({ ...probe, urls: probe.urls.map((url) => ({ ...url, host })) });
    };
    assert.equal(await asked("www.test"), "up: HTTP 200");
    assert.equal(await asked(undefined, "www.test:8443"), "up: HTTP 200");
    assert.match(await asked(), /it is for other names/);
    assert.match(await asked("x.test", "www.test"), /it is for other names/);
  });

  test("sends SNI when there is one, and none without", async () => {
    const port = await serve(identity, (socket) => `${String(socket.servername)}`);
    const says = (text: string) => ({
      regex: {
        pattern: `^${text}$`,
        flags: "",
        negated: false,
        minOffset: 0,
        maxOffset: undefined,
      },
    });
    const tls = tlsOptions({ serverName: "www.test" });
    assert.equal(await rig.reason(http(port, says("www.test"), { tls })), "up: HTTP 200");
    assert.equal(
      await rig.reason(http(port, { ...says("false"), host: "www.test" }, { tls: tlsOptions() })),
      "up: HTTP 200",
    );
  });

  test("asks with each URL for its own name", async () => {
    const asked: unknown[] = [];
    const port = await serve(identity, (socket) => `${asked.push(socket.servername)}`);
    const tls = tlsOptions({ serverName: "a.test" });
    const names = [{}, { serverName: "b.test" }, { serverName: null }] as const;
    const urls = names.map((name) => httpUrl(name));
    assert.equal(await rig.reason(http(port, {}, { tls, urls })), "up: HTTP 200");
    assert.deepEqual(asked, ["a.test", "b.test", false]);
  });

  test("shows a certificate of its own", async () => {
    const [keyFile, certificateFile] = [join(folder, "client.key"), join(folder, "client.pem")];
    writeFileSync(certificateFile, identity.cert);
    const encrypt = ["pkey", "-aes256", "-passout", "pass:secret", "-out", keyFile];
    execFileSync("openssl", encrypt, { input: identity.key });
    const ca = readFileSync(authority.caFile);
    const port = await serve({ ...identity, ca, requestCert: true, rejectUnauthorized: true });
    const own = { keyFile, certificateFile, keyPassword: "secret" };
    assert.equal(await rig.reason(secure(port, own)), "up: HTTP 200");
    assert.match(await rig.reason(secure(port, {})), /^down: /);
    assert.match(
      await rig.reason(secure(port, { ...own, keyPassword: "wrong" })),
      /^down: the files of the SSL block/,
    );
    const none = await rig.reason(secure(port, { keyFile: "/nowhere.key" }));
    assert.equal(none, "down: SSL key /nowhere.key cannot be read (ENOENT)");
  });

  test("tells of a certificate that soon ends", async () => {
    const port = await serve(identity);
    const warningAfter = async (days: number) => {
      const later = openRig(() => Date.now() + days * DAY_MS);
      const { ok, warning } = await later.look(secure(port, {}));
      assert.equal(ok, true);
      return warning;
    };
    assert.equal(await warningAfter(0), undefined);
    assert.equal(await warningAfter(15), undefined);
    assert.equal(await warningAfter(17), "the certificate ends in 12 days");
    assert.equal(await warningAfter(31), "the certificate has expired");
  });

  test("bears an end without close_notify", async () => {
    const port = await serve(identity, (socket) => {
      setImmediate(() => setImmediate(() => socket.destroy()));
      return "safe";
    });
    assert.equal(await rig.reason(secure(port, {})), "up: HTTP 200");
  });

  test("speaks HTTP/2 to those who do", async () => {
    const server = await listening(
      createSecureServer(identity, (request, response) => response.end(request.httpVersion)),
    );
    const two = { version: "2" as const };
    assert.equal(await rig.reason(secure(server.port, verified(), two)), "up: HTTP 200");
    const old = await serve({ ...identity, ALPNProtocols: ["http/1.1"] });
    assert.match(await rig.reason(secure(old, {}, two)), /^down: /);
    const without = await serve(identity);
    assert.equal(
      await rig.reason(secure(without, {}, two)),
      "down: the server does not speak HTTP/2",
    );
    assert.match(
      await rig.reason(secure(await serve(selfSigned()), verified(), two)),
      /it is signed by itself/,
    );
    const health = { kind: "grpc", to: endpoint(server.port), service: "" } as const;
    const said = await rig.reason({ ...health, tls: tlsOptions(verified()) });
    assert.equal(said, "down: gRPC status missing");
  });
});
