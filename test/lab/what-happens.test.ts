import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { renderStatus } from "../../agent/cli/status/render.ts";
import { PLAIN } from "../../agent/cli/style.ts";
import type { CodeBlock } from "../docs/code-blocks.ts";
import { codeBlocks } from "../docs/code-blocks.ts";
import type { Member } from "./cluster.ts";
import { Cluster, skip, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { configText, SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { StoreLine } from "./store-line.ts";
import { etcd } from "./stores/etcd.ts";

/* Every line that docs/what-happens-when.md quotes is said, by the node that it names, when that happens. */

const PAGE = "docs/what-happens-when.md";
const GRACE_MS = 30_000;
const NAME = "VI_1";
/** Long enough for a busy machine. */
const INTERVAL_S = 0.3;

/** Without what differs from run to run: numbers, folders, and the width of columns. */
const plain = (line: string): string =>
  line
    .replaceAll(/lab\/[0-9a-f]+/g, "lab/#")
    .replaceAll(/\/\S*(?=\/fence_apc)/g, "")
    .replaceAll(/\d+(\.\d+)?/g, "#")
    .replaceAll(/ +/g, " ")
    .trim();

const hasAddress = ({ node }: Member): boolean =>
  node.exec("ip", ["address"]).stdout.includes(`${SERVICE}/`);

/** The two nodes of the page, and what each has said since the last mark. */
class Pair {
  readonly cluster: Cluster;
  readonly #marks = [0, 0];

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  get lb1(): Member {
    return this.cluster.member(0);
  }

  get lb2(): Member {
    return this.cluster.member(1);
  }

  async start(...members: readonly Member[]): Promise<void> {
    for (const { agent } of members) {
      await agent.start("--settings", join(agent.folder, "holdfast.conf"));
    }
  }

  /** lb1 has the address, and lb2 has heard it. */
  async settled(): Promise<void> {
    await untilState(this.lb1.agent, "active", GRACE_MS, NAME);
    await eventually("lb1 is reachable", GRACE_MS, async () => {
      const [router] = (await this.lb1.agent.status()).routers;
      assert.equal(router?.fencing.gate?.state, "open");
      assert.ok(hasAddress(this.lb1));
    });
    await eventually("lb2 follows", GRACE_MS, async () => {
      const { routers } = await this.lb2.agent.status();
      assert.equal(routers[0]?.active?.priority, 200);
    });
  }

  mark(): void {
    for (const [at, { agent }] of this.cluster.members.entries()) {
      this.#marks[at] = agent.log.length;
    }
  }

  /** Resolves when all lines of these boxes were said since the mark: some are said once in a while only. */
  async says(blocks: readonly CodeBlock[]): Promise<void> {
    for (const { language, text } of blocks) {
      for (const quoted of text.trim().split("\n")) {
        await eventually(quoted, GRACE_MS, async () => {
          const lines = language === "log" ? this.#logs() : await this.#statuses();
          // Counts of what was before may follow.
          assert.ok(
            lines.some((line) => line.startsWith(plain(quoted))),
            lines.join("\n"),
          );
        });
      }
    }
  }

  #logs(): readonly string[] {
    return this.cluster.members.flatMap(({ agent }, at) =>
      agent.log
        .slice(this.#marks[at])
        .split("\n")
        .filter((line) => line.startsWith("{") && line.endsWith("}"))
        .map((line) => {
          const { level, msg } = JSON.parse(line);
          return plain(`lb${at + 1} ${level} ${msg}`);
        }),
    );
  }

  async #statuses(): Promise<readonly string[]> {
    const texts = this.cluster.members.map(async ({ agent }, at) => {
      const text = renderStatus(await agent.status(), "", Date.now(), PLAIN);
      return text.split("\n").map((line) => plain(`lb${at + 1} ${line}`));
    });
    return (await Promise.all(texts)).flat();
  }
}

interface Happening {
  readonly act: (pair: Pair) => unknown;
  /** After the boxes before the last one were seen, if there is another. */
  readonly heal?: (pair: Pair) => unknown;
}

const pidOf = (role: "vrrp" | "supervisor", { agent }: Member): Promise<number> =>
  eventually(`there is a ${role} process`, GRACE_MS, async () => {
    const { processes } = await agent.status();
    return processes[role].pid ?? assert.fail();
  });

/** Resolves when there is another: before, the status may still be that of the dead one. */
const killVrrp = async (member: Member, signal: NodeJS.Signals): Promise<void> => {
  const pid = await pidOf("vrrp", member);
  process.kill(pid, signal);
  await eventually("there is another vrrp process", GRACE_MS, async () =>
    assert.notEqual(await pidOf("vrrp", member), pid),
  );
};

const signalAll = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids) process.kill(pid, signal);
};

