import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { requestMetrics } from "../../agent/control/client.ts";
import type { Mail } from "../interop/smtp-sink.ts";
import { smtpSink } from "../interop/smtp-sink.ts";
import { skip, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { Metronome } from "./metronome.ts";
import { haproxy, website } from "./servers/haproxy.ts";
import { mariadb } from "./servers/mariadb.ts";
import { nginx } from "./servers/nginx.ts";
import { postgresql } from "./servers/postgresql.ts";
import { redis, redisCli } from "./servers/redis.ts";
import { noFolderLeft } from "./servers/run-folder.ts";
import { Scene, untilPriority, untilVerdict, verdictAfter } from "./servers/scene.ts";

/* The ready policies of services, as they stand, against those services. */

const LONG_MS = 30_000;
/** Of all of it, on a busy machine. */
const BOUND = { timeout: 180_000 };
/** Beyond what the machine does to everybody. Scripts that look once a second need longer to see it. */
const MOVED_MS = 1_000;
const MAIL = "smtp {\n  host 127.0.0.1\n  tls none\n  from lb@example.org\n}\n";

/** All nodes of a lab, and the machine itself, see each other's processes: a name of this test's own. */
const ownName = (name: string, at = 0): string => `${name}${process.pid % 10_000}${at}`;

after(async () => {
  await nothingLeft();
  noFolderLeft();
});

describe("ready policies of services", { skip, concurrency: 3, ...BOUND }, () => {
  test("nginx: dies, hangs and errs; the address moves, and a mail tells who has it", (t) =>
    Scene.run([150, 120], async (scene) => {
      const mail: Mail[] = [];
      const servers = [0, 1].map((at) => nginx(scene, at, ownName("nginx", at)));
      const [first, second] = servers;
      assert.ok(first && second);
      for (const [at] of servers.entries()) {
        const changes = { '"nginx"': `"${ownName("nginx", at)}"` };
        await scene.install(at, { name: "nginx", changes, settings: MAIL });
        const sink = await smtpSink(scene.member(at).node, 25, (one) => mail.push(one));
        scene.closing(() => sink.close());
      }
      await Promise.all(servers.map((server) => server.start()));
      await Promise.all([scene.start(0), scene.start(1)]);
      const [a, b] = [scene.agent(0), scene.agent(1)];
      await untilState(a, "active", LONG_MS, "VI_1");
      await untilVerdict(a, "nginx/alive", "up");
      await untilVerdict(b, "nginx/alive", "up");
      await eventually("the mail", LONG_MS, () =>
        assert.match(mail.map(({ subject }) => subject).join("\n"), /VI_1 is active/),
      );

      const watch = await scene.cluster.watch(SERVICE);
      const metronome = await Metronome.start();
      t.after(() => metronome.close());
      await metronome.noise();
      const killedAt = performance.now();
      const moving = watch.until([b.node], LONG_MS);
      const died = await verdictAfter(a, "nginx/running", "down", () => first.kill());
      const moved = (await moving) - killedAt;
      const noise = await metronome.noise();
      assert.ok(moved < MOVED_MS + noise, `${moved} ms, noise ${noise} ms`);
      t.diagnostic(
        `killed: verdict after ${died.ms} ms, address moved after ${moved.toFixed(0)} ms`,
      );
      assert.equal(
        (await untilState(a, "fault", LONG_MS, "VI_1")).faults[0]?.subject,
        "policy nginx/running",
      );
      await untilVerdict(a, "nginx/alive", "down");
      await first.start();
      await watch.until([a.node], LONG_MS);
      await untilPriority(a, 150);

      const hung = await verdictAfter(a, "nginx/alive", "down", () => first.signal("SIGSTOP"));
      assert.match(hung.reason, /timeout|too long/);
      await untilPriority(a, 100);
      await watch.until([b.node], LONG_MS);
      await verdictAfter(a, "nginx/alive", "up", () => first.signal("SIGCONT"));
      await watch.until([a.node], LONG_MS);

      const wrong = await verdictAfter(a, "nginx/alive", "down", () => first.answer(503));
      assert.equal(wrong.reason, "HTTP 503");
      await watch.until([b.node], LONG_MS);
      t.diagnostic(`hung: verdict after ${hung.ms} ms; wrong: ${wrong.ms} ms`);
    }));

  test("MariaDB: a server that takes no writes is a fault, and so is one that is dead", (t) =>
    Scene.run([100], async (scene) => {
      const server = await mariadb(scene, 0);
      await scene.install(0, {
        name: "mysql",
        changes: { "/etc/holdfast/mysql.cnf": server.clientFile },
        settings: "exec {\n  mysql/read-only mysql\n}\n",
      });
      await server.start();
      await scene.start(0);
      const agent = scene.agent(0);
      await untilState(agent, "active", LONG_MS, "VI_1");
      const check = "mysql/writable";
      const replica = await verdictAfter(agent, check, "down", () =>
        server.query("set global read_only = 1"),
      );
      assert.equal(replica.reason, "read-only");
      await untilState(agent, "fault", LONG_MS, "VI_1");
      await verdictAfter(agent, check, "up", () => server.query("set global read_only = 0"));
      await untilState(agent, "active", LONG_MS, "VI_1");

      const killed = await verdictAfter(agent, check, "down", () => server.kill());
      assert.equal(killed.reason, "mysql ended with status 1");
      await untilState(agent, "fault", LONG_MS, "VI_1");
      await server.start();
      await untilState(agent, "active", LONG_MS, "VI_1");
      t.diagnostic(`read-only: ${replica.ms} ms; killed: ${killed.ms} ms`);
    }));

  test("haproxy: a backend that fails costs nothing, the last one the address, its death a fault", (t) =>
    Scene.run([150, 120], async (scene) => {
      const name = ownName("haproxy");
      const { node } = scene.member(0);
      const server = haproxy(scene, 0, name, [8081, 8082]);
      await scene.install(0, { name: "haproxy", changes: { '"haproxy"': `"${name}"` } });
      const close = [await website(node, 8081), await website(node, 8082)];
      for (const one of close) scene.closing(one);
      await server.start();
      await Promise.all([scene.start(0), scene.start(1)]);
      const [a, b] = [scene.agent(0), scene.agent(1)];
      await untilState(a, "active", LONG_MS, "VI_1");
      await untilVerdict(a, "haproxy/backends", "up");

      const watch = await scene.cluster.watch(SERVICE);
      close[1]?.();
      await eventually("it is counted", LONG_MS, async () =>
        assert.match(await requestMetrics(a.control), /backends_down\{[^}]*\} 1\n/),
      );
      assert.deepEqual(watch.holders, [a.node.name]);
      const last = await verdictAfter(a, "haproxy/backends", "down", () => close[0]?.());
      assert.equal(last.reason, "down: port8081, port8082");
      await untilPriority(a, 90);
      await watch.until([b.node], LONG_MS);
      scene.closing(await website(node, 8081));
      await watch.until([a.node], LONG_MS);

      const killed = await verdictAfter(a, "haproxy/running", "down", () => server.kill());
      await untilState(a, "fault", LONG_MS, "VI_1");
      await watch.until([b.node], LONG_MS);
      await server.start();
      await watch.until([a.node], LONG_MS);
      t.diagnostic(`last backend: ${last.ms} ms; killed: ${killed.ms} ms`);
    }));

  test("Redis: the address goes to the master, and with the role that a replica is given", (t) =>
    Scene.run([100, 100], async (scene) => {
      const servers = [redis(scene, 0), redis(scene, 1, scene.member(0).address)];
      for (const at of servers.keys()) await scene.install(at, { name: "redis" });
      await Promise.all(servers.map((server) => server.start()));
      await Promise.all([scene.start(0), scene.start(1)]);
      const [a, b] = [scene.agent(0), scene.agent(1)];
      const watch = await scene.cluster.watch(SERVICE);
      await watch.until([a.node], LONG_MS);
      await untilPriority(a, 150);
      await untilPriority(b, 100);
      await untilVerdict(b, "redis/master", "down");

      const killed = await verdictAfter(a, "redis/alive", "down", () => servers[0]?.kill());
      assert.match(killed.reason, /connection refused/);
      await untilState(a, "fault", LONG_MS, "VI_1");
      await watch.until([b.node], LONG_MS);
      const promoted = await verdictAfter(b, "redis/master", "up", () =>
        redisCli(scene, 1, "replicaof", "no", "one"),
      );
      await untilPriority(b, 150);
      const { node, address } = scene.member(1);
      const again = redis(scene, 0, address);
      await again.start();
      await untilState(a, "backup", LONG_MS, "VI_1");
      await untilPriority(a, 100);
      assert.deepEqual(watch.holders, [node.name]);

      redisCli(scene, 1, "acl", "setuser", "watch", "on", "nopass", "+role");
      const locked = await verdictAfter(b, "redis/master", "down", () =>
        redisCli(scene, 1, "config", "set", "requirepass", "secret"),
      );
      assert.match(locked.reason, /timeout|too long/);
      await untilVerdict(b, "redis/alive", "up");
      await verdictAfter(b, "redis/master", "up", () =>
        scene.write(1, "redis", { '"ROLE': '"AUTH watch -\\r\\nROLE' }),
      );

      const hung = await verdictAfter(b, "redis/alive", "down", () =>
        servers[1]?.signal("SIGSTOP"),
      );
      await watch.until([a.node], LONG_MS);
      t.diagnostic(`killed: ${killed.ms} ms; promoted: ${promoted.ms} ms; hung: ${hung.ms} ms`);
    }));

  test("PostgreSQL: a standby never has the address; promoted, it takes it", (t) =>
    Scene.run([150, 100], async (scene) => {
      const primary = await postgresql(scene, 0);
      await primary.start();
      const standby = await postgresql(scene, 1, scene.member(0).address);
      await standby.start();
      for (const [at, { socketFolder }] of [primary, standby].entries()) {
        await scene.install(at, {
          name: "postgresql-primary",
          changes: { '"-XAtqc"': `"-h", "${socketFolder}", "-XAtqc"` },
          settings: "exec {\n  postgresql-primary/in-recovery postgres\n}\n",
        });
      }
      await Promise.all([scene.start(0), scene.start(1)]);
      const [a, b] = [scene.agent(0), scene.agent(1)];
      const watch = await scene.cluster.watch(SERVICE);
      await watch.until([a.node], LONG_MS);
      const { reason } = await untilVerdict(b, "postgresql-primary/primary", "down");
      assert.match(reason, /standby|timeout/);
      await untilState(b, "fault", LONG_MS, "VI_1");

      const check = "postgresql-primary/primary";
      const killed = await verdictAfter(a, check, "down", () => primary.kill());
      assert.equal(killed.reason, "psql ended with status 2");
      await watch.until([], LONG_MS);
      const promoted = await verdictAfter(b, check, "up", () =>
        standby.query("select pg_promote()"),
      );
      await watch.until([b.node], LONG_MS);
      t.diagnostic(`killed: ${killed.ms} ms; promoted: ${promoted.ms} ms`);
    }));
});
