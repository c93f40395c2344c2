import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http2";
import type { Socket } from "node:net";
import process from "node:process";
import { describe, test } from "node:test";
import { micros } from "../../../agent/core/time.ts";
import type { ProbeOf } from "../../../agent/ports/server-probes.ts";
import { eventually } from "../../lab/eventually.ts";
import type { Reply } from "../name-server.ts";
import { nameServer } from "../name-server.ts";
import { endpoint, http, ip, listening, openRig, tcpServer } from "./rig.ts";

const rig = openRig();
const position = { file: "test", line: 1, column: 1 } as never;

describe("TCP_CHECK", () => {
  test("comes from where it is to come from", async () => {
    const from: (string | undefined)[] = [];
    const server = await tcpServer((socket) =>
      from.push(`${socket.remoteAddress} ${socket.remotePort}`),
    );
    const source = { sourceAddress: ip("127.0.0.7"), interface: "lo" };
    const to = endpoint(server.port, source);
    assert.equal(await rig.reason({ kind: "tcp", to }), "up: connected");
    const bound = endpoint(server.port, { ...source, sourcePort: 20_000 + (process.pid % 10_000) });
    // The port is free again at once.
    for (let count = 0; count < 3; count += 1) {
      assert.equal(await rig.reason({ kind: "tcp", to: bound }), "up: connected");
    }
    assert.equal(
      await rig.reason(http(server.port, {}, { to: bound }), 500),
      "down: timeout waiting for the answer",
    );
    assert.match(from[0] ?? "", /^127\.0\.0\.7 \d+$/);
    for (const seen of from.slice(1)) assert.equal(seen, `127.0.0.7 ${bound.sourcePort}`);
    await server.close();
  });

  test("says why it cannot leave this host", async () => {
    const reason = (more: Parameters<typeof endpoint>[1]) =>
      rig.reason({ kind: "tcp", to: endpoint(9, more) });
    assert.equal(
      await reason({ sourceAddress: ip("192.0.2.1") }),
      "down: no local address or port is free",
    );
    assert.equal(await reason({ interface: "hf-none" }), "down: there is no such interface");
    assert.equal(await reason({ address: ip("255.255.255.255") }), "down: no route to the network");
  });

  test("looks over IPv6", async () => {
    const to = endpoint(1, { address: ip("::1"), sourceAddress: ip("::1") });
    assert.match(
      await rig.reason({ kind: "tcp", to }),
      /^down: (connection refused|no local address)/,
    );
  });
});

describe("SMTP_CHECK", () => {
  const lines: string[] = [];
  const served = async (answers: readonly string[]): Promise<string> => {
    lines.length = 0;
    const server = await tcpServer((socket: Socket) => {
      const left = [...answers];
      socket.write(left.shift() ?? "");
      socket.on("data", (line: Buffer) => {
        lines.push(line.toString());
        socket.write(left.shift() ?? "");
      });
    });
    const probe = { kind: "smtp", to: endpoint(server.port), heloName: "probe.test" } as const;
    const reason = await rig.reason(probe, 1_000);
    await server.close();
    return reason;
  };

  test("takes answers of one line and of several", async () => {
    assert.equal(await served(["220 hi\r\n", "250 ok\r\n", "221 bye\r\n"]), "up: SMTP 221");
    assert.deepEqual(lines, ["HELO probe.test\r\n", "QUIT\r\n"]);
    const several = ["220-hi\r\n220-there\r\n220 x\r\n", "250-a\n250\n", "221 bye\r\n"];
    assert.equal(await served(several), "up: SMTP 221");
  });

  test("takes no other ones", async () => {
    assert.equal(await served(["554 go away\r\n"]), "down: the greeting: 554 go away");
    assert.equal(await served(["220 hi\r\n", "501 no\r\n"]), "down: HELO: 501 no");
    assert.equal(await served(["220 x\r\n", "250 x\r\n", "250 x\r\n"]), "down: QUIT: 250 x");
    assert.equal(await served(["220-x\r\n221 y\r\n"]), "down: the greeting: 221 y");
    assert.equal(await served(["2200 x\r\n"]), "down: the greeting: 2200 x");
    assert.equal(await served(["\r\n"]), "down: the greeting: an empty line");
    assert.equal(await served(["HTTP/1.1\u0007 400\r\n"]), "down: the greeting: HTTP/1.1? 400");
  });
});

