import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import type { HttpUrl } from "../../../plugins/probes/http/http-request.ts";
import { requestText } from "../../../plugins/probes/http/http-request.ts";
import type { Listening } from "../servers.ts";
import { endpoint, http, httpUrl, ip, openRig, tcpServer } from "./rig.ts";

const rig = openRig();
const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** A server that answers every request with these bytes, and ends. */
const answering = (answer: string | Buffer | ((request: string) => string)): Promise<Listening> =>
  tcpServer((socket) => {
    socket.once("data", (request: Buffer) => {
      socket.end(typeof answer === "function" ? answer(request.toString()) : answer);
    });
  });

async function judged(answer: string | Buffer, url: Partial<HttpUrl> = {}): Promise<string> {
  const server = await answering(answer);
  try {
    return await rig.reason(http(server.port, url));
  } finally {
    await server.close();
  }
}

const regex = (pattern: string, more: Partial<NonNullable<HttpUrl["regex"]>> = {}) => ({
  regex: { pattern, flags: "", negated: false, minOffset: 0, maxOffset: undefined, ...more },
});

describe("the request", () => {
  const said = (version: "1.0" | "1.0C" | "1.1", host?: string, address = "127.0.0.1") =>
    requestText(
      http(80, {}, { version, to: endpoint(8080, { address: ip(address) }) }),
      httpUrl({ path: "/x?y", host }),
    );

  test("is worded as keepalived words it", () => {
    const first = (version: string) =>
      `GET /x?y HTTP/${version}\r\nUser-Agent: KeepAliveClient\r\n`;
    const host = "Host: 127.0.0.1:8080\r\n\r\n";
    assert.equal(said("1.0"), `${first("1.0")}${host}`);
    assert.equal(said("1.0C"), `${first("1.0")}Connection: close\r\n${host}`);
    assert.equal(said("1.1"), `${first("1.1")}Connection: close\r\n${host}`);
    assert.match(said("1.1", "www.example.org"), /\r\nHost: www\.example\.org\r\n\r\n$/);
    assert.match(said("1.0", undefined, "2001:db8::1"), /\r\nHost: \[2001:db8::1\]:8080\r\n\r\n$/);
  });

  test("arrives as it is", async () => {
    const server = await answering((request) => `HTTP/1.0 200 OK\r\n\r\n${request}`);
    const probe = http(
      server.port,
      regex("^GET / HTTP/1\\.0\\r\\nUser-Agent: KeepAliveClient\\r\\nHost: 127"),
    );
    assert.equal(await rig.reason(probe), "up: HTTP 200");
    await server.close();
  });
});

describe("an answer", () => {
  for (const [answer, wanted] of [
    ["HTTP/1.0 200 OK\r\n\r\nfine", "up: HTTP 200"],
    ["HTTP/1.1 204 No Content\r\n\r\n", "up: HTTP 204"],
    ["HTTP/1.1 200\r\n\r\n", "up: HTTP 200"],
    ["ICY 200 OK\r\n\r\n", "up: HTTP 200"],
    ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "up: HTTP 200"],
    ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\n\r\n", "down: HTTP 503"],
    ["HTTP/1.1 301 Moved\r\nLocation: /y\r\n\r\n", "down: HTTP 301"],
    ["HTTP/1.1 2000 OK\r\n\r\n", "down: the answer is no HTTP"],
    ["HTTP/1.1 200 OK\nX: y\n\nbody", "down: closed within the headers"],
    ["HTTP/1.1 200 OK\r\nX: y\r\n", "down: closed within the headers"],
    ["", "down: closed without an answer"],
    ["220 mail.example.org ESMTP\r\n\r\n", "down: the answer is no HTTP"],
    [Buffer.from([0x15, 0x03, 0x01, 0, 2, 2, 0x46, 13, 10, 13, 10]), "down: the answer is no HTTP"],
  ] as const) {
    test(`${JSON.stringify(answer.toString("latin1" as never)).slice(0, 60)} is ${wanted}`, async () => {
      assert.equal(await judged(answer), wanted);
    });
  }

  test("is good with a status of any range", async () => {
    const url = {
      statusCodes: [
        [200, 200],
        [301, 303],
      ] as const,
    };
    assert.equal(await judged("HTTP/1.0 302 Found\r\n\r\n", url), "up: HTTP 302");
    assert.equal(await judged("HTTP/1.0 304 No\r\n\r\n", url), "down: HTTP 304");
    assert.equal(await judged("HTTP/1.0 201 No\r\n\r\n", url), "down: HTTP 201");
  });

  test("is complete when it is as long as it says, and the connection may stay", async () => {
    const server = await tcpServer((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"));
    });
    assert.equal(await rig.reason(http(server.port, { digest: md5("abc") })), "up: HTTP 200");
    await server.close();
  });

  test("that is cut off is good with a warning, as keepalived takes it", async () => {
    const server = await answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    const outcome = await rig.look(http(server.port));
    assert.deepEqual([outcome.ok, outcome.warning], [true, "HTTP 200, but 3 bytes instead of 10"]);
    await server.close();
  });

  test("comes in pieces of any size", async () => {
    const answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n";
    const server = await tcpServer((socket) => {
      socket.setNoDelay();
      let at = 0;
      const drip = (): void => {
        if (at < answer.length && !socket.destroyed) socket.write(answer[at++] ?? "", drip);
      };
      socket.once("data", drip);
    });
    assert.equal(await rig.reason(http(server.port, { digest: md5("abcde") })), "up: HTTP 200");
    await server.close();
  });
});

