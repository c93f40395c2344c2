import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelError } from "../../../agent/ports/error.ts";
import { SyncFollower } from "../../../agent/runtime/balancing/sync-follower.ts";
import { FakeIpvs } from "../../ipvs/fake-ipvs.ts";

const CONFIG = {
  position: { file: "/x.conf", line: 1, column: 1 },
  interface: "v0",
  instance: "V",
  syncId: 7,
  maxLength: undefined,
  port: undefined,
  ttl: undefined,
  group: undefined,
};

/** ip_vs that tells every change of its sync daemons. */
class Kernel extends FakeIpvs {
  readonly changes: string[] = [];

  override startSync(...[daemon]: Parameters<FakeIpvs["startSync"]>) {
    this.changes.push(`+${daemon.role}`);
    return super.startSync(daemon);
  }

  override stopSync(...[role]: Parameters<FakeIpvs["stopSync"]>) {
    this.changes.push(`-${role}`);
    return super.stopSync(role);
  }
}

const follow = (kernel: Kernel): SyncFollower =>
  new SyncFollower(
    () => kernel,
    (error) => assert.equal(error, undefined),
  );

/** What it did to the daemons of this kernel since it was asked last. */
async function changes(follower: SyncFollower, kernel: Kernel): Promise<string> {
  await follower.settled();
  return kernel.changes.splice(0).join(" ");
}

test("sends while its instance is active, listens while it is not, and ends with a stop", async () => {
  const kernel = new Kernel();
  const follower = follow(kernel);
  follower.configure(CONFIG);
  assert.equal(await changes(follower, kernel), "");
  follower.router("V", false);
  assert.equal(await changes(follower, kernel), "+backup");
  follower.router("W", true);
  assert.equal(await changes(follower, kernel), "");
  follower.router("V", true);
  assert.equal(await changes(follower, kernel), "-backup +active");
  follower.check();
  assert.equal(await changes(follower, kernel), "");
  await follower.stop();
  assert.deepEqual(await kernel.syncDaemons(), []);
});

test("one that comes later leaves running what is right", async () => {
  const kernel = new Kernel();
  const { syncId, maxLength, port, ttl, group } = CONFIG;
  const running = { interface: "v0", syncId, maxLength, port, ttl, group };
  assert.equal(await kernel.startSync({ ...running, role: "active" }), undefined);
  kernel.changes.length = 0;
  const follower = follow(kernel);
  follower.configure(CONFIG);
  follower.check();
  assert.equal(await changes(follower, kernel), "");
  follower.router("V", true);
  assert.equal(await changes(follower, kernel), "");
});

test("a reload keeps what it need not change, and forgets what another instance was", async () => {
  const kernel = new Kernel();
  const follower = follow(kernel);
  follower.configure(CONFIG);
  follower.router("V", true);
  assert.equal(await changes(follower, kernel), "+active");
  follower.configure({ ...CONFIG });
  assert.equal(await changes(follower, kernel), "");
  follower.configure({ ...CONFIG, syncId: 8 });
  assert.equal(await changes(follower, kernel), "-active +active");
  follower.configure({ ...CONFIG, syncId: 8, instance: "W" });
  assert.equal(await changes(follower, kernel), "");
  follower.router("W", false);
  assert.equal(await changes(follower, kernel), "-active +backup");
  follower.configure({ ...CONFIG, syncId: 8, instance: undefined });
  assert.equal(await changes(follower, kernel), "+active");
  follower.configure(undefined);
  assert.match(await changes(follower, kernel), /^-(active|backup) -(active|backup)$/);
});

test("what was refused is told, and asked again at the next look", async () => {
  const kernel = new Kernel({ interfaces: ["lo"] });
  const told: (KernelError | undefined)[] = [];
  const follower = new SyncFollower(
    () => kernel,
    (error) => told.push(error),
  );
  follower.configure(CONFIG);
  await follower.settled();
  follower.router("V", false);
  assert.equal(await changes(follower, kernel), "+backup");
  follower.check();
  assert.equal(await changes(follower, kernel), "+backup");
  assert.deepEqual(
    told.map((error) => error?.code),
    ["interface-missing", "interface-missing"],
  );
});
