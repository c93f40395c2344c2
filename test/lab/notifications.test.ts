import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { requestNotifications } from "../../agent/control/client.ts";
import type { Mail } from "../interop/smtp-sink.ts";
import { smtpSink } from "../interop/smtp-sink.ts";
import { notificationsSchema } from "../schema/schemas.ts";
import { Agent } from "./agent.ts";
import { skip, untilEvent } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { nothingLeft } from "./leftovers.ts";
import { Pair } from "./pair.ts";
import { noFolderLeft, RunFolder } from "./servers/run-folder.ts";

const LONG_MS = 30_000;

const configuration = (global: string, lines: string): string => `global_defs {
  router_id lb1
  script_user root
${global}}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version 3
  advert_int 0.1
  priority 100
${lines}  virtual_ipaddress {
    192.0.2.100/24
  }
}
`;

const MAIL = `  notification_email {
    ops@example.org
  }
  notification_email_from lb1@example.org
  smtp_server 127.0.0.1
`;

const POLICY = `import { definePolicy } from "holdfast/sdk";

export default definePolicy({
  permissions: { webhook: { hook: "http://127.0.0.1:8088/" } },
  on: {
    transition(ctx, { router, from, to }) {
      ctx.webhook.post("hook", { json: router + " from " + from + " to " + to });
    },
  },
});
`;

/** keepalived's, by ours. */
const WORDS: Readonly<Record<string, string>> = {
  active: "MASTER",
  backup: "BACKUP",
  fault: "FAULT",
};

const read = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");

