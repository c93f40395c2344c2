import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { LabInterface } from "../../../agent/linux/lab/lab-interface.ts";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../../agent/linux/lab.ts";
import { Agent, STARTED_IN_GUEST_MS } from "../../lab/agent.ts";
import { Keepalived } from "../../lab/keepalived.ts";
import { userFile } from "../../lab/users.ts";
import { Client } from "./client.ts";
import { holds, ipvsadm, serversOf } from "./ip-vs-node.ts";
import { patiently } from "./patiently.ts";
import { WebServer } from "./web-server.ts";

/*
 * The users' two directors with their files as they stand, and two of keepalived with the same files on
 * a network just like theirs: side by side, as the files have them wait for seconds.
 */

const timeout = 300_000;
/** Beyond the files' fifteen seconds until a real server is down, on a machine that is busy with others. */
const PATIENCE_MS = 120_000;
const ADDRESS = "192.168.1.100";
const SERVERS = [11, 12] as const;
type Host = (typeof SERVERS)[number];

interface Director {
  readonly node: LabNode;
  readonly link: LabInterface;
  readonly start: () => Promise<void>;
  /** Nothing of it does anything any more. */
  readonly die: () => Promise<void>;
  readonly dispose: () => void;
}

const programs: Readonly<
  Record<string, (node: LabNode, config: string) => Omit<Director, "node" | "link">>
> = {
  holdfast: (node, config) => {
    const agent = new Agent(node, config, STARTED_IN_GUEST_MS);
    return {
      start: () => agent.start(),
      die: () => agent.killAll(),
      dispose: () => agent.dispose(),
    };
  },
  keepalived: (node, config) => {
    const keepalived = new Keepalived(node, config, []);
    return {
      start: () => keepalived.start(),
      die: () => keepalived.stop(),
      dispose: () => keepalived.dispose(),
    };
  },
};

/** Two directors of one kind, two real servers, and a client. */
class Site {
  readonly first: Director;
  readonly second: Director;
  readonly client: Client;
  readonly #servers = new Map<Host, WebServer>();

  constructor(lab: Lab, brand: string) {
    const lan = lab.segment(brand);
    const attach = (name: string, host: number): LabInterface =>
      lab.attach(lab.node(`${brand}-${host}`), lan, {
        name,
        addresses: [`192.168.1.${host}/24`],
      });
    const director = (host: number, file: string): Director => {
      const link = attach("enp0s3", host);
      const program = programs[brand]?.(link.node, userFile(file));
      assert.ok(program !== undefined);
      return { node: link.node, link, ...program };
    };
    this.first = director(1, "lvs-dr-node1.conf");
    this.second = director(4, "lvs-dr-node4.conf");
    for (const host of SERVERS) {
      const { node } = attach("enp0s3", host);
      node.sysctl("ipv4/conf/all/arp_ignore", "1");
      node.sysctl("ipv4/conf/all/arp_announce", "2");
      node.exec("ip", ["address", "add", `${ADDRESS}/32`, "dev", "lo"]);
      this.#servers.set(host, new WebServer(node, String(host)));
    }
    this.client = new Client(attach("enp0s3", 200).node);
  }

  get directors(): readonly Director[] {
    return [this.first, this.second];
  }

  server(host: Host): WebServer {
    const server = this.#servers.get(host);
    assert.ok(server !== undefined);
    return server;
  }

  async dispose(): Promise<void> {
    this.client.close();
    for (const director of this.directors) director.dispose();
    await Promise.all([...this.#servers.values()].map((server) => server.dispose()));
  }
}

describe("files that users have for LVS", () => {
  const lab = new Lab();
  let sites: readonly Site[] = [];

  const each = (work: (site: Site) => Promise<void>): Promise<unknown> =>
    Promise.all(sites.map(work));

  const start = (host: Host) => each((site) => site.server(host).start());
  const kill = (host: Host) => each((site) => site.server(host).kill());

  /** Resolves when these directors have these real servers; they have the very same lines then. */
  async function until(directors: readonly Director[], ...hosts: readonly Host[]): Promise<void> {
    const wanted = hosts.map((host) => `192.168.1.${host}`);
    await patiently(`they have ${wanted}`, PATIENCE_MS, () => {
      const found = Object.fromEntries(directors.map(({ node }) => [node.name, serversOf(node)]));
      const all = Object.fromEntries(directors.map(({ node }) => [node.name, wanted]));
      assert.deepEqual(found, all);
    });
    const lines = [
      `-A -t ${ADDRESS}:80 -s rr`,
      ...hosts.map((host) => `-a -t ${ADDRESS}:80 -r 192.168.1.${host}:80 -g -w 1`),
      "",
    ].join("\n");
    for (const { node } of directors) assert.equal(ipvsadm(node, "-S", "-n"), lines, node.name);
  }

  /** What comes alternates between these servers, and is from nobody else. */
  const answers = (...hosts: readonly Host[]) =>
    each(async ({ client }) => {
      const pages = await client.askTimes(ADDRESS, 4);
      const [one, other] = [hosts.at(0), hosts.at(-1)].map(String);
      assert.deepEqual([...pages].sort(), [one, one, other, other]);
      if (one !== other) assert.equal(pages[0], pages[2]);
    });

  const untilActive = (which: "first" | "second") =>
    each((site) => {
      const { node } = site[which];
      const active = () => assert.ok(holds(node, ADDRESS));
      return patiently(`${node.name} is active`, PATIENCE_MS, active);
    });

  before(async () => {
    execFileSync("modprobe", ["ip_vs_rr"]);
    sites = Object.keys(programs).map((brand) => new Site(lab, brand));
    for (const host of SERVERS) await start(host);
    // One after the other: several would keep each other from starting in time.
    for (const { directors } of sites) for (const director of directors) await director.start();
  });
  after(async () => {
    await Promise.all(sites.map((site) => site.dispose()));
    lab.dispose();
  });

  test("real servers fail and come back, and the active director dies: as with keepalived", {
    timeout,
  }, async () => {
    const all = sites.flatMap(({ directors }) => directors);
    await untilActive("first");
    await until(all, 11, 12);
    await answers(11, 12);

    await kill(11);
    await until(all, 12);
    await answers(12);

    await start(11);
    await until(all, 11, 12);
    await kill(12);
    await until(all, 11);
    await answers(11);

    await start(12);
    await each(async ({ first }) => {
      first.link.setPlugged(false);
      await first.die();
    });
    await untilActive("second");
    const seconds = sites.map(({ second }) => second);
    await until(seconds, 11, 12);
    await answers(11, 12);
  });
});