describe("the body", () => {
  const ok = "HTTP/1.0 200 OK\r\n\r\n";

  test("has a digest", async () => {
    assert.equal(await judged(`${ok}abc`, { digest: md5("abc") }), "up: HTTP 200");
    assert.equal(await judged(`${ok}abc`, { digest: md5("abc").toUpperCase() }), "up: HTTP 200");
    assert.equal(
      await judged(`${ok}abd`, { digest: md5("abc") }),
      `down: the digest is ${md5("abd")}`,
    );
    const large = Buffer.concat([Buffer.from(ok), Buffer.alloc(1_048_576)]);
    const digest = createHash("md5").update(Buffer.alloc(1_048_576)).digest("hex");
    assert.equal(await judged(large, { digest }), "up: HTTP 200");
    assert.equal(
      await judged(Buffer.concat([large, Buffer.of(0)]), { digest }),
      "down: the body is longer than 1 MiB: no digest",
    );
  });

  test("has a digest with the framing of its chunks, or without it", async () => {
    const framed = "3\r\nabc\r\n0\r\n\r\n";
    const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${framed}`;
    assert.equal(await judged(chunked, { digest: md5("abc") }), "up: HTTP 200");
    assert.equal(await judged(chunked, { digest: md5(framed) }), "up: HTTP 200");
    assert.match(await judged(chunked, { digest: md5("abcd") }), /^down: the digest is/);
    const wrong = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n";
    assert.match(await judged(wrong, { digest: md5("abc") }), /^down: the chunks/);
  });

  test("matches a regex between offsets", async () => {
    const body = `${ok}one two two`;
    assert.equal(await judged(body, regex("two")), "up: HTTP 200");
    assert.equal(await judged(body, regex("TWO")), "down: the regex does not match");
    assert.equal(await judged(body, regex("TWO", { flags: "i" })), "up: HTTP 200");
    assert.equal(await judged(body, regex("two", { negated: true })), "down: the regex matches");
    assert.equal(await judged(body, regex("six", { negated: true })), "up: HTTP 200");
    assert.equal(
      await judged(body, regex("one", { minOffset: 1 })),
      "down: the regex does not match",
    );
    assert.equal(await judged(body, regex("two", { minOffset: 8, maxOffset: 8 })), "up: HTTP 200");
    assert.equal(
      await judged(body, regex("two", { maxOffset: 3 })),
      "down: the regex does not match",
    );
  });

  test("is bytes to a regex, or characters when it says so", async () => {
    const body = Buffer.from(`${ok}größe`);
    assert.equal(await judged(body, regex("^gr\\xc3\\xb6..e$")), "up: HTTP 200");
    assert.equal(await judged(body, regex("^gr.{4}e$")), "up: HTTP 200");
    assert.equal(await judged(body, regex("^gr.ße$", { flags: "u" })), "up: HTTP 200");
    assert.equal(
      await judged(body, regex("ß", { flags: "u", minOffset: 4, maxOffset: 4 })),
      "up: HTTP 200",
    );
    assert.equal(
      await judged(`${ok}x`, regex("(")),
      "down: the regex: Invalid regular expression: /(/g: Unterminated group",
    );
  });

  test("is JSON with a value at a place", async () => {
    const body = `${ok}{"status":"up","n":{"a":[1,true,null]}}`;
    const json = (path: readonly string[], equals: string) => ({ json: { path, equals } });
    assert.equal(await judged(body, json(["status"], "up")), "up: HTTP 200");
    assert.equal(await judged(body, json(["n", "a", "1"], "true")), "up: HTTP 200");
    assert.equal(await judged(body, json(["n"], '{"a":[1,true,null]}')), "up: HTTP 200");
    assert.equal(await judged(body, json(["status"], "down")), 'down: status is "up"');
    assert.equal(await judged(body, json(["n", "b"], "1")), "down: n.b is missing");
    assert.equal(await judged(body, json(["__proto__", "x"], "1")), "down: __proto__.x is missing");
    assert.equal(await judged(`${ok}{`, json(["status"], "up")), "down: the body is no JSON");
  });
});

describe("several URLs", () => {
  test("take turns while they are well, and are all looked at until they are", async () => {
    const asked: string[] = [];
    let bad = "/b";
    const server = await answering((request) => {
      const path = request.split(" ")[1] ?? "";
      asked.push(path);
      return `HTTP/1.0 ${path === bad ? 500 : 200} x\r\n\r\n`;
    });
    const urls = ["/a", "/b", "/c"].map((path) => httpUrl({ path }));
    const probe = http(server.port, {}, { urls });
    const looks = async (wanted: string, ...paths: readonly string[]) => {
      asked.length = 0;
      assert.equal(await rig.reason(probe), wanted);
      assert.deepEqual(asked, paths);
    };
    await looks("down: /b: HTTP 500", "/a", "/b");
    bad = "";
    await looks("up: HTTP 200", "/a", "/b", "/c");
    for (const path of ["/a", "/b", "/c", "/a"]) await looks("up: HTTP 200", path);
    bad = "/b";
    await looks("down: /b: HTTP 500", "/b");
    await looks("down: /b: HTTP 500", "/a", "/b");
    await server.close();
  });
});
