import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, describe, test } from "node:test";
import type { Mail } from "../interop/smtp-sink.ts";
import { smtpSink } from "../interop/smtp-sink.ts";
import { createAuthority } from "../plugins/certificates.ts";
import { skip, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { nginx } from "./servers/nginx.ts";
import { noFolderLeft } from "./servers/run-folder.ts";
import { Scene, untilPriority, untilVerdict, verdictAfter } from "./servers/scene.ts";
import { webhookSink } from "./servers/sinks.ts";

/* The ready policies of the host and of notifications, as they stand, and all of them at the command line. */

const LONG_MS = 30_000;
/** Of all of it, on a busy machine. */
const BOUND = { timeout: 180_000 };
const SINK_PORT = 8_099;
/** For a test to wait less, and to bear with a busy machine. */
const QUICK = 'every: "200ms", timeout: "5s"';

/** Secrets that lead to a service on the node itself; answers lines of holdfast.conf. */
function secrets(scene: Scene): string {
  const url = `http://127.0.0.1:${SINK_PORT}`;
  const slack = scene.folder(0).write("slack", `${url}/chat\n`, 0o600);
  const pager = scene.folder(0).write("pagerduty", `${url}/pager?routing_key=key\n`, 0o600);
  return `secret slack ${slack}\nsecret pagerduty ${pager}\n`;
}

interface Post {
  readonly path: string;
  readonly text: string;
}

/** What services on the first node are told. */
async function posts(scene: Scene): Promise<readonly Post[]> {
  const told: Post[] = [];
  const { node } = scene.member(0);
  const sink = await webhookSink(node, SINK_PORT, (body, path) =>
    told.push({ path, text: JSON.stringify(body) }),
  );
  scene.closing(() => sink.close());
  return told;
}

const untilTold = (told: readonly Post[], path: string, text: RegExp): Promise<unknown> =>
  eventually(`${path} is told ${text}`, LONG_MS, () =>
    assert.ok(
      told.some((post) => post.path.startsWith(path) && text.test(post.text)),
      JSON.stringify(told),
    ),
  );

describe("ready policies of the host", { skip, concurrency: 3, ...BOUND }, () => {
  after(async () => {
    await nothingLeft();
    noFolderLeft();
  });

  test("all: the command says what to grant, and then finds nothing; an agent runs them", () =>
    Scene.run([100], async (scene) => {
      const files = globSync(join(import.meta.dirname, "../../policies/*.ts"));
      const names = files
        .map((file) => basename(file, ".ts"))
        .filter((name) => !/test$/.test(name));
      assert.equal(names.length, 13);
      for (const name of names) scene.write(0, name, {});
      scene.folder(0).write("holdfast.conf", secrets(scene), 0o600);
      const lacking = await scene.holdfast(0, "policy", "grants");
      assert.equal(lacking.status, 1, lacking.output);
      assert.match(lacking.output, /nginx: 4 parts of what it asks for not granted/);
      assert.equal((await scene.holdfast(0, "policy", "grants", "--write")).status, 0);
      const check = await scene.holdfast(0, "policy", "check", "--strict");
      assert.equal(check.output, "13 policies: no errors, no warnings\n");
      assert.equal(check.status, 0);
      await scene.start(0);
      await eventually("all run", LONG_MS, async () => {
        const policies = (await scene.agent(0).status()).director?.policies ?? [];
        assert.deepEqual(
          policies.filter(({ state }) => state !== "running"),
          [],
        );
        assert.equal(policies.length, 13);
      });
    }));

  test("certificate-expiry: a certificate that ends is told by mail, once", () =>
    Scene.run([100], async (scene) => {
      const authority = createAuthority();
      scene.closing(() => authority.dispose());
      const show = (days: number): void => {
        const { key, cert } = authority.issue("DNS:www.example.org", days);
        scene.folder(0).write("tls/key.pem", key);
        scene.folder(0).write("tls/cert.pem", cert);
      };
      show(60);
      const pem = (name: string): string => scene.folder(0).join("tls", name);
      const server = nginx(
        scene,
        0,
        "nginx",
        `listen 443 ssl; ssl_certificate ${pem("cert.pem")}; ssl_certificate_key ${pem("key.pem")};`,
      );
      const mail: Mail[] = [];
      const sink = await smtpSink(scene.member(0).node, 25, (one) => mail.push(one));
      scene.closing(() => sink.close());
      await scene.install(0, {
        name: "certificate-expiry",
        changes: { '"1h"': '"200ms"' },
        settings: `smtp {\n  host 127.0.0.1\n  tls none\n  from lb@example.org\n}\ntls {\n  ca_file ${authority.caFile}\n}\n`,
      });
      await server.start();
      await scene.start(0);
      const agent = scene.agent(0);
      const check = "certificate-expiry/certificate";
      assert.match((await untilVerdict(agent, check, "up")).reason, /^(59|60) days left$/);

      const ending = await verdictAfter(agent, check, "down", () => {
        show(15);
        server.signal("SIGHUP");
      });
      assert.match(ending.reason, /^1[45] days left$/);
      await eventually("the mail", LONG_MS, () =>
        assert.match(mail[0]?.subject ?? "", /^www\.example\.org: 1[45] days left$/),
      );
      await verdictAfter(agent, check, "up", () => {
        show(90);
        server.signal("SIGHUP");
      });
      const over = await verdictAfter(agent, check, "down", () => {
        show(-1);
        server.signal("SIGHUP");
      });
      assert.match(over.reason, /expired/);
      assert.equal(mail.length, 1, "within a day it is told once");
    }));

  test("disk-and-load: a disk that fills up and a load above the limit cost 60 each", () =>
    Scene.run([150], async (scene) => {
      const disk = scene.folder(0).join("disk");
      mkdirSync(disk);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "holdfast", disk]);
      scene.closing(() => execFileSync("umount", ["-l", disk]));
      const changes = {
        '"/", "/var"': `"${disk}"`,
        'every: "5s"': QUICK,
        'every: "30s"': QUICK,
        "MOST_LOAD = 16": "MOST_LOAD = 100_000",
      };
      await scene.install(0, { name: "disk-and-load", changes });
      await scene.start(0);
      const agent = scene.agent(0);
      await untilState(agent, "active", LONG_MS, "VI_1");
      await untilPriority(agent, 150);
      const full = await verdictAfter(agent, "disk-and-load/disk", "down", () =>
        writeFileSync(join(disk, "big"), Buffer.alloc(1_020 * 1_024)),
      );
      assert.equal(full.reason, `100% ${disk}`);
      await untilPriority(agent, 90);
      // No machine that runs this has a load below zero.
      await verdictAfter(agent, "disk-and-load/load", "down", () =>
        scene.write(0, "disk-and-load", { ...changes, "MOST_LOAD = 16": "MOST_LOAD = -1" }),
      );
      await untilPriority(agent, 30);
      rmSync(join(disk, "big"));
      scene.write(0, "disk-and-load", changes);
      await untilPriority(agent, 150);
    }));

  test("gateway: who does not reach it gives way; when nobody does, the address is where it was", (t) =>
    Scene.run([150, 120], async (scene) => {
      const { lab } = scene.cluster;
      const uplink = lab.segment("uplink");
      const attach = (node: Parameters<typeof lab.attach>[0], host: number) =>
        lab.attach(node, uplink, { name: "eth1", addresses: [`198.51.100.${host}/24`] });
      const cable = attach(scene.member(0).node, 1);
      attach(scene.member(1).node, 2);
      const gateway = attach(lab.node("gateway"), 254);
      const changes = { "192.0.2.1": "198.51.100.254" };
      for (const at of [0, 1]) await scene.install(at, { name: "gateway", changes });
      await Promise.all([scene.start(0), scene.start(1)]);
      const [a, b] = [scene.agent(0), scene.agent(1)];
      const watch = await scene.cluster.watch(SERVICE);
      await watch.until([a.node], LONG_MS);
      for (const agent of [a, b]) await untilVerdict(agent, "gateway/reachable", "up");

      const lost = await verdictAfter(a, "gateway/reachable", "down", () =>
        cable.setForwarding(false),
      );
      await untilPriority(a, 90);
      await watch.until([b.node], LONG_MS);
      await verdictAfter(b, "gateway/reachable", "down", () => gateway.setUp(false));
      await watch.until([a.node], LONG_MS);
      cable.setForwarding(true);
      gateway.setUp(true);
      await Promise.all([untilPriority(a, 150), untilPriority(b, 120)]);
      await watch.until([a.node], LONG_MS);
      t.diagnostic(`unreachable: ${lost.ms} ms`);
    }));

  test("maintenance-file: hands the address over, and does not leave it without a node", (t) =>
    Scene.run([150, 120], async (scene) => {
      const file = scene.folder(0).join("maintenance");
      await scene.install(0, {
        name: "maintenance-file",
        changes: { "/run/holdfast/maintenance": file },
      });
      await Promise.all([scene.start(0), scene.agent(1).start()]);
      const [a, b] = [scene.agent(0), scene.agent(1)];
      const watch = await scene.cluster.watch(SERVICE);
      await watch.until([a.node], LONG_MS);
      const touched = await verdictAfter(a, "maintenance-file/inService", "down", () =>
        writeFileSync(file, ""),
      );
      assert.equal(touched.reason, `${file} is there`);
      await untilPriority(a, 1);
      await watch.until([b.node], LONG_MS);
      await b.stop();
      await watch.until([a.node], LONG_MS);
      rmSync(file);
      await untilPriority(a, 150);
      t.diagnostic(`touched: ${touched.ms} ms`);
    }));

  test("split-brain-alarm: a rival that does not hear us is an alarm, a failover is none", (t) =>
    Scene.run([150, 120], async (scene) => {
      const told = await posts(scene);
      // Advertisements come each 0.1 s here.
      const changes = { '"4s"': '"2s"' };
      await scene.install(0, { name: "split-brain-alarm", changes, settings: secrets(scene) });
      await Promise.all([scene.start(0), scene.agent(1).start()]);
      const [a, b] = [scene.agent(0), scene.agent(1)];
      await untilState(a, "active", LONG_MS, "VI_1");
      await untilVerdict(a, "split-brain-alarm/alone", "up");
      const rival = scene.member(1);
      rival.eth0.setDeaf(true);
      const check = "split-brain-alarm/alone";
      const found = await verdictAfter(a, check, "down", () =>
        untilState(b, "active", LONG_MS, "VI_1"),
      );
      assert.equal(found.reason, `VI_1 from ${rival.address}`);
      await untilTold(told, "/pager", /"trigger".*Two nodes are active/);
      assert.equal((await untilState(a, "active", LONG_MS, "VI_1")).priority.effective, 150);
      const over = await verdictAfter(a, check, "up", () => rival.eth0.setDeaf(false));
      await untilTold(told, "/pager", /"resolve"/);
      assert.equal(told.length, 2, JSON.stringify(told));
      t.diagnostic(`alarm: ${found.ms} ms; resolved: ${over.ms} ms`);
    }));

  test("notify-on-failover: the chat room hears who has the address, and why", () =>
    Scene.run([100], async (scene) => {
      const told = await posts(scene);
      await scene.install(0, { name: "notify-on-failover", settings: secrets(scene) });
      await scene.start(0);
      await untilTold(told, "/chat", /VI_1 is active on lab.*active-down-timer.*192\.0\.2\.100/);
      scene.member(0).eth0.setPlugged(false);
      await untilTold(told, "/chat", /VI_1 is fault on lab.*interface-down eth0/);
      assert.equal(told.length, 2, JSON.stringify(told));
    }));

  test("quiet-hours: by day a message for each change; by night a call for what lasts", () =>
    Scene.run([100], async (scene) => {
      const hour = new Date().getUTCHours();
      const hours = (from: number, to: number): string => `{ from: ${from % 24}, to: ${to % 24} }`;
      const changes = { 'every: "30s"': QUICK, "10 * 60_000": "2_000" };
      const quiet = "{ from: 21, to: 6 }";
      const told = await posts(scene);
      await scene.install(0, {
        name: "quiet-hours",
        changes: { ...changes, [quiet]: hours(hour + 3, hour + 5) },
        settings: secrets(scene),
      });
      await scene.start(0);
      const agent = scene.agent(0);
      await untilTold(told, "/chat", /VI_1: active/);
      await untilVerdict(agent, "quiet-hours/lasting", "up");

      const messages = (): number => told.filter(({ path }) => path === "/chat").length;
      const before = messages();
      scene.write(0, "quiet-hours", { ...changes, [quiet]: hours(hour, hour + 3) });
      await eventually("the night version", LONG_MS, async () =>
        assert.equal((await agent.status()).director?.policies[0]?.version, 2),
      );
      const { eth0 } = scene.member(0);
      const lasting = await verdictAfter(agent, "quiet-hours/lasting", "down", () =>
        eth0.setPlugged(false),
      );
      assert.ok(lasting.ms >= 1_900, `${lasting.ms} ms`);
      await untilTold(told, "/pager", /"trigger".*In fault for ten minutes: VI_1/);
      await verdictAfter(agent, "quiet-hours/lasting", "up", () => eth0.setPlugged(true));
      await untilTold(told, "/pager", /"resolve"/);
      assert.equal(messages(), before, "nothing is said by night");
    }));
});
