import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  requestJournal,
  requestMetrics,
  requestNotifications,
} from "../../agent/control/client.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Agent } from "./agent.ts";
import { skip } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { configText } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { Pair } from "./pair.ts";
import { noFolderLeft, RunFolder } from "./servers/run-folder.ts";

/* Servers that say aloud what they were told in confidence. */

const TOKEN = "correct-horse-battery";
const PASSWORD = "staple-wörd-17";
const USER = "lb1";
const LONG_MS = 30_000;

const POLICY = `import { definePolicy } from "holdfast/sdk";

export default definePolicy({
  permissions: {
    mail: { to: ["ops@example.org"] },
    webhook: {
      path: { preset: "json", url: "http://127.0.0.1:8088/hook/\${secret:token}" },
      query: { preset: "pagerduty", url: "http://127.0.0.1:8088/?routing_key=\${secret:token}" },
      later: { preset: "slack", url: "http://127.0.0.1:8088/later/\${secret:token}" },
    },
  },
  on: {
    transition(ctx, { router, to }) {
      const title = \`\${router} is \${to}\`;
      for (const name of ["path", "query", "later"] as const) {
        ctx.webhook.post(name, { title, text: title });
      }
      ctx.mail.send({ subject: title, text: title });
    },
  },
});
`;

const settings = (folder: RunFolder): string => `secret token ${folder.join("token")}
secret password ${folder.join("password")}
smtp {
  host 127.0.0.1
  tls none
  user ${USER}
  password_secret password
  from lb1@example.org
}
policy tell {
  grant {
    mail ops@example.org
    webhook path
    webhook query
    webhook later
  }
}
`;

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** In every form in which it is sent. */
const SECRETS: Readonly<Record<string, string>> = {
  token: TOKEN,
  password: PASSWORD,
  "password in base64": base64(PASSWORD),
  "password with its user": base64(`\0${USER}\0${PASSWORD}`),
};

async function listen(node: LabNode, server: Server, port: number): Promise<Server> {
  node.run(() => server.listen(port));
  await once(server, "listening");
  return server;
}

/** Refuses for good, or for now, and says why at length. */
const loudReceiver = (heard: string[]): Server =>
  createHttpServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text) => {
      body += text;
    });
    request.on("end", () => {
      heard.push(`${request.url}`);
      response.statusCode = request.url?.startsWith("/later") ? 503 : 403;
      response.end(`no ${request.url} with ${JSON.stringify(request.headers)}: ${body}`);
    });
  });

/** Likes no login. */
const loudMailServer = (heard: string[]): Server =>
  createServer((socket: Socket) => {
    socket.on("error", () => socket.destroy());
    socket.setEncoding("utf8").on("data", (text: string) => {
      heard.push(text);
      const [, , plain = ""] = text.trim().split(" ");
      const said = Buffer.from(plain, "base64").toString().replaceAll("\0", "/");
      if (text.startsWith("EHLO")) socket.write("250-loud\r\n250 AUTH PLAIN\r\n");
      else socket.write(`535 ${text.trim()} is ${said}\r\n`);
    });
    socket.write("220 loud\r\n");
  });

/** Of a file; `undefined`: it is something else, or was there for a moment only, until it was renamed. */
function textOf(path: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Everything that somebody could read of this agent, by where it is. */
async function visible(agent: Agent): Promise<Readonly<Record<string, string>>> {
  const program = join(import.meta.dirname, "../../agent/holdfast.mjs");
  const shown = (command: string): string =>
    agent.node.exec(process.execPath, [program, command, "--control", agent.control]).stdout;
  const state = join(agent.folder, "state");
  const files = Object.fromEntries(
    readdirSync(state, { recursive: true, encoding: "utf8" }).flatMap((name) => {
      const text = textOf(join(state, name));
      return text === undefined ? [] : [[join(state, name), text]];
    }),
  );
  assert.ok(Object.keys(files).some((path) => path.endsWith("outbox/log")));
  const pids = await agent.pids();
  return {
    log: agent.log,
    events: JSON.stringify(agent.events),
    status: JSON.stringify(await agent.status()),
    notifications: JSON.stringify(await requestNotifications(agent.control)),
    journal: await requestJournal(agent.control),
    metrics: await requestMetrics(agent.control),
    "holdfast status": shown("status"),
    "holdfast notifications": shown("notifications"),
    ...files,
    ...Object.fromEntries(
      pids.flatMap((pid) =>
        ["cmdline", "environ"].map((name) => {
          const path = `/proc/${pid}/${name}`;
          return [path, readFileSync(path, "utf8")];
        }),
      ),
    ),
  };
}

describe("secrets", { skip, timeout: 60_000 }, () => {
  after(async () => {
    await nothingLeft();
    noFolderLeft();
  });

  test("are seen by those they are sent to, and by nobody else", () =>
    Pair.run({}, async (pair) => {
      const [node] = pair.nodes;
      const folder = new RunFolder();
      const heard: string[] = [];
      const servers: Server[] = [];
      try {
        folder.write("token", `${TOKEN}\n`, 0o600);
        folder.write("password", `${PASSWORD}\n`, 0o600);
        folder.write("policies/tell.ts", POLICY);
        const conf = folder.write("holdfast.conf", settings(folder), 0o600);
        servers.push(await listen(node, loudReceiver(heard), 8_088));
        servers.push(await listen(node, loudMailServer(heard), 25));
        const agent = pair.add(new Agent(node, configText([{ name: "VI_1" }])));
        await agent.start("-D", "--policies", folder.join("policies"), "--settings", conf);
        await eventually("the policy runs", LONG_MS, async () => {
          const { director } = await agent.status();
          assert.equal(director?.policies[0]?.state, "running");
        });
        pair.first.setPlugged(false);
        await eventually("all of them were refused", LONG_MS, async () => {
          const { targets, dead } = await requestNotifications(agent.control);
          assert.ok(dead.length >= 2, JSON.stringify(dead));
          assert.equal(targets.filter(({ lastError }) => lastError !== null).length, 4);
        });
        const all = heard.join("\n");
        assert.ok(all.includes(TOKEN) && all.includes(SECRETS["password with its user"] ?? ""));
        const places = await visible(agent);
        assert.match(places["notifications"] ?? "", /no \/hook\/\*\*\*/);
        assert.match(places["notifications"] ?? "", /the login failed: 535 AUTH PLAIN \*\*\*/);
        for (const [place, text] of Object.entries(places)) {
          for (const [what, secret] of Object.entries(SECRETS)) {
            assert.ok(!text.includes(secret), `the ${what} is in ${place}`);
          }
        }
      } finally {
        for (const server of servers) server.close();
        folder.dispose();
      }
    }));
});
