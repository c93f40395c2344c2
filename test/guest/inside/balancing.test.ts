import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { describe, test } from "node:test";
import { KERNEL_SETTINGS } from "../../../agent/config/kernel-settings.ts";
import type { BalancingConfig } from "../../../agent/config/virtual-servers.ts";
import { serviceKey } from "../../../agent/core/ipvs/service.ts";
import { milliseconds, seconds } from "../../../agent/core/time.ts";
import { readKernelSettings } from "../../../agent/linux/kernel-settings.ts";
import { openIpvs } from "../../../agent/linux/netlink/ipvs.ts";
import { KernelError } from "../../../agent/ports/error.ts";
import type { Ipvs } from "../../../agent/ports/ipvs.ts";
import type { Balancing } from "../../../agent/runtime/balancing/balancing.ts";
import type { DirectorSettings, EventReport } from "../../../agent/runtime/ipc.ts";
import { fine } from "../../ipvs/port-suite.ts";
import { eventually } from "../../lab/eventually.ts";
import { enterNamespace, ip } from "../../linux/network-rig.ts";
import { balancing, NAME, real, TARGET, tcpCheck, web } from "../../runtime/balancing/rig.ts";
import { kernelBalancing } from "./kernel-balancing.ts";

const PATIENCE = 20_000;

/** Load balancing as the director has it: the kernel's table, real sockets, real time. */
class Machine {
  readonly events: EventReport[] = [];
  readonly kernel: Ipvs;
  part: Balancing = this.#open();
  readonly #folder = mkdtempSync(join(tmpdir(), `hf-lb-${process.pid}-`));
  readonly #servers = new Map<number, Server>();

  constructor(kernel: Ipvs) {
    this.kernel = kernel;
  }

