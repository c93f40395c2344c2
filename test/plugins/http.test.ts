import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { httpPlugin } from "../../plugins/http/http-plugin.ts";
import { Lookups } from "../../plugins/network/lookup.ts";
import type { Json } from "../../sdk/index.ts";
import type { OpenPlugin } from "../../sdk/plugin.ts";
import { callOn, failureOf, hostFor, testCompliance } from "./compliance.ts";
import type { Listening } from "./servers.ts";
import { closedPort, listening, tcpServer } from "./servers.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly truncated?: boolean;
}

testCompliance("http", async () => {
  const server = await listening(
    createServer((request, response) => {
      if (request.url !== "/silent") response.end("fine");
    }),
  );
  const permission = ["http://127.0.0.1:*/*"];
  const url = `http://127.0.0.1:${server.port}/`;
  const call = (method: string, ...args: Json[]) => ({ method, args, permission });
  return {
    plugin: httpPlugin(new Lookups()),
    goodPermissions: [[], permission, ["https://*.a.org/x*", "*://[2001:db8::1]:8080/*"]],
    badPermissions: [null, "x", {}, [7], ["http://h"], ["h/*"], ["http://u@h/*"], ["http://h*/*"]],
    narrower: [
      [["http://a.b.org/health"], ["http://*.b.org/*"]],
      [["https://h/*"], ["*://*/*"]],
    ],
    answered: [
      call("get", url, { headers: { accept: "text/plain" }, timeout: "2s", verify: false }),
      call("head", url, { http2: true }),
      call("post", url, { body: "text" }),
    ],
    forbidden: [
      { ...call("get", "http://localhost/"), permission },
      { ...call("get", `https://127.0.0.1:${server.port}/`), permission },
      { ...call("post", url), permission: ["http://127.0.0.1:1/*"] },
      { ...call("get", url), permission: null },
    ],
    wrong: [
      call("get", "127.0.0.1"),
      call("get", "file:///etc/passwd"),
      call("get", `http://user:pw@127.0.0.1:${server.port}/`),
      call("get", "http://127.0.0.1:80801/"),
      call("get", `http://127.0.0.1:${server.port}/${"x".repeat(9_000)}`),
      call("get", url, { body: "x" }),
      call("get", url, { timeout: "soon" }),
      ...[
        { a: "b\r\nc: d" },
        { "a b": "c" },
        { "transfer-encoding": "chunked" },
        { host: "a/b" },
        { é: "" },
        { a: 1 },
        { a: "\ud800" },
      ].map((headers) => call("get", url, { headers } as Json)),
      call("get", url, {
        headers: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`h${i}`, ""])),
      }),
    ],
    unanswered: [call("get", `${url}silent`), call("post", `${url}silent`)],
    dispose: () => server.close(),
  };
});