/** VRRP does not reach it any more; all else does. */
const deafen = ({ node }: Member): void => {
  const chain = "type filter hook prerouting priority -400\n meta l4proto 112 drop";
  const { stderr } = node.exec("nft", ["-f", "-"], `table inet lab { chain deaf { ${chain}; }; }`);
  assert.equal(stderr, "");
};

const cure = ({ node }: Member): void => {
  node.exec("nft", ["delete", "table", "inet", "lab"]);
};

/** In this order; each ends with the pair as it was. */
const TO_PROCESSES: Readonly<Record<string, Happening>> = {
  "The VRRP process dies": { act: ({ lb1 }) => killVrrp(lb1, "SIGKILL") },
  "The VRRP process hangs": { act: ({ lb1 }) => killVrrp(lb1, "SIGSTOP") },
  "The VRRP process dies again and again": {
    act: async (pair) => {
      await killVrrp(pair.lb1, "SIGKILL");
      await pair.settled();
      await killVrrp(pair.lb1, "SIGKILL");
    },
  },
  "Everything stands still": {
    act: async ({ lb1 }) => {
      const pids = await lb1.agent.pids();
      signalAll(pids, "SIGSTOP");
      try {
        await eventually("the kernel removes the address", GRACE_MS, () => {
          assert.ok(!hasAddress(lb1));
        });
      } finally {
        signalAll(pids, "SIGCONT");
      }
    },
  },
  "The supervisor dies": {
    act: async ({ lb1 }) => {
      process.kill(await pidOf("supervisor", lb1), "SIGKILL");
      await lb1.agent.ended();
    },
    heal: (pair) => pair.start(pair.lb1),
  },
  "Everything dies": {
    act: ({ lb1 }) => lb1.agent.killAll(),
    heal: (pair) => pair.start(pair.lb1),
  },
};

/** The same, to another pair. */
const AROUND_THEM: Readonly<Record<string, Happening>> = {
  "Somebody flushes the packet filter": {
    act: ({ lb1 }) => lb1.node.exec("nft", ["flush", "ruleset"]),
  },
  "Another tool deletes the address": {
    act: ({ lb1 }) => lb1.node.exec("ip", ["address", "del", `${SERVICE}/32`, "dev", "eth0"]),
  },
  "The link goes down": {
    act: ({ lb1 }) => lb1.eth0.setPlugged(false),
    heal: ({ lb1 }) => lb1.eth0.setPlugged(true),
  },
  "One node does not hear the other": {
    act: ({ lb2 }) => deafen(lb2),
    heal: ({ lb2 }) => cure(lb2),
  },
};

const boxes = (section: string): readonly CodeBlock[] =>
  codeBlocks(PAGE, section).filter(({ language }) => language === "log" || language === "status");

/** The last box is of what heals, where there is one of its own. */
async function happens(pair: Pair, section: string, { act, heal }: Happening): Promise<void> {
  const quoted = boxes(section);
  const split = heal !== undefined && quoted.at(-1)?.language === "log" && quoted.length > 1;
  const ending = split ? quoted.slice(-1) : [];
  await act(pair);
  await pair.says(split ? quoted.slice(0, -1) : quoted);
  await heal?.(pair);
  await pair.says(ending);
}

const text = (priority: number, ...more: readonly string[]): string =>
  configText([{ name: NAME, priority, interval: INTERVAL_S, more }]);

