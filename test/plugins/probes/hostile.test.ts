import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:http2";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import type { ProbeOf } from "../../../agent/ports/server-probes.ts";
import { TimedRegex } from "../../../plugins/probes/http/timed-regex.ts";
import { eventually } from "../../lab/eventually.ts";
import { closedPort } from "../servers.ts";
import type { TimedKind } from "./rig.ts";
import { endpoint, http, listening, openRig, tcpServer, tlsOptions } from "./rig.ts";

const rig = openRig();
/** It is waited for, as nothing here ends by itself; a busy machine has come to that stage by then. */
const SHORT_MS = 500;

const smtp = (port: number): ProbeOf<"smtp"> => ({
  kind: "smtp",
  to: endpoint(port),
  heloName: "x",
});
const grpc = (port: number): ProbeOf<"grpc"> => ({
  kind: "grpc",
  to: endpoint(port),
  tls: undefined,
  service: "",
});
const over2 = (port: number) => http(port, {}, { version: "2" });

/** Writes again and again, as fast as the other side takes it. */
const flood = (socket: Socket, text: string): void => {
  const batch = text.repeat(Math.ceil(4_096 / text.length));
  const more = (): void => {
    if (!socket.destroyed) socket.write(batch, more);
  };
  more();
};

/** Against a server of a few lines: what the probe says, and whether its connection is gone then. */
async function against(
  serve: (socket: Socket) => void,
  probe: (port: number) => ProbeOf<TimedKind>,
  ms = 3_000,
): Promise<string> {
  let gone: Promise<unknown> | undefined;
  const server = await tcpServer((socket) => {
    socket.resume();
    gone = Promise.race([once(socket, "close"), once(socket, "end")]).catch(() => undefined);
    serve(socket);
  });
  const reason = await rig.reason(probe(server.port), ms);
  // It hangs, and the test with it, when the connection is kept.
  await gone;
  await server.close();
  return reason;
}

describe("a server that never ends", () => {
  const HEAD = "HTTP/1.1 200 OK\r\n";

  test("its body", async () => {
    const endless = (socket: Socket) => {
      socket.write(`${HEAD}\r\n`);
      flood(socket, "a");
    };
    assert.equal(await against(endless, http), "up: HTTP 200");
    const digest = "0".repeat(32);
    assert.match(await against(endless, (port) => http(port, { digest })), /longer than 1 MiB/);
    const regex = { pattern: "b", flags: "", negated: false, minOffset: 0, maxOffset: undefined };
    assert.match(await against(endless, (port) => http(port, { regex })), /does not match/);
    const json = { path: [], equals: "" };
    assert.match(await against(endless, (port) => http(port, { json })), /longer than 64 KiB/);
  });

  test("its headers, its interim answers, the line of a chunk", async () => {
    const headers = (socket: Socket) => {
      socket.write(HEAD);
      flood(socket, `X: ${"y".repeat(1_000)}\r\n`);
    };
    assert.equal(await against(headers, http), "down: the headers are longer than 16 KiB");
    const interim = (socket: Socket) => flood(socket, "HTTP/1.1 102 Processing\r\n\r\n");
    assert.equal(await against(interim, http), "down: interim answers without end");
    const chunk = (socket: Socket) => {
      socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
      flood(socket, "0".repeat(300));
    };
    assert.match(await against(chunk, http), /^down: the chunks/);
  });

  test("its greeting", async () => {
    const greeting = (socket: Socket) => flood(socket, "220-hello\r\n");
    assert.equal(await against(greeting, smtp), "down: the greeting: an answer without end");
    const line = (socket: Socket) => flood(socket, "220 hello");
    assert.match(await against(line, smtp), /^down: the greeting: a line of more than 2048/);
  });
});

