import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Notice } from "../../agent/core/notify/notice.ts";
import type { Delivery } from "../../agent/ports/channels.ts";
import { mailChannel } from "../../plugins/mail/mail-channel.ts";
import type { Listening } from "./servers.ts";
import { listening } from "./servers.ts";

/* A mail server that fails, hangs, lies and repeats; a real one is in test/lab. */

const PASSWORD = "correct-horse-battery";
const USER = "lb1";

type Answer = (line: string, socket: Socket) => string;

const WELL: Readonly<Record<string, Answer>> = {
  EHLO: () => "250-here\r\n250 AUTH PLAIN LOGIN",
  AUTH: () => "235 welcome",
  DATA: () => "354 go on",
};

/** What is said to a line that begins so, in place of what a server says; `undefined`: nothing. */
let answers: Readonly<Record<string, Answer | undefined>> = {};
let server: Listening;

function serve(socket: Socket): void {
  let text = "";
  let inMessage = false;
  socket.on("error", () => socket.destroy());
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (text + chunk).split("\r\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      if (inMessage && line !== ".") continue;
      const [word = ""] = line.toUpperCase().split(/[ :]/);
      inMessage = word === "DATA";
      const all = { ...WELL, ...answers };
      const answer = word in all ? all[word]?.(line, socket) : "250 well";
      if (answer !== undefined) socket.write(`${answer}\r\n`);
    }
  });
  socket.write("220 here\r\n");
}

before(async () => {
  server = await listening(createServer(serve));
});
after(() => server.close());
beforeEach(() => {
  answers = {};
});

const notice: Notice = {
  target: { kind: "mail", to: ["ops@example.org"], from: undefined },
  source: "policy test",
  title: "title",
  text: "text",
  severity: "info",
  json: undefined,
  key: "key",
  throttleMs: 0,
  at: 1_700_000_000_000,
};

async function send(signal = AbortSignal.timeout(5_000)): Promise<Delivery> {
  const channel = mailChannel({
    node: "lb1",
    smtp: {
      host: "127.0.0.1",
      port: server.port,
      tls: "none",
      caFile: undefined,
      user: USER,
      passwordSecret: "smtp",
      from: "lb1@example.org",
    },
    mail: undefined,
    secret: (text) => text.replace(`\${secret:smtp}`, PASSWORD),
    wallClock: () => Date.now(),
  });
  try {
    return await channel.send(notice, signal);
  } finally {
    await channel.close();
  }
}

const say = (line: string) => (): string => line;

describe("a mail server", { timeout: 20_000 }, () => {
  test("that takes it", async () => assert.deepEqual(await send(), { kind: "delivered" }));

  test("that repeats the login gives nobody the password", async () => {
    for (const reply of [
      (line: string) => `535 what is ${line}?`,
      (line: string) => {
        const plain = Buffer.from(line.split(" ")[2] ?? "", "base64").toString();
        return `535 wrong: ${plain.split("\0").join(" / ")}`;
      },
      say(`454 not now, ${Buffer.from(PASSWORD).toString("base64")}`),
    ]) {
      answers = { AUTH: reply };
      const delivery = await send();
      assert.ok(delivery.kind === "failed");
      assert.match(delivery.reason, /\*\*\*/);
      assert.doesNotMatch(delivery.reason, /horse|Y29ycmVjd|bGIxAGNvcnJlY3Q/);
    }
  });

  const words: readonly [string, string, Delivery["kind"]][] = [
    ["MAIL", "451 later", "failed"],
    ["MAIL", "550 you are nobody", "refused"],
    ["RCPT", "450 greylisted", "failed"],
    ["RCPT", "550 no such user", "refused"],
    ["DATA", "552 too much", "refused"],
    ["DATA", "452 the disk is full", "failed"],
    ["EHLO", "I am no mail server", "failed"],
  ];
  for (const [word, answer, kind] of words) {
    test(`that answers ${word} with ${answer}`, async () => {
      answers = { [word]: say(answer), ...(word === "EHLO" && { HELO: say(answer) }) };
      assert.equal((await send()).kind, kind);
    });
  }

  test("that hangs is left when the time is over", async () => {
    answers = { RCPT: undefined };
    assert.deepEqual(await send(AbortSignal.timeout(100)), {
      kind: "failed",
      reason: "the mail server took too long",
    });
  });

  test("that hangs up in the middle", async () => {
    answers = {
      DATA: (_, socket) => {
        socket.end();
        return "";
      },
    };
    assert.equal((await send()).kind, "failed");
  });
});
