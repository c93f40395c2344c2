import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { runCli } from "../../agent/cli/cli.ts";
import { commandLineHost } from "../../agent/command-line.ts";
import { milliseconds } from "../../agent/core/time.ts";
import type { ProbeOf } from "../../agent/ports/server-probes.ts";
import { Recorder } from "../cli/recorder.ts";
import type { Authority } from "../plugins/certificates.ts";
import { createAuthority } from "../plugins/certificates.ts";
import type { TimedKind } from "../plugins/probes/rig.ts";
import { endpoint, http, httpUrl, openRig, tlsOptions } from "../plugins/probes/rig.ts";
import type { Listening } from "../plugins/servers.ts";
import { closedPort, tcpServer } from "../plugins/servers.ts";
import { eventually } from "./eventually.ts";
import { Exim } from "./exim.ts";
import { KeepalivedCheckers } from "./keepalived-checkers.ts";
import { nothingLeft } from "./leftovers.ts";
import { temporaryPaths } from "./servers/nginx-paths.ts";
import { RunFolder } from "./servers/run-folder.ts";

/** One check: as keepalived.conf has it, as a probe, and what both find. */
interface Case {
  readonly name: string;
  readonly block: string;
  readonly probe: ProbeOf<TimedKind>;
  readonly up: boolean;
}

const rig = openRig();
const host = commandLineHost({ version: () => "1.2.3", runAgent: () => Promise.resolve(1) });
const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const children: ChildProcess[] = [];
const odd: Listening[] = [];
let folder: RunFolder;
let authority: Authority;
let mail: Exim;
let ports: { http: number; https: number; expired: number; dns: number; closed: number };

function run(command: string, ...args: readonly string[]): void {
  children.push(spawn(command, args, { stdio: "ignore" }));
}

async function startNginx(): Promise<void> {
  const identities = {
    good: authority.issue("DNS:www.test,IP:127.0.0.1", 30),
    old: authority.issue("DNS:www.test,IP:127.0.0.1", -1),
  };
  const tls = Object.entries(identities).map(([name, { key, cert }]) => {
    const files = [folder.write(`${name}.pem`, cert), folder.write(`${name}.key`, key)] as const;
    return `ssl_certificate ${files[0]}; ssl_certificate_key ${files[1]};`;
  });
  const pages = `
    location / { return 200 "all is well\\n"; }
    location /gone { return 404; }
    location /moved { return 302 /; }
    location /large { root ${folder.path}; }`;
  writeFileSync(folder.join("large"), "x".repeat(500_000));
  const file = folder.write(
    "nginx.conf",
    `daemon off; user root; worker_processes 1; pid ${folder.path}/nginx.pid; error_log stderr; events {}
http { access_log off; ${temporaryPaths(folder.path)}
  server { listen 127.0.0.1:${ports.http} default_server; ${pages} }
  server { listen 127.0.0.1:${ports.http}; server_name www.test; location / { return 200 "www"; } }
  server { listen 127.0.0.1:${ports.https} ssl http2; ${tls[0]} ${pages} }
  server { listen 127.0.0.1:${ports.expired} ssl; ${tls[1]} ${pages} }
}`,
  );
  run("/usr/sbin/nginx", "-c", file, "-e", "stderr");
  await eventually("nginx answers", 30_000, async () => {
    assert.equal(await rig.reason(http(ports.https, {}, { tls: tlsOptions() })), "up: HTTP 200");
  });
}

async function startDns(): Promise<void> {
  run(
    "/usr/sbin/dnsmasq",
    ...[
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--no-resolv",
      "--no-hosts",
      "--user=root",
    ],
    ...[`--port=${ports.dns}`, "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file="],
    ...["--local=/test/", "--host-record=www.test,192.0.2.80"],
  );
  await eventually("dnsmasq answers", 30_000, async () => {
    assert.equal(await rig.reason(dns("www.test"), 500), "up: NOERROR");
  });
}