describe("a server that is slow", { concurrency: true }, () => {
  const drip =
    (text: string) =>
    (socket: Socket): void => {
      let at = 0;
      const timer = setInterval(() => socket.write(text[at++ % text.length] ?? ""), 10);
      socket.once("close", () => clearInterval(timer));
    };

  for (const [what, serve, probe, reason] of [
    ["says nothing", () => {}, http, "waiting for the answer"],
    ["drips headers", drip("HTTP/1.1 200 OK and so on"), http, "waiting for the answer"],
    [
      "stops within the body",
      (socket: Socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
      http,
      "HTTP 200, waiting for the rest of the body",
    ],
    ["does not greet", () => {}, smtp, "waiting for the greeting"],
    [
      "does not answer",
      (socket: Socket) => socket.write("220 x\r\n"),
      smtp,
      "waiting for the answer to HELO",
    ],
    ["drips a greeting", drip("2"), smtp, "waiting for the greeting"],
    ["says nothing to HTTP/2", () => {}, over2, "waiting for the answer"],
    ["says nothing to gRPC", () => {}, grpc, "waiting for the answer"],
  ] as const) {
    test(`and ${what}`, async () => {
      assert.equal(await against(serve, probe, SHORT_MS), `down: timeout ${reason}`);
    });
  }

  test("and shakes no hands", async () => {
    const tls = tlsOptions();
    const secure = (port: number) => http(port, {}, { tls });
    assert.equal(await against(() => {}, secure, SHORT_MS), "down: timeout shaking hands");
    const plain = (socket: Socket) => socket.write("HTTP/1.0 400 Bad\r\n\r\n");
    assert.match(await against(plain, secure), /^down: the other side does not speak TLS/);
    assert.equal(
      await against((socket) => socket.resetAndDestroy(), secure),
      "down: the other side broke the connection",
    );
    assert.match(await against((socket) => socket.end(), secure), /^down: the other side/);
  });
});

describe("a server that breaks the connection", () => {
  const breaking = (text: string) => (socket: Socket) => {
    socket.once("data", () =>
      socket.write(text, () => setImmediate(() => socket.resetAndDestroy())),
    );
  };
  const broke = "down: the other side broke the connection";

  test("at any stage", async () => {
    assert.equal(await against((socket) => socket.resetAndDestroy(), http), broke);
    assert.equal(await against(breaking("HTTP/1.1 2"), http), broke);
    assert.equal(
      await against(breaking("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), http),
      broke,
    );
    assert.equal(await against((socket) => socket.resetAndDestroy(), smtp), broke);
    assert.equal(
      await against((socket) => socket.end(), smtp),
      "down: the greeting: the server closed the connection",
    );
    assert.match(await against((socket) => socket.resetAndDestroy(), over2), /^down: /);
    assert.match(await against((socket) => socket.end(), over2), /^down: /);
    assert.match(await against((socket) => socket.resetAndDestroy(), grpc), /^down: /);
  });

  test("or was never there", async () => {
    const port = await closedPort();
    const kinds = [http(port), over2(port), smtp(port), grpc(port)];
    for (const probe of [...kinds, { kind: "tcp", to: endpoint(port) } as const]) {
      assert.equal(await rig.reason(probe), "down: connection refused", probe.kind);
    }
  });
});

describe("a regex that takes for ever", () => {
  test("is broken off, and rests for that server alone", async () => {
    const hostile = await tcpServer((socket) => {
      socket.once("data", () => socket.end(`HTTP/1.0 200 OK\r\n\r\n${"a".repeat(5_000)}!`));
    });
    const good = await tcpServer((socket) => {
      socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\naaa"));
    });
    const regex = {
      pattern: "^(a+)+$",
      flags: "",
      negated: false,
      minOffset: 0,
      maxOffset: undefined,
    };
    const probe = http(hostile.port, { regex });
    const slow = "down: the regex takes too long on this body";
    assert.equal(await rig.reason(probe), slow);
    assert.equal(await rig.reason(probe), slow);
    assert.equal(await rig.reason(http(good.port, { regex })), "up: HTTP 200");
    await hostile.close();
    await good.close();
  });
});

describe("a pattern that took too long", () => {
  test("rests for a hundred times as long", () => {
    const regex = new TimedRegex("^(a+)+$", "");
    const hostile = Buffer.from(`${"a".repeat(5_000)}!`);
    const good = Buffer.from("aaa");
    assert.equal(regex.search(good, 0, 0), 0);
    assert.equal(regex.search(hostile, 0, 10), "too-slow");
    assert.equal(regex.search(good, 0, 11), "too-slow");
    assert.equal(regex.search(good, 0, 2_009), "too-slow");
    assert.equal(regex.search(good, 0, 2_010), 0);
  });
});

describe("a server of HTTP/2", () => {
  test("that sends without end", async () => {
    const http2 = createServer();
    http2.on("stream", (stream) => {
      stream.on("error", () => undefined);
      stream.respond({ ":status": 200 });
      const more = (): void => {
        if (!stream.destroyed) stream.write(Buffer.alloc(65_536), more);
      };
      more();
    });
    const { port, close } = await listening(http2);
    assert.equal(await rig.reason(over2(port)), "up: HTTP 200");
    assert.equal(await rig.reason(grpc(port)), "down: the answer is longer than 1 KiB");
    await close();
  });
});

describe("ten of a kind", () => {
  const descriptors = (): number => readdirSync("/proc/self/fd").length;

  test("leave nothing behind, given up at any moment", async () => {
    const silent = await tcpServer(() => {});
    const probes = [http(silent.port), over2(silent.port), smtp(silent.port), grpc(silent.port)];
    const all = async (): Promise<void> => {
      const controller = new AbortController();
      const looks = Array.from({ length: 25 }, () =>
        probes.map((probe) => rig.run(probe, controller.signal, 1_000 as never)),
      ).flat();
      controller.abort();
      for (const outcome of await Promise.all(looks)) assert.equal(outcome.ok, false);
      const aborted = await Promise.all(
        probes.map((probe) => rig.run(probe, controller.signal, 1_000 as never)),
      );
      for (const { reason } of aborted) assert.equal(reason, "timeout connecting");
    };
    await all();
    await silent.close();
    const before = descriptors();
    const again = await tcpServer(() => {});
    await again.close();
    await all();
    await eventually("their descriptors are closed", 5_000, () =>
      assert.ok(descriptors() <= before, `${descriptors()} descriptors, ${before} before`),
    );
  });
});