describe("DNS_CHECK", () => {
  const asked = async (
    reply: (name: string, type: number) => Reply | undefined,
    more: Partial<ProbeOf<"dns">> = {},
    ms?: number,
  ): Promise<string> => {
    const server = await nameServer(reply);
    const probe = { kind: "dns", to: endpoint(server.port), type: "SOA", name: "." } as const;
    const reason = await rig.reason({ ...probe, ...more }, ms);
    server.close();
    return reason;
  };

  test("is good with NOERROR, records or none", async () => {
    const seen: unknown[] = [];
    const answer = (name: string, type: number) => {
      seen.push([name, type]);
      return {};
    };
    assert.equal(await asked(answer), "up: NOERROR");
    assert.equal(await asked(answer, { name: "www.Example.org.", type: "AAAA" }), "up: NOERROR");
    assert.deepEqual(seen, [
      ["", 6],
      ["www.example.org", 28],
    ]);
  });

  test("is bad with anything else", async () => {
    assert.equal(await asked(() => ({ code: 2 })), "down: SERVFAIL");
    assert.equal(await asked(() => ({ code: 3 })), "down: NXDOMAIN");
    assert.equal(await asked(() => ({ code: 11 })), "down: RCODE 11");
    assert.equal(
      await asked(() => undefined, { name: "a.b" }, 100),
      "down: timeout waiting for SOA of a.b",
    );
    assert.match(await asked(() => ({}), { name: "a..b" }), /^down: there is no query/);
    assert.match(await asked(() => ({}), { type: "NONE" }), /^down: there is no query/);
    assert.match(await asked(() => ({}), { name: "a".repeat(64) }), /^down: there is no query/);
  });

  test("passes over what is no answer to it", async () => {
    const server = createSocket("udp4").unref();
    server.on("message", (query, from) => {
      const wrong = Buffer.from(query);
      wrong.writeUInt16BE((query.readUInt16BE() + 1) & 0xffff);
      wrong[2] = 0x80;
      wrong[3] = 2;
      const echo = Buffer.from(query);
      echo[3] = 2;
      const right = Buffer.from(query);
      right[2] = 0x80;
      for (const message of [wrong, echo, Buffer.of(1), Buffer.alloc(0), right]) {
        server.send(message, from.port, from.address);
      }
    });
    server.bind(0, "127.0.0.1");
    await once(server, "listening");
    const to = endpoint(server.address().port);
    assert.equal(await rig.reason({ kind: "dns", to, type: "SOA", name: "." }), "up: NOERROR");
    server.close();
  });
});

describe("UDP_CHECK", () => {
  const probe = (port: number, more: Partial<ProbeOf<"udp">> = {}): ProbeOf<"udp"> => ({
    kind: "udp",
    to: endpoint(port),
    payload: "c0ffee",
    requireReply: true,
    reply: undefined,
    minReplyLength: 0,
    maxReplyLength: 255,
    ...more,
  });
  const server = async (reply: Buffer | undefined) => {
    const socket = createSocket("udp4").unref();
    const got: string[] = [];
    socket.on("message", (message, from) => {
      got.push(message.toString("hex"));
      if (reply !== undefined) socket.send(reply, from.port, from.address);
    });
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return { port: socket.address().port, got, close: () => void socket.close() };
  };

  test("wants a reply that fits", async () => {
    const { port, got, close } = await server(Buffer.from("0badcafe", "hex"));
    const reason = (more: Partial<ProbeOf<"udp">>) => rig.reason(probe(port, more));
    assert.equal(await reason({}), "up: a reply of 4 bytes");
    assert.deepEqual(got, ["c0ffee"]);
    assert.equal(await reason({ reply: "0bXdca" }), "up: a reply of 4 bytes");
    assert.equal(await reason({ reply: "xxxxxxfe" }), "up: a reply of 4 bytes");
    assert.equal(await reason({ reply: "0bae" }), "down: another reply than required");
    assert.equal(await reason({ reply: "0badcafe00" }), "down: another reply than required");
    assert.equal(await reason({ minReplyLength: 5 }), "down: a reply of 4 bytes, not 5 to 255");
    assert.equal(await reason({ maxReplyLength: 3 }), "down: a reply of 4 bytes, not 0 to 3");
    assert.equal(await reason({ reply: "0" }), "down: no reply can be 0");
    assert.equal(
      await reason({ requireReply: false, minReplyLength: 9 }),
      "up: a reply of 4 bytes",
    );
    close();
  });

  test("is content with silence where no reply is required, and not with a refusal", async () => {
    const { port, got, close } = await server(undefined);
    assert.equal(
      await rig.reason(probe(port, { requireReply: false, payload: undefined }), 50),
      "up: no refusal",
    );
    // Its time may be over before this process has read what it sent.
    await eventually("it is heard", 5_000, () => assert.equal(got[0]?.length, 64));
    assert.equal(await rig.reason(probe(port), 50), "down: timeout waiting for a reply");
    close();
    assert.equal(
      await rig.reason(probe(port, { requireReply: false })),
      "down: connection refused",
    );
    assert.equal(await rig.reason(probe(port)), "down: connection refused");
  });
});