function script(agent: Agent, name: string, text: string): string {
  const path = join(agent.folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}`);
  chmodSync(path, 0o755);
  return path;
}

/**
 * An agent that has the address, and whose notify script waits for lines of `$0.pipe`, which is held open
 * here. `said`: what the script wrote so far.
 */
function heldScript(
  text: string,
  use: (agent: Agent, said: () => string, pipe: number) => Promise<void>,
): Promise<void> {
  return Pair.run({}, async (pair) => {
    const [node] = pair.nodes;
    const agent = pair.add(new Agent(node, ""));
    const out = join(agent.folder, "out");
    const held = script(agent, "held.sh", `exec >> ${out}\n${text}\n`);
    execFileSync("mkfifo", [`${held}.pipe`]);
    const pipe = openSync(`${held}.pipe`, constants.O_RDWR);
    try {
      agent.configure(configuration("", `  notify ${held}\n`));
      const watch = await pair.watch("192.0.2.100");
      await agent.start();
      await watch.until([node], LONG_MS);
      await use(agent, () => read(out), pipe);
    } finally {
      closeSync(pipe);
    }
  });
}

async function directorOf(agent: Agent, not?: number): Promise<number> {
  return await eventually("a director runs", LONG_MS, async () => {
    const { pid } = (await agent.status()).processes.director;
    assert.ok(pid !== null && pid !== not);
    return pid;
  });
}

describe("notifications of a running agent", { skip, concurrency: 3, timeout: 180_000 }, () => {
  after(async () => {
    await nothingLeft();
    noFolderLeft();
  });

  test("mail outlives a director that is killed, and a server that is not there", () =>
    Pair.run({}, async (pair) => {
      const [node] = pair.nodes;
      const agent = pair.add(new Agent(node, configuration(MAIL, "  smtp_alert\n")));
      await agent.start();
      await eventually("two wait", LONG_MS, async () => {
        const report = notificationsSchema.parse(await requestNotifications(agent.control));
        assert.equal(report.targets[0]?.queued, 2);
        assert.match(report.targets[0]?.lastError?.reason ?? "", /ECONNREFUSED/);
      });
      const director = await directorOf(agent);
      process.kill(director, "SIGKILL");
      await directorOf(agent, director);
      const mail: Mail[] = [];
      const sink = await smtpSink(node, 25, (one) => mail.push(one));
      try {
        await eventually("the mail is there", LONG_MS, () => {
          const text = mail.map(({ subject, body }) => `${subject} ${body}`).join("\n");
          assert.match(text, /Entering BACKUP state/);
          assert.match(text, /Entering MASTER state/);
        });
        // The server has the mail a moment before the agent has its answer.
        await eventually("nothing waits", LONG_MS, async () => {
          const { director: status } = await agent.status();
          assert.equal(status?.notifications.queued, 0);
        });
        await agent.stop();
        assert.ok(mail.some(({ subject }) => subject === "[lb1] VRRP Instance VI_1 - Stopping"));
      } finally {
        sink.close();
      }
      const log = join(agent.folder, "state/outbox/log");
      assert.equal(statSync(log).mode & 0o777, 0o600);
    }));

  test("of what happens while directors hang and are killed, nothing is left untold", () =>
    Pair.run({}, async (pair) => {
      const [node] = pair.nodes;
      const agent = pair.add(new Agent(node, configuration(MAIL, "  smtp_alert\n")));
      const mail: Mail[] = [];
      const sink = await smtpSink(node, 25, (one) => mail.push(one));
      const states = (): readonly string[] =>
        agent.events
          .filter(({ kind }) => kind === "transition")
          .map(({ detail }) => WORDS[String(detail["to"])] ?? "");
      const move = async (plugged: boolean, to: string): Promise<void> => {
        const before = agent.events.length;
        pair.first.setPlugged(plugged);
        await untilEvent(agent, before, to, LONG_MS, ({ detail }) => detail["to"] === to);
      };
      try {
        await agent.start();
        await eventually("it is active", LONG_MS, () => assert.equal(states().at(-1), "MASTER"));
        let director = await directorOf(agent);
        for (let round = 0; round < 2; round += 1) {
          // It hears, and does nothing with it any more.
          process.kill(director, "SIGSTOP");
          await move(false, "fault");
          process.kill(director, "SIGKILL");
          await move(true, "active");
          director = await directorOf(agent, director);
          process.kill(director, "SIGKILL");
          await move(false, "fault");
          director = await directorOf(agent, director);
          await move(true, "active");
          // One that comes twice has its Message-ID.
          await eventually("each transition was told", LONG_MS, () => {
            const told = new Map(mail.map(({ id, subject }) => [id, subject]));
            const words = [...told.values()].map((subject) => subject.split(" ").at(-2));
            assert.deepEqual(words.sort(), [...states()].sort());
          });
        }
        const ids = mail.map(({ id }) => id);
        // Of those that a director was at when it was killed.
        assert.ok(ids.length - new Set(ids).size <= 4 * 2, `${ids.length} of ${states().length}`);
      } finally {
        sink.close();
      }
    }));

  test("a policy tells of what happened while there was no director", () =>
    Pair.run({}, async (pair) => {
      const [node] = pair.nodes;
      const folder = new RunFolder();
      const heard: string[] = [];
      const server = createServer((request, response) => {
        request.setEncoding("utf8").on("data", (text: string) => heard.push(text));
        request.on("end", () => response.end());
      });
      try {
        node.run(() => server.listen(8_088));
        folder.write("policies/tell.ts", POLICY);
        const grant = "policy tell {\n  grant {\n    webhook hook\n  }\n}\n";
        const settings = folder.write("holdfast.conf", grant, 0o600);
        const agent = pair.add(new Agent(node, configuration("", "")));
        await agent.start("--policies", folder.join("policies"), "--settings", settings);
        await eventually("it is active", LONG_MS, () =>
          assert.match(heard.join("\n"), /to active/),
        );
        const director = await directorOf(agent);
        const before = agent.events.length;
        process.kill(director, "SIGKILL");
        pair.first.setPlugged(false);
        await untilEvent(agent, before, "a fault", LONG_MS, ({ detail }) => {
          return detail["to"] === "fault";
        });
        pair.first.setPlugged(true);
        await eventually("all was told", LONG_MS, () => {
          const told = heard.join("\n");
          assert.match(told, /to fault/);
          assert.match(told.slice(told.lastIndexOf("to fault")), /to backup[\s\S]*to active/);
        });
      } finally {
        server.close();
        folder.dispose();
      }
    }));

  test("a slow script delays neither the address nor the stop of others", () =>
    heldScript('read _ < "$0.pipe"; sleep 0.2; echo "$3 $(id -un)"', async (agent, said, pipe) => {
      assert.equal(said(), "", "nobody waited for the script");
      // One line for each: of becoming a backup, of becoming active, and of the stop.
      writeSync(pipe, "\n\n\n");
      await agent.stop();
      assert.deepEqual(said().split("\n"), ["BACKUP root", "MASTER root", "STOP root", ""]);
    }));

  test("a script that waits for another one is run by the next director", () =>
    // It waits on its own when its director is gone.
    heldScript('echo "$3"; read _ < "$0.pipe"', async (agent, said) => {
      await eventually("one runs", LONG_MS, () => assert.equal(said(), "BACKUP\n"));
      const director = await directorOf(agent);
      process.kill(director, "SIGKILL");
      await directorOf(agent, director);
      await eventually("the other one runs", LONG_MS, () =>
        assert.equal(said(), "BACKUP\nMASTER\n"),
      );
    }));

  test("the reader of a FIFO that is killed comes back, and misses nothing", () =>
    Pair.run({}, async (pair) => {
      const [node] = pair.nodes;
      const agent = pair.add(new Agent(node, ""));
      const file = (name: string): string => join(agent.folder, name);
      const reader = script(
        agent,
        "reader.sh",
        `echo $$ > ${file("pid")}; exec cat "$1" >> ${file("out")}\n`,
      );
      const fifo = `  vrrp_notify_fifo ${file("fifo")}\n  vrrp_notify_fifo_script ${reader}\n`;
      agent.configure(configuration(fifo, ""));
      await agent.start();
      await eventually("it reads", LONG_MS, () => assert.match(read(file("out")), /MASTER/));
      assert.equal(statSync(file("fifo")).mode & 0o777, 0o600);
      process.kill(Number(read(file("pid"))), "SIGKILL");
      pair.first.setPlugged(false);
      await eventually("it reads again", LONG_MS, () => assert.match(read(file("out")), /FAULT/));
      await agent.stop();
      assert.match(read(file("out")), /STOP 100\n$/);
      assert.equal(existsSync(`/proc/${read(file("pid")).trim()}`), false, "the reader is left");
    }));
});
