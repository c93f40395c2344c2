import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import type { Notice } from "../../agent/core/notify/notice.ts";
import type { Channel, Delivery } from "../../agent/ports/channels.ts";
import { putSecrets } from "../../agent/runtime/secrets.ts";
import { webhookChannel } from "../../plugins/webhook/webhook-channel.ts";
import type { Listening } from "./servers.ts";
import { closedPort, listening } from "./servers.ts";

/* A receiver that fails, hangs and lies. */

const TOKEN = "correct-horse-battery";

let server: Listening;
let folder: string;
let channel: Channel;
const received: { path: string; body: string; type: string | undefined }[] = [];
let answer: (response: ServerResponse, request: IncomingMessage) => void;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-webhook-`));
  writeFileSync(join(folder, "token"), `${TOKEN}\nits first line counts\n`, { mode: 0o600 });
  server = await listening(
    createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text) => {
        body += text;
      });
      request.on("end", () => {
        received.push({ path: request.url ?? "", body, type: request.headers["content-type"] });
        answer(response, request);
      });
    }),
  );
  const secrets = { token: join(folder, "token"), gone: join(folder, "gone") };
  channel = webhookChannel({
    node: "lb1",
    smtp: undefined,
    mail: undefined,
    secret: (text) => putSecrets(text, secrets),
    wallClock: () => Date.now(),
  });
});

afterEach(() => {
  received.length = 0;
});

after(async () => {
  await channel.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const notice = (url: string, preset = "json"): Notice => ({
  target: { kind: "webhook", preset, url },
  source: "policy test",
  title: "title",
  text: "text",
  severity: "warning",
  json: undefined,
  key: "key",
  throttleMs: 0,
  at: 1_700_000_000_000,
});

const url = (path = "/hook"): string => `http://127.0.0.1:${server.port}${path}`;

const post = (to = url(), preset = "json", signal = new AbortController().signal) =>
  channel.send(notice(to, preset), signal);

const status =
  (code: number, body = "", headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse) =>
    response.writeHead(code, headers).end(body);

describe("a webhook", { timeout: 20_000 }, () => {
  test("is a POST of JSON, with secrets in their places", async () => {
    answer = status(204);
    assert.deepEqual(await post(url(`/hook/\${secret:token}`)), { kind: "delivered" });
    assert.equal(received[0]?.path, `/hook/${TOKEN}`);
    assert.equal(received[0]?.type, "application/json");
    assert.equal((JSON.parse(received[0]?.body ?? "") as { title: string }).title, "title");
  });

  const statuses: readonly [number, Delivery["kind"]][] = [
    [200, "delivered"],
    [202, "delivered"],
    [301, "refused"],
    [400, "refused"],
    [401, "refused"],
    [404, "refused"],
    [408, "failed"],
    [410, "refused"],
    [429, "failed"],
    [500, "failed"],
    [503, "failed"],
  ];
  for (const [code, kind] of statuses) {
    test(`answered with ${code} is ${kind}`, async () => {
      answer = status(code);
      assert.equal((await post()).kind, kind);
    });
  }

  test("too many: the other side says how long to wait", async () => {
    answer = status(429, "slow down", { "retry-after": "7" });
    const delivery = await post();
    assert.deepEqual(delivery, {
      kind: "failed",
      reason: "HTTP 429: slow down",
      retryAfterMs: 7_000,
    });
  });

  test("a lie is no delivery", async () => {
    answer = status(200, '{"ok":false,"error":"channel_is_archived"}');
    assert.deepEqual(await post(url(), "slack"), {
      kind: "refused",
      reason: "channel_is_archived",
    });
  });

  test("a page is no answer of a service, but may be one of anybody's", async () => {
    answer = status(200, "\n<!DOCTYPE html><title>Log in</title>");
    for (const preset of ["slack", "teams", "discord", "ntfy"]) {
      assert.equal((await post(url("/topic"), preset)).kind, "failed", preset);
    }
    assert.equal((await post(url(), "json")).kind, "delivered");
  });

  test("a server that hangs is left when the time is over", async () => {
    answer = () => undefined;
    const delivery = await post(url(), "json", AbortSignal.timeout(50));
    assert.deepEqual(delivery, { kind: "failed", reason: "no answer in time" });
  });

  test("one that breaks off in the middle", async () => {
    answer = (response, request) => {
      response.writeHead(200, { "content-length": "100" }).write("x");
      setImmediate(() => request.socket.destroy());
    };
    assert.equal((await post(url(), "telegram")).kind, "refused", "it lacks its chat_id");
    assert.equal((await post(url("/?chat_id=1"), "telegram")).kind, "failed");
  });

  test("an answer without end is not read to its end", async () => {
    answer = (response) => {
      response.writeHead(500);
      const more = (): void => {
        while (response.write("x".repeat(16_384)));
        response.once("drain", more);
      };
      more();
    };
    const delivery = await post();
    assert.ok(delivery.kind === "failed" && delivery.reason.length <= 200);
  });

  test("nobody listens", async () => {
    const port = await closedPort();
    assert.deepEqual(await post(`http://127.0.0.1:${port}/`), {
      kind: "failed",
      reason: "ECONNREFUSED",
    });
  });
});

describe("secrets", () => {
  test("are in no reason, though the other side repeats them", async () => {
    answer = (response, request) => status(404, `no hook ${request.url ?? ""}`)(response);
    const delivery = await post(url(`/hook/\${secret:token}?key=\${secret:token}`));
    assert.ok(delivery.kind === "refused");
    assert.doesNotMatch(delivery.reason, /horse/);
    assert.match(delivery.reason, /^HTTP 404: no hook \/hook\/\*\*\*/);
  });

  test("that were taken out of the address are hidden as well", async () => {
    answer = (response) => status(400, `bad routing_key ${TOKEN}`)(response);
    const delivery = await post(url(`/?routing_key=\${secret:token}`), "pagerduty");
    assert.ok(delivery.kind === "refused");
    assert.equal(delivery.reason, "HTTP 400: bad routing_key ***");
  });

  test("that are missing are waited for, with words on where they belong", async () => {
    const unknown = await post(url(`/\${secret:nobody}`));
    assert.ok(unknown.kind === "failed");
    assert.match(unknown.reason, /no secret "nobody": add it to the secrets of holdfast.conf/);
    const gone = await post(url(`/\${secret:gone}`));
    assert.ok(gone.kind === "failed");
    assert.match(gone.reason, /the secret gone: its file cannot be read \(ENOENT\)/);
  });

  test("what is no address is refused", async () => {
    for (const odd of ["", "ftp://example.org/", "javascript:1", `\${secret:token}`]) {
      assert.equal((await post(odd)).kind, "refused", odd);
    }
  });
});
