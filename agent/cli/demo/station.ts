import type { ChildProcess } from "node:child_process";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readEvents, requestStatus } from "../../control/client.ts";
import type { AgentEvent, Status } from "../../control/protocol.ts";
import type { RouterSnapshot } from "../../core/vrrp/snapshot.ts";
import type { FailureKind } from "./expectation.ts";
import type { DemoCable, DemoNode } from "./lab.ts";

export interface StationPlan {
  readonly name: string;
  readonly priority: number;
  readonly advertisementMs: number;
  readonly address: string;
  /** Directory of its own. */
  readonly directory: string;
  /** Program and arguments that start holdfast. */
  readonly holdfast: readonly [string, ...string[]];
}

/** What happened to a node, until it is restored. */
export type Condition = "running" | "stopped" | "killed" | "paused";

/** One node: the agent, the service behind the address, and the cable. */
export class Station {
  readonly name: string;
  readonly plan: StationPlan;
  condition: Condition = "running";
  plugged = true;
  status: Status | undefined;
  readonly #node: DemoNode;
  readonly #cable: DemoCable;
  readonly #control: string;
  readonly #hear: (event: AgentEvent) => void;
  #agent: ChildProcess | undefined;
  #web: ChildProcess | undefined;
  #listening = new AbortController();
  /** To be started when it has ended. */
  #again = false;

  constructor(
    plan: StationPlan,
    node: DemoNode,
    cable: DemoCable,
    hear: (event: AgentEvent) => void,
  ) {
    this.name = plan.name;
    this.plan = plan;
    this.#node = node;
    this.#cable = cable;
    this.#hear = hear;
    this.#control = join(plan.directory, "control.sock");
    mkdirSync(plan.directory, { recursive: true });
    writeFileSync(this.#file("keepalived.conf"), configuration(plan));
  }

  start(): void {
    // An agent that was told to stop, or killed, may take its time: the next one waits for its end.
    const leaves = this.condition === "stopped" || this.condition === "killed";
    this.#again = leaves && this.#agent !== undefined;
    this.condition = "running";
    this.#agent ??= this.#startAgent();
    this.#web ??= this.#holdfast(["demo", "web", this.name], "web.log");
  }

  get router(): RouterSnapshot | undefined {
    return this.condition === "running" ? this.status?.routers[0] : undefined;
  }

  get logFile(): string {
    return this.#file("agent.log");
  }

  /** Asks the agent how it is; `false`: it does not answer. */
  async refresh(): Promise<boolean> {
    if (this.condition !== "running") return false;
    try {
      this.status = await requestStatus(this.#control);
      return true;
    } catch {
      return false;
    }
  }

  fail(kind: FailureKind): void {
    switch (kind) {
      case "stop":
        this.condition = "stopped";
        this.#agent?.kill("SIGTERM");
        break;
      case "kill":
        this.condition = "killed";
        this.#signalAll("SIGKILL");
        break;
      case "pause":
        this.condition = "paused";
        this.#signalAll("SIGSTOP");
        break;
      case "cut":
        this.plugged = false;
        this.#cable.setPlugged(false);
        break;
    }
  }

  restore(): void {
    if (!this.plugged) {
      this.plugged = true;
      this.#cable.setPlugged(true);
    }
    if (this.condition === "paused") this.#signalAll("SIGCONT");
    this.start();
  }

  /** The agent's processes and the service, parents first: none sees another one die or stall. */
  #signalAll(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    const processes = this.status?.processes;
    const pids = [this.#agent?.pid, processes?.vrrp.pid, processes?.director.pid, this.#web?.pid];
    for (const pid of pids) if (pid !== undefined && pid !== null) signalOne(pid, signal);
  }

  #startAgent(): ChildProcess {
    const { directory } = this.plan;
    const words = ["run", "--config", this.#file("keepalived.conf"), "--log-format", "json"];
    words.push("--state", join(directory, "state"), "--control", this.#control);
    // What this machine itself may have is not for the demo.
    words.push("--policies", this.#file("policies"), "--settings", this.#file("holdfast.conf"));
    const agent = this.#holdfast(words, "agent.log");
    agent.once("exit", () => {
      this.#agent = undefined;
      this.#listening.abort();
      if (this.#again && this.condition === "running") this.start();
    });
    this.#listening = new AbortController();
    void this.#listen(this.#listening.signal);
    return agent;
  }

  #holdfast(words: readonly string[], log: string): ChildProcess {
    const output = openSync(this.#file(log), "a");
    const [program, ...first] = this.plan.holdfast;
    const child = this.#node.spawn(program, [...first, ...words], {
      stdio: ["ignore", output, output],
    });
    child.once("exit", () => {
      if (child === this.#web) this.#web = undefined;
    });
    return child;
  }

  /** Follows the agent's events from its first breath to its last. */
  async #listen(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        await readEvents(this.#control, true, this.#hear, stop);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  #file(name: string): string {
    return join(this.plan.directory, name);
  }
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}

export const configuration = (plan: StationPlan): string => `# ${plan.name}
vrrp_instance DEMO {
    state BACKUP
    interface eth0
    virtual_router_id 51
    version 3
    priority ${plan.priority}
    advert_int ${plan.advertisementMs / 1000}
    virtual_ipaddress {
        ${plan.address}/24
    }
}
`;
