import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { rmSync, truncateSync } from "node:fs";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../../agent/linux/lab.ts";
import { lastErrno, libc } from "../../../agent/linux/libc.ts";
import { temporaryPaths } from "../../lab/servers/nginx-paths.ts";
import { RunFolder } from "../../lab/servers/run-folder.ts";
import { listens, Server } from "../../lab/servers/server.ts";

const CLONE_NEWNET = 0x4000_0000;
const NGINX = "/usr/sbin/nginx";
const MODULES = "ip_vs ipip ip_gre ip6_gre ip6_tunnel sit fou fou6 sctp act_skbedit cls_flower";

/** Where the virtual servers are: all of it is the director's, and each real server's. */
export const SERVICES = ["198.51.100.0/24", "2001:db8:5::/64"] as const;
/** Addresses of the client, all in one /28 but the last. */
export const CLIENTS = [17, 18, 19, 20, 21, 22, 23, 33].map((last) => `192.0.2.${last}`);
export const CLIENT = "192.0.2.17";
export const CLIENT6 = "2001:db8:1::17";
export const PORT = 80;
export const GUE_PORT = 6080;
/** Bytes of `/long`, which takes five seconds, as something is to happen meanwhile, on a slow processor. */
export const LONG_BYTES = 200_000;
/** Bytes of `/endless`, which takes minutes. */
const ENDLESS_BYTES = 16_000_000;
/** Bytes a second. */
const RATE = 40_000;
/** Taken by the director while it has it; routed to it always. */
export const QUORUM_ADDRESS = "203.0.113.1";

/** A real server: nginx for TCP and an echo for UDP, which say their name and whom they see. */
export class RealServer {
  readonly name: string;
  readonly node: LabNode;
  readonly address: string;
  readonly address6: string;
  readonly #folder = new RunFolder();
  readonly #nginx: Server;
  readonly #closing: (() => void)[] = [];

  constructor(name: string, node: LabNode, last: number) {
    this.name = name;
    this.node = node;
    this.address = `10.0.0.${last}`;
    this.address6 = `fd00::${last}`;
    const { path } = this.#folder;
    const config = this.#folder.write(
      "nginx.conf",
      `daemon off;
master_process off;
pid ${path}/pid;
error_log stderr;
events {}
http {
  access_log off;
  keepalive_timeout 300;
  ${temporaryPaths(path)}
  server {
    listen ${PORT};
    listen [::]:${PORT};
    location / { return 200 "${name} $remote_addr\\n"; }
    location = /health { root ${path}; }
    location /stock/ { root ${path}; limit_rate ${RATE}; }
  }
}
`,
    );
    this.#folder.write("stock/long", "x".repeat(LONG_BYTES));
    truncateSync(this.#folder.write("stock/endless", ""), ENDLESS_BYTES);
    this.setHealthy(true);
    this.#nginx = new Server({
      node,
      command: [NGINX, "-c", config],
      ready: () => listens(node, PORT),
    });
  }

  start(): Promise<void> {
    return this.#nginx.start();
  }

  kill(): Promise<void> {
    return this.#nginx.kill();
  }

  /** Whether `/health` is there; all else goes on. */
  setHealthy(healthy: boolean): void {
    if (healthy) this.#folder.write("health", "well");
    else rmSync(this.#folder.join("health"));
  }

  /** Answers UDP to this address, from this address. */
  async echo(address: string): Promise<void> {
    const ipv6 = address.includes(":");
    const socket = createSocket({
      type: ipv6 ? "udp6" : "udp4",
      // At once, and so in the node's namespace.
      lookup: (host, _, found) => found(null, host, ipv6 ? 6 : 4),
    });
    socket.on("message", (_, { address: from, port }) => {
      socket.send(`${this.name} ${from}\n`, port, from);
    });
    this.#closing.push(() => socket.close());
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      this.node.run(() => socket.bind(PORT, address, resolve));
    });
  }

  async dispose(): Promise<void> {
    for (const close of this.#closing) close();
    await this.#nginx.kill();
    this.#folder.dispose();
  }
}

