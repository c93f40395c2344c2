import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ProgramOutcome, ProgramRequest } from "../../agent/ports/programs.ts";
import { execPlugin } from "../../plugins/exec/exec-plugin.ts";
import type { Json } from "../../sdk/index.ts";
import { callOn, failureOf, hostFor } from "./compliance.ts";

const USERS: Readonly<Record<string, NonNullable<ProgramRequest["runAs"]>>> = {
  root: { uid: 0, gid: 0, groups: [0] },
  nobody: { uid: 65534, gid: 65534, groups: [65534] },
  keepalived_script: { uid: 999, gid: 998, groups: [998] },
};

type Words = Pick<ProgramOutcome, "kind"> & Readonly<Record<string, unknown>>;

/** An exec plugin whose programs answer `outcome`, and what was asked of them. */
async function executing({
  outcome = { kind: "exited", status: 0 },
  users = Object.keys(USERS),
  privileged = true,
  options = null,
}: {
  outcome?: Words;
  users?: readonly string[];
  privileged?: boolean;
  options?: Json;
} = {}) {
  const requests: ProgramRequest[] = [];
  const host = hostFor(options);
  const plugin = await execPlugin({
    privileged,
    user: (name) => (users.includes(name) ? USERS[name] : undefined),
    runProgram: (request) => {
      requests.push(request);
      return Promise.resolve({
        ms: 1.23456,
        stdout: "out",
        stderr: "",
        ...outcome,
      } as ProgramOutcome);
    },
  }).open(host);
  const run = (name = "reload", more: readonly Json[] = []) =>
    callOn(plugin, {
      method: "run",
      args: [name, ...more],
      permission: { reload: ["/usr/sbin/nginx", "-s", "reload"], other: ["/bin/true"] },
    });
  return { run, requests, host };
}

describe("exec.run", () => {
  test("answers code, output and time", async () => {
    const { run, requests } = await executing({ outcome: { kind: "exited", status: 3 } });
    assert.deepEqual(await run(), { code: 3, stdout: "out", ms: 1.235 });
    assert.deepEqual(requests[0]?.argv, ["/usr/sbin/nginx", "-s", "reload"]);
  });

  test("answers 128 and more after a signal", async () => {
    const { run } = await executing({ outcome: { kind: "signalled", signal: "SIGKILL" } });
    assert.deepEqual(await run(), { code: 137, stdout: "out", ms: 1.235 });
  });

  test("rejects for what could not be started", async () => {
    const { run } = await executing({ outcome: { kind: "not-started", errno: "ENOENT" } });
    const error = await failureOf(run());
    assert.equal(error.code, "ENOENT");
    assert.match(error.message, /reload could not be started/);
  });

  test("gives no more time than the call has", async () => {
    const { run, requests } = await executing();
    await run("reload", [{ timeout: "2s" }]);
    await run("reload", [{ timeout: "1h" }]);
    assert.deepEqual(
      requests.map(({ timeoutMs }) => timeoutMs),
      [2_000, 5_000],
    );
  });

  test("runs as keepalived_script, nobody, or whom the operator names", async () => {
    const uidOf = async (given: Parameters<typeof executing>[0], name?: string) => {
      const { run, requests } = await executing(given);
      await run(name);
      return requests[0]?.runAs?.uid;
    };
    assert.equal(await uidOf({}), 999);
    assert.equal(await uidOf({ users: ["nobody", "root"] }), 65534);
    assert.equal(await uidOf({ privileged: false }), undefined);
    const options = { user: "nobody", "sample/reload": "root" };
    assert.equal(await uidOf({ options }), 0);
    assert.equal(await uidOf({ options }, "other"), 65534);
  });

  test("runs as nobody else where the user is missing", async () => {
    for (const given of [{ options: { user: "ghost" } }, { options: { user: 7 } }, { users: [] }]) {
      const { run, requests } = await executing(given);
      assert.equal((await failureOf(run())).code, "user");
      assert.deepEqual(requests, []);
    }
  });

  test("says which option it does not know", async () => {
    const { host } = await executing({ options: { uesr: "nobody", "a/b": ["x", "y"] } });
    assert.equal(host.lines.length, 2);
    assert.match(host.lines[0] ?? "", /no option "uesr"/);
  });
});