before(async () => {
  folder = new RunFolder();
  authority = createAuthority();
  const free = await Promise.all(Array.from({ length: 5 }, closedPort));
  const [web = 0, https = 0, expired = 0, name = 0, closed = 0] = free;
  ports = { http: web, https, expired, dns: name, closed };
  mail = new Exim();
  await Promise.all([startNginx(), startDns(), mail.start(authority.issue("IP:127.0.0.1", 30))]);
});
after(async () => {
  for (const child of children) {
    child.kill("SIGTERM");
    if (child.exitCode === null) await once(child, "exit");
  }
  await Promise.all(odd.map((server) => server.close()));
  await mail.dispose();
  authority.dispose();
  folder.dispose();
  await nothingLeft();
});

const dns = (name: string, type = "A", port = ports.dns): ProbeOf<"dns"> => ({
  kind: "dns",
  to: endpoint(port),
  type,
  name,
});

const connect = (port: number): string =>
  `connect_ip 127.0.0.1\nconnect_port ${port}\nconnect_timeout 2\n`;
const url = (path: string, more = ""): string => `url {\npath ${path}\n${more}\n}\n`;

function webCases(): readonly Case[] {
  const get = (port: number, inner: string) => `HTTP_GET {\n${connect(port)}${inner}}`;
  const secure = (port: number, inner: string) => `SSL_GET {\n${connect(port)}${inner}}`;
  const body = "all is well\n";
  const regex = { flags: "", negated: false, minOffset: 0, maxOffset: undefined };
  const web = ports.http;
  const tls = tlsOptions();
  const page = (name: string, inner: string, probe: ProbeOf<"http">, up: boolean): Case => ({
    ...{ name, probe, up },
    block: get(web, inner),
  });
  return [
    page("a page", url("/"), http(web), true),
    page("HTTP/1.1", `http_protocol 1.1\n${url("/")}`, http(web, {}, { version: "1.1" }), true),
    page("HTTP/1.0C", `http_protocol 1.0C\n${url("/")}`, http(web, {}, { version: "1.0C" }), true),
    page("no page", url("/gone"), http(web, { path: "/gone" }), false),
    page("a redirection", url("/moved"), http(web, { path: "/moved" }), false),
    page(
      "a redirection that is wanted",
      url("/moved", "status_code 301-303"),
      http(web, { path: "/moved", statusCodes: [[301, 303]] }),
      true,
    ),
    page("a digest", url("/", `digest ${md5(body)}`), http(web, { digest: md5(body) }), true),
    page("another", url("/", `digest ${md5("")}`), http(web, { digest: md5("") }), false),
    page(
      "a digest of a large page",
      url("/large", `digest ${md5("x".repeat(500_000))}`),
      http(web, { path: "/large", digest: md5("x".repeat(500_000)) }),
      true,
    ),
    page(
      "a regex",
      url("/", 'regex "is w.ll"'),
      http(web, { regex: { ...regex, pattern: "is w.ll" } }),
      true,
    ),
    page(
      "no match",
      url("/", 'regex "is ill"'),
      http(web, { regex: { ...regex, pattern: "is ill" } }),
      false,
    ),
    page(
      "a regex that must not match",
      url("/", 'regex "is w.ll"\nregex_no_match'),
      http(web, { regex: { ...regex, pattern: "is w.ll", negated: true } }),
      false,
    ),
    page(
      "a virtual host",
      url("/", `virtualhost www.test\ndigest ${md5("www")}`),
      http(web, { host: "www.test", digest: md5("www") }),
      true,
    ),
    page(
      "two pages, one of them gone",
      url("/") + url("/gone"),
      http(web, {}, { urls: [httpUrl(), httpUrl({ path: "/gone" })] }),
      false,
    ),
    {
      name: "TLS",
      block: secure(ports.https, url("/")),
      probe: http(ports.https, {}, { tls }),
      up: true,
    },
    {
      name: "TLS with a certificate that nobody looks at",
      block: secure(ports.expired, url("/")),
      probe: http(ports.expired, {}, { tls }),
      up: true,
    },
    {
      name: "TLS where there is none",
      block: secure(web, url("/")),
      probe: http(web, {}, { tls }),
      up: false,
    },
    {
      name: "no TLS where there is",
      block: get(ports.https, url("/")),
      probe: http(ports.https),
      up: false,
    },
    {
      name: "HTTP of a mail server",
      block: get(mail.plainPort, url("/")),
      probe: http(mail.plainPort),
      up: false,
    },
    {
      name: "HTTP of nobody",
      block: get(ports.closed, url("/")),
      probe: http(ports.closed),
      up: false,
    },
  ];
}

