import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CheckStatus } from "../../../agent/control/protocol.ts";
import type { Agent } from "../agent.ts";
import type { Member } from "../cluster.ts";
import { Cluster, routerOf, untilEvent } from "../cluster.ts";
import { eventually } from "../eventually.ts";
import { configText } from "../instance-text.ts";
import { RunFolder } from "./run-folder.ts";
import { runOn, Server } from "./server.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PROGRAM = join(ROOT, "agent/holdfast.mjs");

/** A policy of the repository as an operator installs it. */
export interface Installed {
  /** Of its file in policies/. */
  readonly name: string;
  /** What an operator changes, each wherever it stands; what is not there is an error. */
  readonly changes?: Readonly<Record<string, string>>;
  /** Lines of holdfast.conf besides the grants. */
  readonly settings?: string;
}

/** A small network whose agents run ready policies, with the servers that those look at. */
export class Scene {
  readonly cluster: Cluster;
  readonly #folders = new Map<Member, RunFolder>();
  readonly #servers: Server[] = [];
  readonly #closing: (() => unknown)[] = [];

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /**
   * One node for each priority, with the virtual router VI_1, as the ready policies have it. `use`
   * starts what it needs; all is taken down after it, whatever happens.
   */
  static run(priorities: readonly number[], use: (scene: Scene) => Promise<void>): Promise<void> {
    const configs = priorities.map((priority) => configText([{ name: "VI_1", priority }]));
    return Cluster.run(configs, async (cluster) => {
      const scene = new Scene(cluster);
      try {
        await use(scene);
      } finally {
        await scene.#dispose();
      }
    });
  }

  member(at: number): Member {
    return this.cluster.member(at);
  }

  agent(at: number): Agent {
    return this.member(at).agent;
  }

  folder(at: number): RunFolder {
    const member = this.member(at);
    const folder = this.#folders.get(member) ?? new RunFolder();
    this.#folders.set(member, folder);
    return folder;
  }

  server(...plan: ConstructorParameters<typeof Server>): Server {
    const server = new Server(...plan);
    this.#servers.push(server);
    return server;
  }

  /** Has something done when all else is still there. */
  closing(close: () => unknown): void {
    this.#closing.push(close);
  }

  /** Copies policies, writes holdfast.conf, and has the grants that they ask for added to that. */
  async install(at: number, ...policies: readonly Installed[]): Promise<void> {
    for (const { name, changes = {} } of policies) this.write(at, name, changes);
    const settings = policies.map(({ settings: lines = "" }) => lines).join("");
    this.folder(at).write("holdfast.conf", settings, 0o600);
    const { status, output } = await this.holdfast(at, "policy", "grants", "--write");
    assert.equal(status, 0, output);
  }

  /** The policy with an operator's changes, as an editor saves it. */
  write(at: number, name: string, changes: Readonly<Record<string, string>>): void {
    let text = readFileSync(join(ROOT, "policies", `${name}.ts`), "utf8");
    for (const [from, to] of Object.entries(changes)) {
      assert.ok(text.includes(from), `policies/${name}.ts does not say ${from}`);
      text = text.replaceAll(from, to);
    }
    this.folder(at).write(`policies/${name}.ts`, text);
  }

  /** Starts the agent of a node with its policies. */
  start(at: number): Promise<void> {
    return this.agent(at).start(...this.#options(at));
  }

  /** Runs the command on a node, with its policies and its holdfast.conf. */
  holdfast(at: number, ...words: readonly string[]): ReturnType<typeof runOn> {
    const command = [process.execPath, PROGRAM, ...words, ...this.#options(at)] as const;
    return runOn(this.member(at).node, command);
  }

  async #dispose(): Promise<void> {
    // What is killed would write into its folder for a moment longer than that is there.
    await Promise.all(this.cluster.members.map(({ agent }) => agent.stop()));
    for (const close of this.#closing) await close();
    await Promise.all(this.#servers.map((server) => server.kill()));
    for (const folder of this.#folders.values()) folder.dispose();
  }

  #options(at: number): readonly string[] {
    const folder = this.folder(at);
    return ["--policies", folder.join("policies"), "--settings", folder.join("holdfast.conf")];
  }
}

const LONG_MS = 30_000;

/** A check's name with its policy: `nginx/alive`. */
export const untilVerdict = (
  agent: Agent,
  check: string,
  verdict: CheckStatus["verdict"],
  timeoutMs = LONG_MS,
): Promise<CheckStatus> =>
  eventually(`${check} is ${verdict}`, timeoutMs, async () => {
    const { director } = await agent.status();
    const problems = director?.policies.flatMap((policy) => policy.problems);
    const found = director?.checks.find(({ name }) => name === `policy ${check}`);
    assert.equal(found?.verdict, verdict, `${found?.reason} ${problems?.join("\n")}`);
    assert.ok(found !== undefined);
    return found;
  });

/** What happens to a check while `act` is done: how long until it is told of, and its reason. */
export async function verdictAfter(
  agent: Agent,
  check: string,
  verdict: CheckStatus["verdict"],
  act: () => unknown,
): Promise<{ readonly ms: number; readonly reason: string }> {
  const start = await agent.heard();
  const actedAt = Date.now();
  await act();
  const event = await untilEvent(
    agent,
    start,
    `${check} ${verdict}`,
    LONG_MS,
    ({ kind, subject, detail }) =>
      kind === "check" && subject === `policy ${check}` && detail["verdict"] === verdict,
  );
  return { ms: event.at - actedAt, reason: String(event.detail["reason"]) };
}

export const untilPriority = (agent: Agent, priority: number): Promise<unknown> =>
  eventually(`priority ${priority} on ${agent.node.name}`, LONG_MS, async () => {
    assert.equal((await routerOf(agent, "VI_1")).priority.effective, priority);
  });