/** Two nodes with a witness that is a store on this machine, or with a fence device. */
async function withSettings(
  more: readonly string[],
  settings: (member: Member) => readonly string[],
  use: (pair: Pair) => Promise<void>,
): Promise<void> {
  await Cluster.run([text(200, ...more), text(100, ...more)], async (cluster) => {
    for (const member of cluster.members) {
      const lines = settings(member).join("\n");
      writeFileSync(join(member.agent.folder, "holdfast.conf"), `${lines}\n`, { mode: 0o600 });
    }
    await use(new Pair(cluster));
  });
}

/** Another holdfast.conf, and a reload. */
function rewrite({ agent }: Member, settings: readonly string[]): void {
  writeFileSync(join(agent.folder, "holdfast.conf"), `${settings.join("\n")}\n`, { mode: 0o600 });
  process.kill(agent.pid, "SIGHUP");
}

/** Behind an agent that never ends. */
function fence({ agent }: Member): readonly string[] {
  const program = join(agent.folder, "fence_apc");
  writeFileSync(program, "#!/bin/sh\ncat >/dev/null\nexec sleep 60\n", { mode: 0o755 });
  return ["fence pdu1 {", `  program ${program}`, "  timeout 1", "}"];
}

describe("docs/what-happens-when.md", { skip, concurrency: true, timeout: 180_000 }, () => {
  after(nothingLeft);

  for (const [what, happenings] of Object.entries({
    "to their processes": TO_PROCESSES,
    "around them": AROUND_THEM,
  })) {
    test(`two nodes alone say what it quotes of what happens ${what}`, () =>
      withSettings(
        [],
        () => [],
        async (pair) => {
          await pair.start(pair.lb1, pair.lb2);
          for (const [section, happening] of Object.entries(happenings)) {
            await pair.settled();
            pair.mark();
            await happens(pair, section, happening);
          }
        },
      ));
  }

  test("two nodes with a store say what it quotes", async () => {
    const store = await etcd(1);
    const endpoints = store.ports.map((port) => `  endpoint http://127.0.0.1:${port}`);
    const witness = ["witness etcd {", ...endpoints, "  ttl 2", "}"];
    try {
      await withSettings(
        ["holdfast_witness required"],
        () => witness,
        async (pair) => {
          const lines = pair.cluster.nodes.map((node) => new StoreLine(node, store.ports));
          try {
            await pair.start(pair.lb1, pair.lb2);
            await pair.settled();
            const wrong = witness.map((line) => line.replace(/:\d+$/, ":1"));
            await happens(pair, "The store is written down wrong", {
              act: ({ lb2 }) => rewrite(lb2, wrong),
              heal: ({ lb2 }) => rewrite(lb2, witness),
            });
            await pair.settled();
            await happens(pair, "Neither node hears the other", {
              act: ({ lb1, lb2 }) => [lb1, lb2].map(deafen),
            });
            await happens(pair, "The active node loses the store", {
              act: () => lines[0]?.cut(),
              heal: ({ lb1, lb2 }) => {
                lines[0]?.heal();
                for (const one of [lb1, lb2]) cure(one);
              },
            });
            await pair.settled();
            await happens(pair, "The store is down", {
              act: () => {
                for (const server of store.servers) server.stop();
              },
            });
          } finally {
            for (const line of lines) line.close();
          }
        },
      );
    } finally {
      for (const server of store.servers) await server.dispose();
    }
  });

  test("a node with a fence agent that hangs says what it quotes", () =>
    withSettings(["holdfast_fence pdu1"], fence, async (pair) => {
      pair.mark();
      await pair.start(pair.lb2);
      await pair.says(boxes("A fence agent hangs"));
    }));

  test("no box is left out", () => {
    const tried = [
      ...Object.keys(TO_PROCESSES),
      ...Object.keys(AROUND_THEM),
      "The store is written down wrong",
      "Neither node hears the other",
      "The active node loses the store",
      "The store is down",
      "A fence agent hangs",
    ];
    const count = (blocks: readonly CodeBlock[]): number => blocks.length;
    const all = codeBlocks(PAGE).filter(({ language }) => ["log", "status"].includes(language));
    assert.equal(
      tried.reduce((sum, section) => sum + count(boxes(section)), 0),
      count(all),
    );
  });
});
