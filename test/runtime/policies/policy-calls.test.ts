import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../../../sdk/index.ts";
import { settle } from "../virtual-time.ts";
import type { FakeProgram } from "./fake-sandbox.ts";
import { PolicyBench } from "./policy-bench.ts";

describe("calls", () => {
  const permissions = { process: ["nginx"] };
  const calling = (run: (call: (operation: string, ...args: Json[]) => Promise<Json>) => unknown) =>
    ({
      checks: { alive: { every: "10s", timeout: "8s", run: (ctx) => run(ctx.call) } },
    }) as FakeProgram;

  async function answersOf(operation: string, ...args: Json[]): Promise<[PolicyBench, unknown]> {
    const bench = new PolicyBench();
    let answer: unknown;
    const run = async (call: (operation: string, ...args: Json[]) => Promise<Json>) => {
      answer = await call(operation, ...args).catch((error: Error & { code: string }) => error);
      return true;
    };
    bench.put("nginx", calling(run), permissions);
    await bench.start();
    await bench.time.advance(9_000);
    return [bench, answer];
  }

  test("reach the plugin with what is left of the time", async () => {
    const [bench, answer] = await answersOf("process.say", { a: 1 });
    assert.deepEqual(answer, { a: 1 });
    assert.deepEqual(bench.echo.timeouts, [5_000]);
    const [short] = await answersOf("process.say", { timeout: "300ms" });
    assert.deepEqual(short.echo.timeouts, [300]);
    const [long] = await answersOf("process.say", { timeout: "1h" });
    assert.deepEqual(long.echo.timeouts, [8_000]);
  });

  for (const [operation, code, message] of [
    ["process.hang", "timeout", /not done in 5000 ms/],
    ["process.fail", "ECONNREFUSED", /connection refused/],
    ["process.foreign", "no-battery", /^no battery$/],
    ["process.broken", "internal", /^an error in the plugin$/],
    ["process.large", "too-large", /512 KiB/],
    ["process.other", "unknown", /there is no process\.other/],
    ["odd", "unknown", /there is no odd/],
    ["http.get", "unknown", /there is no http\.get/],
    ["plugin.mine.say", "unknown", /there is no plugin/],
    [
      "process.forbidden",
      "permission",
      /not yours; .*grant it in \/etc\/holdfast\/holdfast\.conf: policy nginx \{ grant \{ process/,
    ],
  ] as const) {
    test(`${operation} fails with ${code}`, async () => {
      const [, answer] = await answersOf(operation);
      assert.ok(answer instanceof Error && "code" in answer);
      assert.equal(answer.code, code);
      assert.match(answer.message, message);
    });
  }

  test("without the permission are refused with the line to add", async () => {
    const bench = new PolicyBench();
    const run = (call: (operation: string) => Promise<Json>) => call("process.say");
    bench.put("nginx", calling(run), {});
    await bench.start();
    await bench.time.advance(50);
    const reason = bench.host.status().checks?.[0]?.reason ?? "";
    assert.match(reason, /process is not permitted; ask for it in permissions\.process/);
    assert.equal(bench.echo.opened, 0);
  });

  test("are given up with their run, and with their version", async () => {
    const bench = new PolicyBench();
    bench.put(
      "nginx",
      { checks: { alive: { every: "1s", run: (ctx) => ctx.call("process.hang") } } },
      permissions,
    );
    await bench.start();
    await bench.time.advance(1_100);
    assert.deepEqual(bench.echo.aborted, ["hang"]);
    await bench.time.advance(500);
    bench.files.delete("nginx");
    await bench.notice();
    assert.deepEqual(bench.echo.aborted, ["hang", "hang"]);
  });

  test("sleep lasts its time", async () => {
    const bench = new PolicyBench();
    const woke: number[] = [];
    bench.put(
      "nginx",
      calling(async (call) => {
        const from = bench.time.nowMs;
        await call("clock.sleep", "250ms");
        woke.push(bench.time.nowMs - from);
        return true;
      }),
    );
    await bench.start();
    await bench.time.advance(1_000);
    assert.equal(woke.length, 1);
    assert.ok(Math.abs((woke[0] ?? 0) - 250) < 2, `woke at ${woke[0]}`);
  });

  test("watched values are in the view, and hasten the checks, once in 10 ms", async () => {
    const bench = new PolicyBench();
    const seen: unknown[] = [];
    const run: FakeProgram["checks"] = {
      alive: {
        every: "10s",
        run: (ctx) => {
          seen.push(ctx.view["processes"]);
          return true;
        },
      },
    };
    bench.put("nginx", { checks: run }, permissions);
    await bench.start();
    await bench.time.advance(100);
    bench.echo.push({ nginx: 2 });
    bench.echo.push({ nginx: 1 });
    bench.echo.push({ nginx: 0 });
    await settle();
    assert.deepEqual(seen, [{}, { nginx: 2 }]);
    await bench.time.advance(9);
    assert.equal(seen.length, 2);
    await bench.time.advance(2);
    assert.deepEqual(seen.at(-1), { nginx: 0 });
    assert.equal(seen.length, 3);
    await bench.host.stop();
    assert.equal(bench.echo.watchers.size, 0);
    assert.equal(bench.echo.closed, 1);
  });
});