function otherCases(): readonly Case[] {
  const smtp = (name: string, port: number, up: boolean): Case => ({
    name: `SMTP of ${name}`,
    block: `SMTP_CHECK {\n${connect(port)}helo_name probe.test\n}`,
    probe: { kind: "smtp", to: endpoint(port), heloName: "probe.test" },
    up,
  });
  const query = (name: string, type: string, up: boolean, port = ports.dns): Case => ({
    name: `DNS ${type} of ${name} at ${port === ports.dns ? "dnsmasq" : "nobody"}`,
    block: `DNS_CHECK {\n${connect(port)}type ${type}\nname ${name}\nretry 0\n}`,
    probe: dns(name, type, port),
    up,
  });
  const udp = (
    name: string,
    port: number,
    lines: string,
    more: Partial<ProbeOf<"udp">>,
    up: boolean,
  ): Case => ({
    name: `UDP ${name}`,
    block: `UDP_CHECK {\n${connect(port)}${lines}}`,
    probe: {
      ...{ kind: "udp", to: endpoint(port), payload: undefined, requireReply: false },
      ...{ reply: undefined, minReplyLength: 0, maxReplyLength: 255, ...more },
    },
    up,
  });
  const misc = (status: number): Case => ({
    name: `MISC ${status}`,
    block: `MISC_CHECK {\nmisc_path "/bin/sh -c 'exit ${status}'"\n}`,
    probe: {
      kind: "misc",
      command: {
        position: { file: "", line: 1, column: 1 } as never,
        argv: ["/bin/sh", "-c", `exit ${status}`],
        runAs: undefined,
      },
      timeout: milliseconds(2_000),
      dynamic: false,
    },
    up: status === 0,
  });
  const question = "abcd01000001000000000000037777770474657374000001 0001".replace(" ", "");
  const tcp = (name: string, port: number, up: boolean): Case => ({
    name: `TCP of ${name}`,
    block: `TCP_CHECK {\n${connect(port)}}`,
    probe: { kind: "tcp", to: endpoint(port) },
    up,
  });
  return [
    tcp("nginx", ports.http, true),
    tcp("nobody", ports.closed, false),
    smtp("exim", mail.plainPort, true),
    smtp("exim with more to offer", mail.port, true),
    smtp("nginx", ports.http, false),
    query("www.test", "A", true),
    query("www.test", "AAAA", true),
    query("none.test", "A", false),
    query("elsewhere.example", "SOA", false),
    query("www.test", "A", false, ports.closed),
    udp("without a reply, of nobody", ports.closed, "", {}, false),
    udp(
      "with any reply",
      ports.dns,
      `payload ${question}\nrequire_reply\n`,
      { payload: question, requireReply: true },
      true,
    ),
    udp(
      "with a reply of a pattern",
      ports.dns,
      `payload ${question}\nrequire_reply abcd8x\n`,
      { payload: question, requireReply: true, reply: "abcd8x" },
      true,
    ),
    udp(
      "with another pattern",
      ports.dns,
      `payload ${question}\nrequire_reply abce\n`,
      { payload: question, requireReply: true, reply: "abce" },
      false,
    ),
    udp(
      "with a longer reply",
      ports.dns,
      `payload ${question}\nrequire_reply abcd\nmin_reply_length 200\n`,
      { payload: question, requireReply: true, reply: "abcd", minReplyLength: 200 },
      false,
    ),
    misc(0),
    misc(1),
    misc(2),
    {
      name: "PING",
      block: "PING_CHECK {\nconnect_ip 127.0.0.1\n}",
      probe: { kind: "ping", to: endpoint(0) },
      up: true,
    },
  ];
}