  static async make(context: TestContext): Promise<Machine> {
    enterNamespace();
    ip("addr add 192.0.2.1/32 dev lo");
    for (const last of [1, 2, 3]) ip(`addr add 10.0.0.${last}/32 dev lo`);
    const machine = new Machine(fine(await openIpvs()));
    context.after(() => machine.#dispose());
    for (const last of [1, 2]) await machine.serve(last);
    return machine;
  }

  configure(config: BalancingConfig): Promise<void> {
    this.part.configure({
      stateDirectory: this.#folder,
      routerId: "lb1",
      balancing: config,
    } as unknown as DirectorSettings);
    return this.part.settled();
  }

  restart(): void {
    this.part = this.#open();
  }

  /** `answer`: what it says to whoever comes. */
  async serve(last: number, answer?: string): Promise<void> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      if (answer === undefined) socket.end();
      else socket.write(answer);
    });
    await new Promise<void>((resolve) => server.listen(80, `10.0.0.${last}`, resolve));
    this.#servers.set(last, server);
  }

  fail(last: number): void {
    this.#servers.get(last)?.close();
    this.#servers.delete(last);
  }

  /** `1=1 2=1`; `undefined`: there is no such service. */
  async pool(): Promise<string | undefined> {
    const entry = fine(await this.kernel.read()).table.get(serviceKey(TARGET));
    return entry?.destinations
      .map(({ address, weight }) => `${address.split(".").at(-1)}=${weight}`)
      .sort()
      .join(" ");
  }

  becomes(wanted: string | undefined): Promise<void> {
    return eventually(`the pool is ${wanted}`, PATIENCE, async () =>
      assert.equal(await this.pool(), wanted),
    );
  }

  #open(): Balancing {
    return kernelBalancing((report) => this.events.push(report));
  }

  async #dispose(): Promise<void> {
    await this.part.stop();
    for (const last of this.#servers.keys()) this.fail(last);
    this.kernel.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const quick = { interval: milliseconds(200), timeout: seconds(2) };
const service = (part: Parameters<typeof web>[0] = {}) =>
  web({
    realServers: [1, 2].map((last) => real(last, { checks: [tcpCheck(last, quick)] })),
    ...part,
  });

describe("load balancing on the kernel's own table", { timeout: 120_000 }, () => {
  test("follows servers that fail and come back, a sorry server, and an operator", async (context) => {
    const machine = await Machine.make(context);
    const sorryServer = real(99, { forwarding: { kind: "nat" } });
    await machine.configure(balancing([service({ sorryServer })]));
    assert.equal(await machine.pool(), "1=1 2=1");
    machine.fail(2);
    await machine.becomes("1=1");
    machine.fail(1);
    await machine.becomes("99=1");
    await machine.serve(1);
    await machine.serve(2);
    await machine.becomes("1=1 2=1");
    machine.part.commands.drain?.("all", { server: "10.0.0.1", who: "test" });
    await machine.becomes("1=0 2=1");
    await machine.configure(balancing([service({ sorryServer, scheduler: "nope" })]));
    assert.equal(machine.events.filter(({ kind }) => kind === "balancing").length, 1);
    await machine.configure(balancing([service({ sorryServer, scheduler: "mh" })]));
    assert.equal(await machine.pool(), "1=0 2=1");
    await machine.part.stop();
    assert.equal(await machine.pool(), undefined);
  });

  test("adopts what is there, and puts right what others change", async (context) => {
    const machine = await Machine.make(context);
    const before = machine.part;
    await machine.configure(balancing([service()]));
    const destination = { ...real(1), weight: 50 };
    const changed = await machine.kernel.apply([
      { kind: "edit-destination", target: TARGET, destination },
      { kind: "add-service", service: { ...service(), target: { ...TARGET, port: 8080 } } },
    ]);
    assert.deepEqual([...changed], []);
    await machine.becomes("1=1 2=1");
    await eventually("it is told", PATIENCE, () =>
      assert.match(machine.events.at(-1)?.message ?? "", /somebody else changed it/),
    );
    machine.restart();
    await machine.configure(balancing([service()]));
    assert.equal(await machine.pool(), "1=1 2=1");
    await before.stop();
    await machine.part.stop();
    const { table } = fine(await machine.kernel.read());
    assert.deepEqual([...table.keys()], ["tcp 192.0.2.1:8080"]);
  });

  test("has a real server that an operator adds, and one that he removes until its last connection ends", async (context) => {
    const machine = await Machine.make(context);
    const settings = readKernelSettings(undefined);
    assert.ok(settings !== undefined && !(settings instanceof KernelError));
    assert.deepEqual(Object.keys(settings.values), [...KERNEL_SETTINGS], "the kernel's names");
    const nat = { forwarding: { kind: "nat" } } as const;
    const checks = [tcpCheck(1, quick)];
    const file = balancing([service({ realServers: [real(1, { ...nat, checks })] })]);
    await machine.configure(file);
    const order = (command: "add" | "remove", server: string): unknown =>
      machine.part.commands[command]?.("all", { server: `${NAME}/${server}`, who: "test" });
    order("add", "10.0.0.3");
    await machine.becomes("1=1 3=1");
    // Nobody listens there yet: the model's check looks at the new one's own address.
    await machine.becomes("1=1");
    await machine.serve(3, "3");
    await machine.becomes("1=1 3=1");
    machine.fail(1);
    await machine.becomes("3=1");
    const client = connect(80, "192.0.2.1");
    context.after(() => client.destroy());
    assert.equal(String(await once(client, "data")), "3");
    order("remove", "10.0.0.3");
    await machine.becomes("3=0");
    await machine.serve(1);
    await machine.becomes("1=1 3=0");
    client.destroy();
    await machine.becomes("1=1");
    order("add", "10.0.0.3");
    order("remove", "10.0.0.1");
    await machine.becomes("3=1");
    const before = machine.part;
    machine.restart();
    await machine.configure(file);
    assert.equal(await machine.pool(), "3=1");
    await before.stop();
  });
});
