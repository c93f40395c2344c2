import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Mail } from "../interop/smtp-sink.ts";
import { smtpSink } from "../interop/smtp-sink.ts";
import { skip, untilState } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { nginx } from "./servers/nginx.ts";
import { noFolderLeft } from "./servers/run-folder.ts";
import { Scene, untilPriority, untilVerdict, verdictAfter } from "./servers/scene.ts";

/* The ready policies of services, as they stand, against those services. */

const LONG_MS = 15_000;
/** Of one test, servers' starts included. */
const BOUND = { timeout: 60_000 };
const MAIL = "smtp {\n  host 127.0.0.1\n  tls none\n  from lb@example.org\n}\n";

describe("ready policies of services", { skip, ...BOUND }, () => {
  after(async () => {
    await nothingLeft();
    noFolderLeft();
  });

  test("nginx: dies, hangs and errs; the address moves, and a mail tells who has it", (t) =>
    Scene.run([150, 120], async (scene) => {
      const mail: Mail[] = [];
      const servers = [0, 1].map((at) => nginx(scene, at, `nginx-${process.pid % 100_000}-${at}`));
      const [first, second] = servers;
      assert.ok(first && second);
      for (const [at] of servers.entries()) {
        // All nodes of a lab see each other's processes, so that each has a name of its own.
        const changes = { '"nginx"': `"nginx-${process.pid % 100_000}-${at}"` };
        scene.install(at, { name: "nginx", changes, settings: MAIL });
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
      const killedAt = performance.now();
      const died = await verdictAfter(a, "nginx/running", "down", () => first.kill());
      const moved = (await watch.until([b.node], LONG_MS)) - killedAt;
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
});