/** Answers of servers that are none, on which opinions may differ. */
function oddCases(): Promise<readonly Case[]> {
  const ok = "HTTP/1.1 200 OK\r\n";
  const answers: readonly (readonly [string, string, boolean])[] = [
    ["a body that is cut off", `${ok}Content-Length: 10\r\n\r\nabc`, true],
    ["a body that is too long", `${ok}Content-Length: 3\r\n\r\nabcde`, true],
    ["line feeds alone", "HTTP/1.1 200 OK\nX: y\n\nabc", false],
    ["headers without an end", `${ok}X: y\r\n`, false],
    ["another protocol's name", "ICY 200 OK\r\n\r\nabc", true],
    ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", false],
    ["nothing", "", false],
  ];
  return Promise.all(
    answers.map(async ([name, answer, up]): Promise<Case> => {
      const server = await tcpServer((socket) => socket.once("data", () => socket.end(answer)));
      odd.push(server);
      return {
        name: `an answer with ${name}`,
        block: `HTTP_GET {\n${connect(server.port)}${url("/")}}`,
        probe: http(server.port),
        up,
      };
    }),
  );
}

describe("probes of real servers", { timeout: 60_000 }, () => {
  test("find what Debian's keepalived finds", async () => {
    const cases = [...webCases(), ...otherCases(), ...(await oddCases())];
    const keepalived = new KeepalivedCheckers();
    try {
      keepalived.start(cases.map((each) => each.block));
      for (const { name, probe, up } of cases) {
        const outcome = await rig.look(probe, 3_000);
        assert.equal(outcome.ok, up, `${name}: ${outcome.reason}`);
      }
      const wanted = cases.filter((each) => each.up).map((each) => each.name);
      const found = () => cases.filter((_, at) => keepalived.up.has(at)).map((each) => each.name);
      await eventually("keepalived finds them up", 30_000, () => {
        assert.deepEqual(found(), wanted);
      }).catch((error: unknown) => {
        throw new Error(keepalived.log.slice(-6_000), { cause: error });
      });
      // Every check has come to an end twice by now, or its time of 2 s was over.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      assert.deepEqual(found(), wanted, "keepalived found more of them up");
    } finally {
      await keepalived.dispose();
    }
  });

  test("look at certificates, and speak HTTP/2, where keepalived does neither", async () => {
    const tls = tlsOptions({ verify: true, caFile: authority.caFile, serverName: "www.test" });
    const two = { tls, version: "2" } as const;
    assert.equal(await rig.reason(http(ports.https, {}, { tls })), "up: HTTP 200");
    assert.equal(await rig.reason(http(ports.https, {}, two)), "up: HTTP 200");
    assert.equal(await rig.reason(http(ports.https, { path: "/gone" }, two)), "down: HTTP 404");
    const expired = await rig.reason(http(ports.expired, {}, { tls }));
    assert.equal(expired, "down: certificate: it has expired");
    const unknown = tlsOptions({ verify: true });
    assert.match(
      await rig.reason(http(ports.https, {}, { tls: unknown })),
      /^down: certificate: its issuer/,
    );
  });

  test("have a digest that genhash, keepalived's and ours, prints", async () => {
    const chunked = await tcpServer((socket) =>
      socket.once("data", () =>
        socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`),
      ),
    );
    odd.push(chunked);
    const pages: readonly (readonly [number, ProbeOf<"http">, ...string[]])[] = [
      [ports.http, http(ports.http), "-u", "/"],
      [ports.http, http(ports.http, { path: "/large" }), "-u", "/large", "-P", "1.0c"],
      [ports.http, http(ports.http, { host: "www.test" }), "-u", "/", "-V", "www.test"],
      [ports.https, http(ports.https, {}, { tls: tlsOptions() }), "-S", "-u", "/", "-P", "1.1"],
      [chunked.port, http(chunked.port, {}, { version: "1.1" }), "-u", "/", "-P", "1.1"],
    ];
    for (const [port, probe, ...words] of pages) {
      const all = ["-s", "127.0.0.1", "-p", `${port}`, ...words];
      const ours = new Recorder();
      const [theirs] = await Promise.all([
        promisify(execFile)("genhash", all),
        runCli("holdfast", ["genhash", ...all], host, ours),
      ]);
      assert.equal(ours.written, theirs.stdout, `${words.join(" ")}${ours.complained}`);
      const urls = probe.urls.map((url) => ({ ...url, digest: ours.written.trim() }));
      assert.equal(await rig.reason({ ...probe, urls }), "up: HTTP 200");
    }
  });
});
