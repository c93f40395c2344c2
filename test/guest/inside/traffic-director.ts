import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { requestReload } from "../../../agent/control/client.ts";
import { addressFromBytes } from "../../../agent/core/address.ts";
import { Agent, STARTED_IN_GUEST_MS } from "../../lab/agent.ts";
import { patiently } from "./patiently.ts";
import type { TrafficNet } from "./traffic-net.ts";

/** A program starts in seconds here. */
export const PATIENCE_MS = 60_000;

/** The director's agent, and the kernel's table that follows from it. */
export class Director {
  readonly agent: Agent;
  readonly #net: TrafficNet;
  readonly #names: ReadonlyMap<string, string>;

  constructor(net: TrafficNet, config: string) {
    this.#net = net;
    this.agent = new Agent(net.director, config, STARTED_IN_GUEST_MS);
    this.#names = new Map(
      [...net.servers.values()].flatMap(({ name, address, address6 }) => [
        [address, name] as const,
        [address6, name] as const,
      ]),
    );
  }

  async reload(config: string): Promise<void> {
    this.agent.configure(config);
    const outcome = await requestReload(this.agent.control);
    assert.ok(outcome.accepted, JSON.stringify(outcome));
  }

  /** The kernel's table: `rs1=3 rs2=2` by service, as `TCP 198.51.100.1:80`. */
  table(): ReadonlyMap<string, string> {
    const text = this.#net.director.run(() =>
      readFileSync("/proc/thread-self/net/ip_vs", "latin1"),
    );
    const table = new Map<string, string>();
    let service = "";
    for (const line of text.split("\n").slice(3)) {
      const [first = "", second = "", , weight = ""] = line.trim().split(/\s+/);
      if (first === "->") {
        const [address = ""] = endpoint(second).split(/:(?=\d+$)/);
        const server = `${this.#names.get(address) ?? address}=${weight}`;
        table.set(service, [table.get(service), server].filter(Boolean).sort().join(" "));
      } else if (first !== "") {
        service = `${first} ${first === "FWM" ? Number.parseInt(second, 16) : endpoint(second)}`;
        table.set(service, "");
      }
    }
    return table;
  }

  /** The pool of a TCP service on port 80; `undefined`: there is no such service. */
  pool(address: string): string | undefined {
    return this.table().get(`TCP ${address}:80`)?.split(" ").sort().join(" ");
  }

  becomes(address: string, pool: string): Promise<void> {
    return patiently(`the pool of ${address} is ${pool}`, PATIENCE_MS, () =>
      assert.equal(this.pool(address), pool),
    );
  }

  async has(services: number): Promise<void> {
    await patiently(`${services} services`, PATIENCE_MS, () =>
      assert.equal(this.table().size, services, this.agent.log.slice(-2_000)),
    );
  }
}

/** `C6336401:0050` or `[2001:0db8:…]:0050`. */
function endpoint(text: string): string {
  const at = text.lastIndexOf(":");
  const port = Number.parseInt(text.slice(at + 1), 16);
  const host = text.slice(0, at);
  const digits = host.replace(/[[\]:]/g, "");
  return `${addressFromBytes(Uint8Array.from(Buffer.from(digits, "hex")))}:${port}`;
}