/**
 * A director between the client, which is this process, and real servers. The client's packets to the
 * services go to the director; servers answer through it, but packets of a service's own address, as DR
 * and tunnels have them, go straight to the client.
 */
export class TrafficNet {
  readonly lab = new Lab();
  readonly director: LabNode;
  readonly servers: ReadonlyMap<string, RealServer>;

  private constructor(names: readonly string[]) {
    const client = this.lab.node("client");
    this.director = this.lab.node("director");
    const front = this.lab.segment("front");
    const back = this.lab.segment("back");
    const attach = (node: LabNode, name: string, at: typeof front, ...addresses: string[]) =>
      this.lab.attach(node, at, { name, addresses });
    attach(client, "eth0", front, `${CLIENT6}/64`, ...CLIENTS.map((each) => `${each}/24`));
    attach(client, "eth1", back, "10.0.0.250/24", "fd00::250/64");
    attach(this.director, "eth0", front, "192.0.2.1/24", "2001:db8:1::1/64");
    attach(this.director, "eth1", back, "10.0.0.1/24", "fd00::1/64");
    for (const name of ["ipv4/ip_forward", "ipv6/conf/all/forwarding"]) {
      assert.ok(this.director.sysctl(name, "1"));
    }
    // Who has lost their real server are told so with the next packet, instead of being left to wait.
    assert.ok(this.director.sysctl("ipv4/vs/expire_nodest_conn", "1"));
    // Whoever asks for what is not there is told so, however often.
    assert.ok(this.director.sysctl("ipv4/icmp_ratelimit", "0"));
    batch(this.director, ...SERVICES.map((each) => `route add local ${each} dev lo`));
    batch(
      client,
      `route add ${SERVICES[0]} via 192.0.2.1`,
      `route add ${SERVICES[1]} via 2001:db8:1::1`,
      `route add ${QUORUM_ADDRESS} via 192.0.2.1`,
    );
    this.servers = new Map(
      names.map((name, at) => {
        const last = 11 + at;
        const node = this.lab.node(name);
        attach(node, "eth0", back, `10.0.0.${last}/24`, `fd00::${last}/64`);
        // An address of a route is not one of an interface, which IPv6 asks for.
        assert.ok(node.sysctl("ipv6/ip_nonlocal_bind", "1"));
        batch(
          node,
          ...SERVICES.map((each) => `route add local ${each} dev lo`),
          ...SERVICES.map((each) => `rule add from ${each} lookup 100`),
          ...["10.0.0.1", "fd00::1"].map((via) => `route add default via ${via}`),
          ...["10.0.0.250", "fd00::250"].map((via) => `route add default via ${via} table 100`),
        );
        return [name, new RealServer(name, node, last)];
      }),
    );
    if (libc().setns(client.namespace.fd, CLONE_NEWNET) !== 0) throw new Error(lastErrno());
  }

  static async make(names: readonly string[]): Promise<TrafficNet> {
    execFileSync("modprobe", ["-a", ...MODULES.split(" ")]);
    const net = new TrafficNet(names);
    await Promise.all([...net.servers.values()].map((server) => server.start()));
    return net;
  }

  server(name: string): RealServer {
    return this.servers.get(name) ?? assert.fail(name);
  }

  async dispose(): Promise<void> {
    for (const server of this.servers.values()) await server.dispose();
    this.lab.dispose();
  }
}

/** Has `ip` do these things on a node; a line with a colon is about IPv6. */
export function batch(node: LabNode, ...lines: readonly string[]): void {
  for (const ipv6 of [false, true]) {
    const some = lines.filter((line) => line.includes(":") === ipv6);
    if (some.length > 0) must(node, `ip ${ipv6 ? "-6" : "-4"} -batch -`, some.join("\n"));
  }
}

/** Runs a program on a node; fails with what it said. */
export function must(node: LabNode, command: string, input = ""): string {
  const [program = "", ...words] = command.split(" ");
  const { status, stdout, stderr } = node.exec(program, words, input);
  assert.equal(status, 0, `${command}: ${stderr}`);
  return stdout;
}
