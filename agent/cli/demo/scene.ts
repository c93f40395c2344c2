import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { AgentEvent } from "../../control/protocol.ts";
import type { Timing } from "./expectation.ts";
import type { DemoLab } from "./lab.ts";
import type { Answered } from "./outage.ts";
import { ClientRecord } from "./outage.ts";
import { Station } from "./station.ts";

/** The address, from the range that RFC 5737 keeps for examples. */
export const ADDRESS = "192.0.2.100";
export const TIMING: Timing = { advertisementMs: 200, backupPriority: 100 };
const EVENTS_KEPT = 200;

export interface SceneEvent extends AgentEvent {
  readonly node: string;
}

/** Two nodes, a switch and a client, running. */
export class Scene {
  readonly stations: readonly [Station, Station];
  readonly record = new ClientRecord();
  readonly events: SceneEvent[] = [];
  readonly #lab: DemoLab;
  readonly #directory: string;
  readonly #client: ChildProcess;
  #disposed = false;

  constructor(lab: DemoLab, holdfast: readonly [string, ...string[]]) {
    this.#lab = lab;
    this.#directory = mkdtempSync(join(tmpdir(), `hf-${process.pid}-demo-`));
    const lan = lab.segment("lan");
    const station = (index: 1 | 2, priority: number): Station => {
      const name = `node ${index}`;
      const node = lab.node(`node${index}`);
      const addresses = [`192.0.2.${10 + index}/24`];
      const cable = lab.attach(node, lan, { name: "eth0", addresses });
      const directory = join(this.#directory, `node${index}`);
      const { advertisementMs } = TIMING;
      const plan = { name, priority, advertisementMs, address: ADDRESS, directory, holdfast };
      return new Station(plan, node, cable, (event) => this.#hear(name, event));
    };
    this.stations = [station(1, 150), station(2, TIMING.backupPriority)];
    for (const each of this.stations) each.start();

    const client = lab.node("client");
    lab.attach(client, lan, { name: "eth0", addresses: ["192.0.2.50/24"] });
    const [program, ...words] = holdfast;
    this.#client = client.spawn(program, [...words, "demo", "client", ADDRESS], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    if (this.#client.stdout !== null) {
      createInterface({ input: this.#client.stdout }).on("line", (line) =>
        this.record.add(JSON.parse(line) as Answered),
      );
    }
  }

  /** The node that says it holds the address. */
  get active(): Station | undefined {
    return this.stations.find((station) => station.router?.state === "active");
  }

  async refresh(): Promise<void> {
    await Promise.all(this.stations.map((station) => station.refresh()));
  }

  /** Ends everything and removes every file. Safe to call twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const station of this.stations) station.condition = "killed";
    this.#lab.dispose();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #hear(node: string, event: AgentEvent): void {
    // An agent that is asked again tells its recent events again.
    const known = this.events.some(
      (each) => each.node === node && each.at === event.at && each.sequence === event.sequence,
    );
    if (known) return;
    this.events.push({ ...event, node });
    if (this.events.length > EVENTS_KEPT) this.events.splice(0, this.events.length - EVENTS_KEPT);
  }
}