describe("MISC_CHECK", () => {
  const misc = (script: string, more: Partial<ProbeOf<"misc">> = {}): ProbeOf<"misc"> => ({
    kind: "misc",
    command: { position, argv: ["/bin/sh", "-c", script], runAs: undefined },
    timeout: micros(2_000_000),
    dynamic: false,
    ...more,
  });

  test("goes by the status", async () => {
    const judge = async (script: string, dynamic: boolean) => {
      const { ok, reason, weight } = await rig.look(misc(script, { dynamic }));
      return [ok, reason, weight];
    };
    assert.deepEqual(await judge("exit 0", false), [true, "status 0", undefined]);
    assert.deepEqual(await judge("exit 3", false), [false, "status 3", undefined]);
    assert.deepEqual(await judge("exit 0", true), [true, "status 0", undefined]);
    assert.deepEqual(await judge("exit 1", true), [false, "status 1", undefined]);
    assert.deepEqual(await judge("exit 2", true), [true, "status 2", 0]);
    assert.deepEqual(await judge("exit 255", true), [true, "status 255", 253]);
    assert.deepEqual(await judge("kill -9 $$", false), [false, "ended by SIGKILL", undefined]);
  });

  test("ends with its time", async () => {
    assert.equal(await rig.reason(misc("sleep 9", { timeout: micros(40_000) })), "down: timeout");
    assert.equal(await rig.reason(misc("sleep 9"), 40), "down: timeout");
    const none = misc("", { command: { position, argv: ["/nowhere"], runAs: undefined } });
    assert.match(await rig.reason(none), /^down: could not be started/);
  });
});

describe("HTTP/2 and gRPC without TLS", () => {
  const grpc = (port: number, service = ""): ProbeOf<"grpc"> => ({
    kind: "grpc",
    to: endpoint(port),
    tls: undefined,
    service,
  });

  test("a status, headers and a body", async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === "/" ? 200 : 503;
      response.end(`${request.authority} ${request.headers["user-agent"]}`);
    });
    const { port, close } = await listening(server);
    const regex = {
      pattern: `^127.0.0.1:${port} KeepAliveClient$`,
      flags: "",
      negated: false,
      minOffset: 0,
      maxOffset: undefined,
    };
    assert.equal(await rig.reason(http(port, { regex }, { version: "2" })), "up: HTTP 200");
    assert.equal(await rig.reason(http(port, { path: "/x" }, { version: "2" })), "down: HTTP 503");
    await close();
  });

  test("the health service", async () => {
    const server = createServer();
    const answers: Record<string, [message: string, code: string]> = {
      "": ["00000000020801", "0"],
      down: ["00000000020802", "0"],
      unsaid: ["0000000000", "0"],
      torn: ["00000000090801", "0"],
      gone: ["", "5"],
    };
    server.on("stream", (stream, headers) => {
      stream.once("data", (bytes: Buffer) => {
        const known =
          headers[":path"] === "/grpc.health.v1.Health/Check" && headers["te"] === "trailers";
        const name = bytes.length === 5 ? "" : bytes.toString("utf8", 7);
        const [message = "", code = "13"] = (known ? answers[name] : undefined) ?? [];
        if (message === "")
          return stream.respond({ ":status": 200, "grpc-status": code }, { endStream: true });
        stream.respond({ ":status": 200 }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": code }));
        stream.end(Buffer.from(message, "hex"));
      });
    });
    const { port, close } = await listening(server);
    assert.equal(await rig.reason(grpc(port)), "up: SERVING");
    assert.equal(await rig.reason(grpc(port, "down")), "down: NOT_SERVING");
    assert.equal(await rig.reason(grpc(port, "unsaid")), "down: UNKNOWN");
    assert.equal(await rig.reason(grpc(port, "torn")), "down: the answer is no proper gRPC");
    assert.equal(await rig.reason(grpc(port, "gone")), "down: the service is not known");
    assert.equal(await rig.reason(grpc(port, "none")), "down: gRPC status 13");
    await close();
  });
});
