import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { requestNotifications } from "../../agent/control/client.ts";
import { eventSchema, notificationsSchema, statusSchema } from "../schema/schemas.ts";
import { Cluster, skip } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { noFolderLeft, RunFolder } from "./servers/run-folder.ts";

const PATIENCE_MS = 20_000;

const CONFIG = `
vrrp_script chk {
    script "policy:watch/port"
}
track_file level {
    file /run/hf-none-${process.pid}
}
vrrp_script status {
    script /bin/false
    interval 1
    weight -5
}
vrrp_instance V {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        192.0.2.100/24
    }
    track_script {
        chk
        status
    }
    track_file {
        level weight 1
    }
}
`;

/** Nobody listens there, and nothing says where mail goes. */
const POLICY = `import { definePolicy } from "holdfast/sdk";
export default definePolicy({
  permissions: {
    tcp: ["127.0.0.1:9"],
    mail: { to: ["ops@example.org"] },
    control: { routers: ["V"] },
  },
  checks: {
    port: {
      every: "200ms",
      track: { routers: { V: -30 } },
      run: async (ctx) => (await ctx.tcp.connect("127.0.0.1:9")).ms >= 0,
    },
  },
  on: {
    checkChange: (ctx, { check, up }) => ctx.mail.send({ subject: check, text: String(up) }),
  },
});
`;

const SETTINGS = `policy watch {
    grant {
        tcp 127.0.0.1:9
        mail ops@example.org
        control V
    }
}
`;

describe("what a real agent answers with checks, policies and notices", { skip }, () => {
  test("fits the published schemas", { timeout: 60_000 }, () =>
    Cluster.run([CONFIG], async (cluster) => {
      const folder = new RunFolder();
      try {
        folder.write("policies/watch.ts", POLICY);
        folder.write("policies/wrong.ts", "export default 1;\n");
        const settings = folder.write("holdfast.conf", SETTINGS, 0o600);
        const { agent } = cluster.member(0);
        await agent.start("--policies", folder.join("policies"), "--settings", settings);
        // Of several processes, each of which comes to it in its own time.
        await eventually("all of it is there", PATIENCE_MS, async () => {
          const found = statusSchema.parse(JSON.parse(JSON.stringify(await agent.status())));
          const { checks = [], policies = [], notifications } = found.director ?? {};
          assert.deepEqual(checks.map(({ name, verdict }) => `${name} ${verdict}`).sort(), [
            "file level up",
            "policy watch/port down",
            "script chk down",
            "script status down",
          ]);
          assert.deepEqual(policies.map(({ name, state }) => `${name} ${state}`).sort(), [
            "watch running",
            "wrong refused",
          ]);
          assert.equal(notifications?.queued, 1);
          const [router] = found.routers;
          assert.deepEqual(router?.faults, [{ cause: "tracker", subject: "script chk" }]);
          const sources = router?.priority.contributions.map(({ source }) => source) ?? [];
          assert.ok(sources.includes("policy watch/port"), sources.join());

          const report = notificationsSchema.parse(await requestNotifications(agent.control));
          assert.match(report.targets[0]?.lastError?.reason ?? "", /add an smtp block/);
          await agent.heard();
          const kinds = new Set(agent.events.map((event) => eventSchema.parse(event).kind));
          for (const kind of ["check", "policy", "priority"] as const)
            assert.ok(kinds.has(kind), kind);
        });
      } finally {
        folder.dispose();
      }
      noFolderLeft();
    }),
  );
});
