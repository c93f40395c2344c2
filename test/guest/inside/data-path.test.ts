import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { describe, test } from "node:test";
import type { ServiceTable } from "../../../agent/core/ipvs/service.ts";
import { serviceKey } from "../../../agent/core/ipvs/service.ts";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../../agent/linux/lab.ts";
import { lastErrno, libc } from "../../../agent/linux/libc.ts";
import { openIpvs } from "../../../agent/linux/netlink/ipvs.ts";
import { readSysctl } from "../../../agent/linux/sysctl.ts";
import type { Ipvs } from "../../../agent/ports/ipvs.ts";
import type { Balancing } from "../../../agent/runtime/balancing/balancing.ts";
import type { DirectorSettings, EventReport } from "../../../agent/runtime/ipc.ts";
import { configOf } from "../../config/lower/lowered.ts";
import { fine } from "../../ipvs/port-suite.ts";
import { kernelBalancing } from "./kernel-balancing.ts";
import { patiently } from "./patiently.ts";
import { batch } from "./traffic-net.ts";

const CLONE_NEWNET = 0x4000_0000;
const PATIENCE = 20_000;
const VIP = "10.0.0.100";
const VIP6 = "fd00::100";
const LOCAL = "net/ipv4/conf/eth0/accept_local";

const CHECKS = {
  tcp: "HTTP_GET {\nurl {\npath /\nstatus_code 200\n}\n}",
  udp: "UDP_CHECK {\npayload 68\nrequire_reply\n}",
};

/** A service with a real server of direct routing and one of a tunnel. */
const service = (vip: string, protocol: "tcp" | "udp", first: string, second: string): string => `
virtual_server ${vip} 80 {
  protocol ${protocol.toUpperCase()}
  lvs_method DR
  holdfast_data_path
  alpha
  delay_loop 0.15
  connect_timeout 0.4
  retry 1
  delay_before_retry 0.1
  warmup 0
  real_server ${first} 80 {
    ${CHECKS[protocol]}
  }
  real_server ${second} 80 {
    lvs_method TUN
    ${CHECKS[protocol]}
  }
}
`;

const TEXT = [
  service(VIP, "tcp", "10.0.0.11", "10.0.0.12"),
  service(VIP, "udp", "10.0.0.11", "10.0.0.12"),
  service(VIP6, "tcp", "fd00::11", "fd00::12"),
].join("");

const TARGETS = [
  { kind: "address", protocol: "tcp", address: VIP, port: 80 },
  { kind: "address", protocol: "udp", address: VIP, port: 80 },
  { kind: "address", protocol: "tcp", address: VIP6, port: 80 },
] as const;

/** Serves HTTP on all its addresses, and UDP on the virtual one. */
async function serve(node: LabNode): Promise<() => void> {
  const open = new Set<Socket>();
  const web = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => undefined).once("close", () => open.delete(socket));
    socket.end("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  // Without a host it is bound at once, and so in the node.
  node.run(() => web.listen(80));
  const echo = createSocket({ type: "udp4", lookup: (host, _, found) => found(null, host, 4) });
  echo.on("message", (bytes, { address, port }) =>
    echo.send(bytes, port, address, () => undefined),
  );
  await new Promise<void>((resolve) => node.run(() => echo.bind(80, VIP, resolve)));
  return () => {
    web.close();
    // Of clients on a path that was taken away: their ends never come, and this process would wait for them.
    for (const socket of open) socket.destroy();
    echo.close();
  };
}

/** As active directors have the virtual addresses: IPv6 is not to be spoken from them unasked. */
function hold(node: LabNode, word: "add" | "del"): void {
  const unasked = word === "add" ? " nodad preferred_lft 0" : "";
  batch(node, `addr ${word} ${VIP}/32 dev eth0`, `addr ${word} ${VIP6}/128 dev eth0${unasked}`);
}

/** This process is the director; whoever has the virtual address beside it would answer for it. */
class Net {
  readonly lab = new Lab();
  readonly #lan = this.lab.segment("lan");
  readonly director = this.#machine("director", 1);
  readonly peer = this.#machine("peer", 2);
  readonly first = this.#machine("first", 11);
  readonly second = this.#machine("second", 12);
  readonly events: EventReport[] = [];
  readonly part: Balancing;
  readonly #closing: (() => void)[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), `hf-dp-${process.pid}-`));
  #kernel: Ipvs | undefined;

