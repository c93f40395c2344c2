import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { after, describe, test } from "node:test";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import type { Brand } from "../interop/programs.ts";
import { TAKEOVER_MS } from "../interop/programs.ts";
import type { AddressWatch } from "./address-watch.ts";
import { skip } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { HttpClient } from "./http-client.ts";
import { nothingLeft } from "./leftovers.ts";
import type { PairPlan } from "./pair.ts";
import { Pair } from "./pair.ts";
import { RouterService } from "./router-service.ts";
import { changed, PAIRINGS, userFile } from "./users.ts";

/* The users' nginx pair with its script: nginx dies, and a client asks through the address. */

const ADDRESS = "10.0.0.3";
/** Longer than the down interval, at one second. */
const A_WHILE_MS = 4_500;
const LAN: PairPlan = { link: "ens33", addresses: [["10.0.0.5/24"], ["10.0.0.6/24"]] };

const SCRIPTED = userFile("nginx-pair-lb02-script.conf");
const NGINX_CONF = "/etc/nginx/nginx.conf";

/** The address is on the first node, which is to have it, and its page comes through it. */
interface Scene {
  readonly first: RouterService;
  readonly second: RouterService;
  readonly watch: AddressWatch;
  readonly client: HttpClient;
}

async function withScene(
  [one, other]: readonly [Brand, Brand],
  [high, low]: readonly [string, string],
  use: (scene: Scene) => Promise<void>,
): Promise<void> {
  await Pair.run(LAN, async (pair) => {
    const [a, b] = pair.nodes;
    const [first, second] = await Promise.all([
      RouterService.install(one, a, high),
      RouterService.install(other, b, low),
    ]);
    pair.add(first);
    pair.add(second);
    const watch = await pair.watch(ADDRESS);
    const asker = pair.lab.node("client");
    pair.lab.attach(asker, pair.lan, { name: "eth0", addresses: ["10.0.0.200/24"] });
    await first.start();
    await watch.until([a], TAKEOVER_MS);
    await second.start();
    await second.untilBackup();
    const client = new HttpClient(asker, `http://${ADDRESS}/`);
    await client.hears(a.name, TAKEOVER_MS);
    await use({ first, second, watch, client });
  });
}

/** For how long nobody had it: between the last that lost it and who took it then, in ms. */
function handOverMs({ history }: AddressWatch, from: LabNode): number {
  const lost = history.findLast(({ node, held }) => node === from.name && !held);
  const taken = history.findLast(({ held }) => held);
  return (taken?.at ?? Number.NaN) - (lost?.at ?? Number.NaN);
}

const killNginx = ({ machine }: RouterService): Promise<unknown> =>
  machine.run("pkill", "-KILL", "-x", "nginx");

/** The script starts it again; nobody else is to notice. */
async function restarted(t: TestContext, { first, watch, client }: Scene): Promise<void> {
  const { length } = watch.history;
  const start = client.answers.length;
  await killNginx(first);
  await client.hears(first.node.name, TAKEOVER_MS);
  assert.equal(watch.history.length, length, "the address moved");
  t.diagnostic(
    `started anew by the script: no page for ${client.longestOutage(start).toFixed()} ms`,
  );
}

/** The script cannot start it, and stops the router, whichever it is, under keepalived's name. */
async function stopped(t: TestContext, scene: Scene): Promise<string> {
  const { first, second, watch, client } = scene;
  const sound = first.machine.read(NGINX_CONF);
  first.machine.write(NGINX_CONF, `${sound}nonsense`);
  const start = client.answers.length;
  await killNginx(first);
  await watch.until([second.node], TAKEOVER_MS);
  await client.hears(second.node.name, TAKEOVER_MS);
  const [address, page] = [handOverMs(watch, first.node), client.longestOutage(start)];
  t.diagnostic(`no page for ${page.toFixed()} ms, no address for ${address.toFixed()} ms`);
  await eventually("it is stopped", TAKEOVER_MS, async () => assert.ok(!(await first.isActive())));
  // Released, not left to be missed: the down interval is above three seconds.
  assert.ok(address < 3_000, `nobody had the address for ${address} ms`);
  return sound;
}

async function repaired({ first }: Scene, sound: string): Promise<void> {
  first.machine.write(NGINX_CONF, sound);
  await first.machine.systemctl("start", "nginx");
  await first.start();
}

/** In place of their script: five less while nginx does not run. */
const WEIGHTED = changed(SCRIPTED, [
  ['"/servers/scripts/check_nginx.sh"', '"killall -0 nginx"'],
  ["interval 5", "weight -5\n    fall 2\n    rise 1\n    interval 2"],
  ["priority 150", "priority 103"],
]);

async function weighed(t: TestContext, scene: Scene): Promise<void> {
  const { first, second, watch, client } = scene;
  const start = client.answers.length;
  await killNginx(first);
  await watch.until([second.node], TAKEOVER_MS);
  await client.hears(second.node.name, TAKEOVER_MS);
  t.diagnostic(`by weight: no page for ${client.longestOutage(start).toFixed()} ms`);
  assert.ok(await first.isActive(), "it was stopped");
  const back = client.answers.length;
  await first.machine.systemctl("start", "nginx");
  await watch.until([first.node], TAKEOVER_MS);
  await client.hears(first.node.name, TAKEOVER_MS);
  t.diagnostic(`on the way home: no page for ${client.longestOutage(back).toFixed()} ms`);
}

describe("users' scripts: nginx dies", { skip, concurrency: 9, timeout: 120_000 }, () => {
  after(nothingLeft);

  const low = changed(SCRIPTED, [["priority 150", "priority 100"]]);
  for (const brands of PAIRINGS) {
    test(`the address goes and comes back: ${brands.join(" and ")}`, (t) =>
      withScene(brands, [SCRIPTED, low], async (scene) => {
        const { first, watch, client } = scene;
        await restarted(t, scene);
        const sound = await stopped(t, scene);
        const start = client.answers.length;
        await repaired(scene, sound);
        await watch.until([first.node], TAKEOVER_MS);
        await client.hears(first.node.name, TAKEOVER_MS);
        t.diagnostic(`on the way home: no page for ${client.longestOutage(start).toFixed()} ms`);
      }));

    test(`with nopreempt it stays where it went: ${brands.join(" and ")}`, (t) => {
      const files = [SCRIPTED, low].map((file) => changed(file, [["#nopreempt", "nopreempt"]]));
      return withScene(brands, files as [string, string], async (scene) => {
        const { second, watch, client } = scene;
        const sound = await stopped(t, scene);
        await repaired(scene, sound);
        await watch.unchanged(A_WHILE_MS);
        await client.hears(second.node.name, TAKEOVER_MS);
      });
    });

    test(`by its weight the address goes and comes back: ${brands.join(" and ")}`, (t) => {
      const files = [WEIGHTED, changed(WEIGHTED, [["priority 103", "priority 100"]])] as const;
      return withScene(brands, files, (scene) => weighed(t, scene));
    });
  }
});
