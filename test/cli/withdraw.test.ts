import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { runCli } from "../../agent/cli/cli.ts";
import { KernelError } from "../../agent/ports/error.ts";
import type { WithdrawOutcome } from "../../agent/ports/last-will.ts";
import { Recorder, RecordingHost } from "./recorder.ts";

const NOTHING = { addresses: 0, routes: 0, rules: 0, links: 0, filter: false };
const SOME = { addresses: 2, routes: 1, rules: 0, links: 1, filter: true };

function run(t: TestContext, outcome: WithdrawOutcome, ...words: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-withdraw-`));
  t.after(() => rmSync(folder, { recursive: true }));
  const socket = join(folder, "control.sock");
  const host = new RecordingHost();
  const namespaces: (string | undefined)[] = [];
  host.withdraw = (namespace) => {
    namespaces.push(namespace);
    return Promise.resolve(outcome);
  };
  const terminal = new Recorder();
  const command = async () => {
    const status = await runCli(
      "holdfast",
      ["withdraw", "--control", socket, ...words],
      host,
      terminal,
    );
    return { status, namespaces, out: terminal.written, err: terminal.complained };
  };
  return { socket, host, command };
}

test("withdraw says what it removed, and that nothing was there", async (t) => {
  const some = run(t, { withdrawn: SOME, problems: [] });
  assert.deepEqual(await some.command(), {
    status: 0,
    namespaces: [undefined],
    out: "removed 2 addresses, 1 route, 1 virtual link, the packet filter's tables\n",
    err: "",
  });
  const none = run(t, { withdrawn: NOTHING, problems: [] }, "--net-namespace", "blue");
  const { status, out, namespaces } = await none.command();
  assert.deepEqual([status, namespaces], [0, ["blue"]]);
  assert.equal(out, "removed nothing: nothing of ours was there\n");
});

test("withdraw looks where the agent that died was, unless it is told where", async (t) => {
  const asked: string[] = [];
  for (const [words, expected] of [
    [["--state", "/s"], "green"],
    [["--net-namespace", "blue"], "blue"],
  ] as const) {
    const { host, command } = run(t, { withdrawn: NOTHING, problems: [] }, ...words);
    host.namespaceLeftBy = (directory) => {
      asked.push(directory);
      return Promise.resolve("green");
    };
    assert.deepEqual((await command()).namespaces, [expected]);
  }
  assert.deepEqual(asked, ["/s"]);
});

test("what is left is said, with status 1", async (t) => {
  const problem = new KernelError("EPERM", "cannot remove addresses of ours: EPERM", "be root");
  const { command } = run(t, { withdrawn: NOTHING, problems: [problem] });
  const { status, err } = await command();
  assert.equal(status, 1);
  assert.equal(err, "holdfast: cannot remove addresses of ours: EPERM\n          be root\n");
});

test("while an agent answers, or may run, nothing is touched", async (t) => {
  for (const answer of ['{"id":1,"ok":true,"result":{}}\n', undefined]) {
    const { socket, command } = run(t, { withdrawn: SOME, problems: [] });
    const server = createServer((client) => {
      client.on("error", () => undefined);
      if (answer === undefined) client.destroy();
      else client.end(answer);
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const { status, out, err, namespaces } = await command();
    server.close();
    assert.deepEqual([status, out, namespaces], [1, "", []]);
    assert.match(
      err,
      answer === undefined ? /closed the connection/ : /an agent runs here .*\n +stop it/,
    );
  }
});

test("an agent that has another control socket keeps what it has, and is named", async (t) => {
  for (const [controlSocket, named] of [
    ["/run/b.sock", /\(process 7, control socket \/run\/b\.sock; its process 8 holds addresses/],
    [
      undefined,
      /an agent runs here \(process 7; its process 8 holds .*\n +stop it .* kill -9 7 8 /,
    ],
  ] as const) {
    const { host, command } = run(t, { withdrawn: SOME, problems: [] }, "--net-namespace", "blue");
    const asked: (string | undefined)[] = [];
    host.namespaceHolder = (namespace) => {
      asked.push(namespace);
      return Promise.resolve({ kind: "agent", pid: 8, supervisor: 7, controlSocket });
    };
    const { status, out, err, namespaces } = await command();
    assert.deepEqual([status, out, namespaces, asked], [1, "", [], ["blue"]]);
    assert.match(err, named);
  }
  const { host, command } = run(t, { withdrawn: SOME, problems: [] });
  host.namespaceHolder = () => Promise.resolve({ kind: "unseen" });
  const { status, err, namespaces } = await command();
  assert.deepEqual([status, namespaces], [1, []]);
  assert.match(err, /in another namespace of processes .*\n +stop it there/);
});

test("a process whose agent is gone keeps nobody; what it may have put back goes when it has ended", async (t) => {
  for (const gone of [true, false]) {
    const { host, command } = run(t, { withdrawn: SOME, problems: [] });
    const order: string[] = [];
    const take = host.withdraw;
    host.withdraw = (namespace) => {
      order.push("withdraw");
      return take(namespace);
    };
    host.namespaceHolder = () => Promise.resolve({ kind: "orphan", pid: 8 });
    host.ended = (pid) => {
      order.push(`wait for ${pid}`);
      return Promise.resolve(gone);
    };
    const { status, out, err } = await command();
    assert.deepEqual(order, ["withdraw", "wait for 8", "withdraw"]);
    assert.equal(status, gone ? 0 : 1);
    assert.match(out, /^removed 4 addresses, 2 routes, 2 virtual links, the packet filter/);
    assert.match(err, gone ? /^$/ : /process 8, whose agent is gone, does not end.*\n +kill -9 8/);
  }
});