  private constructor() {
    if (libc().setns(this.director.namespace.fd, CLONE_NEWNET) !== 0) throw new Error(lastErrno());
    for (const node of [this.first, this.second]) {
      assert.ok(node.sysctl("ipv4/conf/all/arp_ignore", "1"));
      assert.ok(node.sysctl("ipv4/conf/all/arp_announce", "2"));
      this.lend(node);
    }
    this.setTunnels("up");
    for (const name of ["tunl0", "all"]) this.second.sysctl(`ipv4/conf/${name}/rp_filter`, "0");
    this.part = kernelBalancing((report) => this.events.push(report));
  }

  /** The director is active. */
  static async make(context: TestContext): Promise<Net> {
    execFileSync("modprobe", ["-a", "ip_vs", "ipip", "ip6_tunnel"]);
    const net = new Net();
    context.after(() => net.#dispose());
    hold(net.director, "add");
    for (const node of [net.first, net.second]) net.#closing.push(await serve(node));
    return net;
  }

  /** The peer is active. It would answer whatever came to it. */
  async yield(): Promise<void> {
    hold(this.director, "del");
    hold(this.peer, "add");
    this.#closing.push(await serve(this.peer));
  }

  configure(text: string): Promise<void> {
    const { balancing } = configOf(text);
    const settings = { stateDirectory: this.#folder, routerId: "lb1", balancing };
    this.part.configure(settings as unknown as DirectorSettings);
    return this.part.settled();
  }

  /** The virtual addresses, as real servers have them. */
  lend(node: LabNode): void {
    batch(node, `addr add ${VIP}/32 dev lo`, `addr add ${VIP6}/128 dev lo nodad`);
  }

  take(node: LabNode): void {
    batch(node, `addr del ${VIP}/32 dev lo`, `addr del ${VIP6}/128 dev lo`);
  }

  /** Last numbers of the real servers in each of the pools. */
  becomes(wanted: string): Promise<void> {
    return patiently(`the pools are ${wanted}`, PATIENCE, async () => {
      const table = await this.#table();
      for (const target of TARGETS) {
        const key = serviceKey(target as Parameters<typeof serviceKey>[0]);
        const pool = table.get(key)?.destinations ?? [];
        const lasts = pool.map(({ address }) => address.split(/[.:]/).at(-1)).sort();
        const told = this.events.map(({ subject, message }) => `${subject}: ${message}`).join("\n");
        assert.equal(lasts.join(" "), wanted, `${key}\n${told}`);
      }
    });
  }

  async keys(): Promise<readonly string[]> {
    return [...(await this.#table()).keys()];
  }

  setTunnels(state: "up" | "down"): void {
    batch(this.second, `link set tunl0 ${state}`, `link set ip6tnl0 ${state}`);
  }

  async #table(): Promise<ServiceTable> {
    this.#kernel ??= fine(await openIpvs());
    return fine(await this.#kernel.read()).table;
  }

  #machine(name: string, last: number): LabNode {
    const node = this.lab.node(name);
    const addresses = [`10.0.0.${last}/24`, `fd00::${last}/64`];
    this.lab.attach(node, this.#lan, { name: "eth0", addresses });
    return node;
  }

  async #dispose(): Promise<void> {
    for (const close of this.#closing) close();
    try {
      await this.part.stop();
    } finally {
      this.#kernel?.close();
      this.lab.dispose();
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

/** Whether something listens on port 80 of this address, as any check without a data path would see it. */
const answers = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(80, address);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("close", () => resolve(false)).resume();
  });

describe("checks by a data path", { timeout: 60_000 }, () => {
  test("see what clients would: DR and TUN, on the active director and on a backup", async (context) => {
    const net = await Net.make(context);
    await net.configure(TEXT);
    await net.becomes("11 12");
    net.take(net.first);
    await net.becomes("12");
    for (const address of ["10.0.0.11", "fd00::11"]) assert.ok(await answers(address), address);
    net.setTunnels("down");
    await net.becomes("");
    net.lend(net.first);
    net.setTunnels("up");
    await net.becomes("11 12");
    await net.yield();
    net.take(net.first);
    net.setTunnels("down");
    await net.becomes("");
    for (const address of ["10.0.0.12", "fd00::12"]) assert.ok(await answers(address), address);
    net.lend(net.first);
    net.setTunnels("up");
    await net.becomes("11 12");
    const marks = (await net.keys()).filter((key) => key.startsWith("fwmark "));
    assert.equal(marks.length, 4);
    assert.equal(readSysctl(LOCAL), "1");
    // Nobody else is to be blamed for services of ours.
    assert.deepEqual(
      net.events.filter(({ kind }) => kind === "balancing"),
      [],
    );
    await net.part.stop();
    assert.deepEqual(await net.keys(), []);
    assert.equal(readSysctl(LOCAL), "0");
  });
});
