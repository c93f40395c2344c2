import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import type { Brand } from "../interop/programs.ts";
import { build, TAKEOVER_MS } from "../interop/programs.ts";
import type { AddressWatch } from "./address-watch.ts";
import { nothingLeft } from "./leftovers.ts";
import type { PairPlan, Program } from "./pair.ts";
import { Pair } from "./pair.ts";
import { RouterService } from "./router-service.ts";
import { changed, PAIRINGS, userFile } from "./users.ts";

/* The files that users have, as they stand, on the interfaces that they name. */

/** Longer than the down interval, at one second. */
const A_WHILE_MS = 4_500;

const NGINX: PairPlan = {
  link: "ens33",
  addresses: [["10.0.0.5/24"], ["10.0.0.6/24"]],
};
const DIRECTORS: PairPlan = {
  link: "enp0s3",
  addresses: [["192.168.1.1/24"], ["192.168.1.4/24"]],
};

interface Two {
  readonly pair: Pair;
  readonly first: Program;
  readonly second: Program;
  readonly firstNode: LabNode;
  readonly secondNode: LabNode;
  readonly watch: AddressWatch;
}

type Make = (brand: Brand, node: LabNode, config: string) => Program | Promise<Program>;

/** Programs with these files on the nodes, not started. */
async function two(
  pair: Pair,
  [one, other]: readonly [Brand, Brand],
  files: readonly [string, string],
  address: string,
  make: Make = build,
): Promise<Two> {
  const [firstNode, secondNode] = pair.nodes;
  const first = pair.add(await make(one, firstNode, files[0]));
  const second = pair.add(await make(other, secondNode, files[1]));
  const watch = await pair.watch(address);
  return { pair, first, second, firstNode, secondNode, watch };
}

/** lb01 differs from lb02 in its name and its priority. */
const nginxPair = (file: string, [from, to]: readonly [string, string]): [string, string] => [
  changed(file, [
    ["router_id lb02", "router_id lb01"],
    [`priority ${from}`, `priority ${to}`],
  ]),
  file,
];

/** The higher priority is on the first node. */
async function noPreemption({ first, second, firstNode, secondNode, watch }: Two): Promise<void> {
  await second.start();
  await watch.until([secondNode], TAKEOVER_MS);
  await first.start();
  await watch.unchanged(A_WHILE_MS);
  await second.stop();
  await watch.until([firstNode], TAKEOVER_MS);
  // Recovered, it does not take the address back.
  await second.start();
  await watch.unchanged(A_WHILE_MS);
}

/** The higher priority is on the first node. */
async function preemption({ first, second, firstNode, secondNode, watch }: Two): Promise<void> {
  await second.start();
  await watch.until([secondNode], TAKEOVER_MS);
  await first.start();
  await watch.until([firstNode], TAKEOVER_MS);
  await watch.unchanged(A_WHILE_MS);
  await first.stop();
  await watch.until([secondNode], TAKEOVER_MS);
}

const DIRECTOR_FILES: readonly [string, string] = [
  userFile("lvs-dr-node1.conf"),
  userFile("lvs-dr-node4.conf"),
];
const STRICT = userFile("lvs-dr-global-strict.conf");

interface Asker {
  /** Until it is answered, for as long as a busy machine may take. */
  arp(): boolean;
  pings(): boolean;
  /** Twice. */
  ping(): boolean;
}

/** A third machine asks for the address. */
function asker(pair: Pair, address: string): Asker {
  const client = pair.lab.node("client");
  pair.lab.attach(client, pair.lan, { name: "eth0", addresses: ["192.168.1.200/24"] });
  const succeeds = (...[program, ...args]: [string, ...string[]]): boolean =>
    client.exec(program, args).status === 0;
  return {
    // Who preempts first finds that nobody else answers; the second question comes after a second.
    arp: () => succeeds("arping", "-f", "-w", "15", "-I", "eth0", address),
    pings: () => succeeds("ping", "-c", "1", "-i", "0.2", "-w", "15", address),
    ping: () => succeeds("ping", "-c", "2", "-i", "0.2", "-W", "2", address),
  };
}

async function directors(scene: Two): Promise<void> {
  const { pair, first, second, firstNode, secondNode, watch } = scene;
  const { arp, pings } = asker(pair, "192.168.1.100");
  const labelled = (node: LabNode): string =>
    node.exec("ip", ["-o", "-4", "address", "show", "label", "enp0s3:8"]).stdout;
  await second.start();
  await watch.until([secondNode], TAKEOVER_MS);
  assert.match(labelled(secondNode), /inet 192\.168\.1\.100\/24 /);
  await first.start();
  await watch.until([firstNode], TAKEOVER_MS);
  assert.match(labelled(firstNode), /inet 192\.168\.1\.100\/24 /);
  assert.ok(arp() && pings());
  await first.stop();
  await watch.until([secondNode], TAKEOVER_MS);
  assert.ok(arp() && pings());
  assert.equal(labelled(firstNode), "");
}

/** The address is there and answers ARP, and nothing else: the users deleted the line. */
async function strict({ pair, first, second, firstNode, secondNode, watch }: Two): Promise<void> {
  const { arp, ping } = asker(pair, "192.168.1.100");
  await Promise.all([first.start(), second.start()]);
  await watch.until([firstNode], TAKEOVER_MS);
  assert.ok(arp());
  assert.equal(ping(), false);
  await first.stop();
  await watch.until([secondNode], TAKEOVER_MS);
  assert.ok(arp());
  assert.equal(ping(), false);
}

describe("files that users have", { concurrency: 6, timeout: 180_000 }, () => {
  after(nothingLeft);
  for (const brands of PAIRINGS) {
    const who = brands.join(" and ");
    test(`nginx pair, nopreempt: ${who}`, () =>
      Pair.run(NGINX, async (pair) => {
        const files = nginxPair(userFile("nginx-pair-lb02-nopreempt.conf"), ["100", "150"]);
        await noPreemption(await two(pair, brands, files, "10.0.0.3"));
      }));

    test(`nginx pair with a script: ${who}`, () =>
      Pair.run(NGINX, async (pair) => {
        const [lb01, lb02] = nginxPair(userFile("nginx-pair-lb02-script.conf"), ["150", "100"]);
        const files = [lb02, lb01] as const;
        await preemption(await two(pair, brands, files, "10.0.0.3", RouterService.install));
      }));

    test(`LVS directors, node1 and node4: ${who}`, () =>
      Pair.run(DIRECTORS, async (pair) =>
        directors(await two(pair, brands, DIRECTOR_FILES, "192.168.1.100")),
      ));

    test(`LVS directors under vrrp_strict: ${who}`, () =>
      Pair.run(DIRECTORS, async (pair) => {
        const [node1, node4] = DIRECTOR_FILES;
        const files = [STRICT + node1, STRICT + node4] as const;
        await strict(await two(pair, brands, files, "192.168.1.100"));
      }));
  }
});