describe("http", () => {
  const open = httpPlugin(new Lookups()).open(hostFor()) as OpenPlugin;
  const servers: Listening[] = [];
  const told = new EventEmitter();
  let connections = 0;
  let base = "";
  let port = 0;

  const pages: Readonly<
    Record<string, (request: IncomingMessage, response: ServerResponse) => void>
  > = {
    "/plain": (_, response) => {
      response.setHeader("x-twice", ["a", "b"]);
      response.setHeader("set-cookie", ["c=1", "d=2"]);
      response.end("body ü");
    },
    "/echo": (request, response) => {
      request.setEncoding("utf8");
      let text = "";
      request.on("data", (part: string) => {
        text += part;
      });
      request.on("end", () => response.end(JSON.stringify({ text, headers: request.headers })));
    },
    "/moved": (_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    "/endless": (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write("é".repeat(10_000)));
      };
      response.on("drain", more).on("close", () => told.emit("cut"));
      more();
    },
    "/control": (_, response) => response.end("\u0001".repeat(250_000)),
    "/slow": (_, response) => {
      response.write("begin");
      response.on("close", () => told.emit("given up"));
      told.emit("asked");
    },
    "/huge-headers": (_, response) => {
      for (let at = 0; at < 10; at += 1) response.setHeader(`x-${at}`, "x".repeat(4_000));
      response.end();
    },
    "/broken": (_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("short", () => response.destroy());
    },
  };

  before(async () => {
    const server = createServer((request, response) => {
      const page = pages[request.url ?? ""];
      if (page === undefined) response.writeHead(404).end();
      else page(request, response);
    });
    server.on("connection", () => {
      connections += 1;
    });
    const main = await listening(server);
    servers.push(main);
    port = main.port;
    base = `http://127.0.0.1:${port}`;
  });
  after(async () => void (await Promise.all([open.close(), ...servers.map((s) => s.close())])));

  const permission = ["*://*:*/*"];
  const get = async (url: string, options: Json = null, method = "get"): Promise<Answer> =>
    (await callOn(open, { method, args: [url, options], permission })) as unknown as Answer;
  const codeOf = async (url: string) =>
    (await failureOf(callOn(open, { method: "get", args: [url], permission }))).code;
  const raw = async (serve: Parameters<typeof tcpServer>[0]): Promise<string> => {
    const server = await tcpServer(serve);
    servers.push(server);
    return `http://127.0.0.1:${server.port}/`;
  };

  test("answers status, headers and body, and keeps the connection", async () => {
    const { status, headers, body } = await get(`${base}/plain`);
    assert.deepEqual([status, body], [200, "body ü"]);
    assert.deepEqual([headers["x-twice"], headers["set-cookie"]], ["a, b", "c=1, d=2"]);
    const kept = connections;
    for (let at = 0; at < 5; at += 1) {
      // A connection rests for one turn before it is used again.
      await turn();
      await get(`${base}/plain`);
    }
    assert.equal(connections, kept);
    assert.equal((await get(`${base}/none`)).status, 404);
    assert.equal((await get(`${base}/plain`, null, "head")).body, "");
  });

  test("sends headers and a body", async () => {
    const options = { headers: { Host: "www.example.org", "X-A": "b" }, body: "ünï" };
    const { text, headers } = JSON.parse((await get(`${base}/echo`, options, "post")).body) as {
      text: string;
      headers: Record<string, string>;
    };
    assert.equal(text, "ünï");
    assert.deepEqual(
      [headers["host"], headers["x-a"], headers["user-agent"]],
      ["www.example.org", "b", "holdfast"],
    );
  });

  test("does not follow a redirect", async () => {
    const { status, headers } = await get(`${base}/moved`);
    assert.deepEqual([status, headers["location"]], [302, "http://127.0.0.1:1/"]);
  });

  test("cuts an endless body, and closes the connection", async () => {
    const cut = once(told, "cut");
    const { body, truncated } = await get(`${base}/endless`);
    assert.equal(Buffer.byteLength(body), 262_144);
    assert.equal(truncated, true);
    await cut;
  });

  test("tells of a body only what fits an answer", async () => {
    const { body, truncated } = await get(`${base}/control`);
    assert.ok(JSON.stringify(body).length <= 480_000 && body.length > 79_000);
    assert.equal(truncated, true);
  });

  test("closes the connection of a call that is given up in the middle of a body", async () => {
    const gone = new AbortController();
    const closed = once(told, "given up");
    const asked = once(told, "asked");
    const sample = { method: "get", args: [`${base}/slow`], permission };
    const call = failureOf(callOn(open, sample, { signal: gone.signal }));
    await asked;
    gone.abort();
    assert.equal((await call).code, "aborted");
    await closed;
  });

  test("asks again when a kept connection turns out to be closed", async () => {
    let served = 0;
    const url = await raw((socket) => {
      socket.on("data", () => {
        served += 1;
        // The second request on the first connection is not answered.
        if (served === 2) socket.destroy();
        else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
    assert.equal((await get(url)).body, "ok");
    await turn();
    assert.equal((await get(url)).body, "ok");
    assert.equal(served, 3);
  });

  test("does not send a post twice", async () => {
    let served = 0;
    const url = await raw((socket) => {
      socket.on("data", () => {
        served += 1;
        if (served === 2) socket.destroy();
        else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
    await get(url, { body: "x" }, "post");
    await turn();
    const sample = { method: "post", args: [url, { body: "x" }], permission };
    assert.match((await failureOf(callOn(open, sample))).code, /^(closed-early|ECONNRESET)$/);
    assert.equal(served, 2);
  });

  test("tells how a server failed", async () => {
    assert.equal(await codeOf(`http://127.0.0.1:${await closedPort()}/`), "ECONNREFUSED");
    assert.equal(await codeOf(`${base}/huge-headers`), "too-large");
    assert.match(await codeOf(`${base}/broken`), /^(closed-early|protocol)$/);
    assert.equal(await codeOf(await raw((socket) => socket.end("SSH-2.0-x\r\n"))), "protocol");
    assert.match(await codeOf(await raw((socket) => socket.end())), /^closed-early$/);
    assert.match(
      await codeOf(await raw((socket) => socket.resetAndDestroy())),
      /^(ECONNRESET|closed-early)$/,
    );
    const headersOnly = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab";
    assert.equal(await codeOf(await raw((socket) => socket.end(headersOnly))), "protocol");
    assert.equal(await codeOf(`https://127.0.0.1:${port}/`), "tls");
  });

  test("gives an answer of a hundred interim responses in the end", async () => {
    const url = await raw((socket) => {
      socket.write("HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n".repeat(100));
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    assert.equal((await get(url)).status, 200);
  });

  test("takes no headers for properties", async () => {
    const url = await raw((socket) =>
      socket.end("HTTP/1.1 200 OK\r\n__proto__: x\r\nconstructor: y\r\nContent-Length: 0\r\n\r\n"),
    );
    const { headers } = await get(url);
    assert.equal(headers["constructor"], "y");
    assert.equal(Object.getPrototypeOf(headers), Object.prototype);
  });
});
