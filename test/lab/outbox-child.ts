import process from "node:process";
import { systemClock } from "../../agent/linux/clock.ts";
import { Outbox } from "../../agent/runtime/notifications/outbox.ts";
import { mailChannel } from "../../plugins/mail/mail-channel.ts";
import { syslogChannel } from "../../plugins/syslog/syslog-channel.ts";
import { webhookChannel } from "../../plugins/webhook/webhook-channel.ts";

/*
 * A process with an outbox and nothing else: node outbox-child.ts DIRECTORY URL FIRST COUNT. What it
 * tells goes to URL/0, URL/1, … in turn. It says the number of each notice that is on the disk, and `empty` whenever nothing waits any more.
 */

/** Each is told 20 times a minute at most. */
const TARGETS = 9;

const [directory = "", url = "", first = "", count = ""] = process.argv.slice(2);

const outbox = new Outbox(
  {
    clock: systemClock,
    later: (delayMs, then) => {
      const timeout = setTimeout(then, delayMs);
      return () => clearTimeout(timeout);
    },
    channels: {
      mail: mailChannel,
      webhook: webhookChannel,
      syslog: syslogChannel(() => ({ write: () => undefined, close: () => undefined })),
    },
  },
  { trouble: () => undefined, log: (_, message) => process.stderr.write(`${message}\n`) },
);
outbox.open(directory, {
  node: "lb1",
  smtp: undefined,
  mail: undefined,
  secret: (text) => text,
  wallClock: () => Date.now(),
});

for (let number = Number(first); number < Number(first) + Number(count); number += 1) {
  outbox.add({
    target: { kind: "webhook", preset: "json", url: `${url}${number % TARGETS}` },
    source: "test",
    title: "",
    text: String(number),
    severity: "warning",
    json: number,
    key: String(number),
    throttleMs: 0,
    at: Date.now(),
  });
  await outbox.flushed();
  process.stdout.write(`${number}\n`);
}
const look = setInterval(() => {
  if (outbox.counts().queued > 0) return;
  clearInterval(look);
  void outbox.stop(0).then(() => process.stdout.write("empty\n"));
}, 10);
