import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { kvPlugin } from "../../plugins/kv/kv-plugin.ts";
import type { Json } from "../../sdk/index.ts";
import { failureOf, hostFor } from "./compliance.ts";

const root = fs.mkdtempSync(join(tmpdir(), "holdfast-kv-"));
after(() => fs.rmSync(root, { recursive: true }));

/** A plugin over a folder, as one run of the agent has it. */
async function opened(directory: string) {
  const host = hostFor();
  const plugin = await kvPlugin(directory).open(host);
  const call = (method: string, args: readonly Json[], policy = "sample") =>
    plugin.call(method, args, {
      policy,
      permission: null,
      signal: new AbortController().signal,
      timeoutMs: 5_000,
    });
  return { call, close: () => plugin.close(), lines: host.lines };
}

describe("kv", () => {
  test("keeps values over runs, for each policy its own, unseen by others", async () => {
    const directory = join(root, "runs/kv");
    const first = await opened(directory);
    await first.call("set", ["a", { deep: [1, "x", null] }]);
    await first.call("set", ["b", 0]);
    await first.call("set", ["a", true], "other");
    await first.call("delete", ["b"]);
    assert.equal(await first.call("get", ["none"]), null);
    await first.close();
    const second = await opened(directory);
    assert.deepEqual(await second.call("get", ["a"]), { deep: [1, "x", null] });
    assert.equal(await second.call("get", ["b"]), null);
    assert.equal(await second.call("get", ["a"], "other"), true);
    assert.equal(fs.statSync(join(directory, "sample.json")).mode & 0o777, 0o600);
    assert.deepEqual(fs.readdirSync(directory).sort(), ["other.json", "sample.json"]);
    await second.close();
  });

  test("what is resolved is on disk, and many changes at once are few writes", async () => {
    const directory = join(root, "many");
    const { call, close } = await opened(directory);
    const stored = () =>
      new Map(JSON.parse(fs.readFileSync(join(directory, "sample.json"), "utf8")));
    await call("set", ["k", 1]);
    assert.equal(stored().get("k"), 1);
    let writes = 0;
    const before = fs.statSync(join(directory, "sample.json")).ino;
    const watcher = fs.watch(directory, (kind, name) => {
      if (kind === "rename" && name === "sample.json") writes += 1;
    });
    await Promise.all(Array.from({ length: 200 }, (_, n) => call("set", [`k${n}`, n])));
    watcher.close();
    assert.equal(stored().size, 201);
    assert.ok(writes <= 4, `${writes} writes`);
    assert.notEqual(fs.statSync(join(directory, "sample.json")).ino, before);
    await close();
  });

  test("holds no more than 64 KiB, and refuses what would be more", async () => {
    const { call, close } = await opened(join(root, "large"));
    await call("set", ["a", "x".repeat(60_000)]);
    assert.equal((await failureOf(call("set", ["b", "x".repeat(6_000)]))).code, "EFBIG");
    assert.equal((await failureOf(call("set", ["a", "x".repeat(66_000)]))).code, "EFBIG");
    assert.equal(await call("get", ["b"]), null);
    assert.equal(String(await call("get", ["a"])).length, 60_000);
    await call("set", ["a", "small"]);
    await call("set", ["b", "x".repeat(6_000)]);
    await close();
  });

  test("a spoiled file is put aside and said", async () => {
    const directory = join(root, "spoiled");
    fs.mkdirSync(directory);
    for (const text of ['[["a",1', "", "{}", '[["a"]]', "[1]"]) {
      fs.writeFileSync(join(directory, "sample.json"), text);
      const { call, close, lines } = await opened(directory);
      assert.equal(await call("get", ["a"]), null);
      assert.match(
        lines.join(),
        /^warn: what policy sample kept is spoiled; it is at .*sample\.json/,
      );
      assert.equal(fs.readFileSync(join(directory, "sample.json.spoiled"), "utf8"), text);
      await call("set", ["a", 1]);
      await close();
    }
  });

  test("a disk that refuses is an error of the call, and is tried again", async () => {
    const directory = join(root, "refusing");
    fs.writeFileSync(directory, "no folder");
    const { call, close } = await opened(directory);
    assert.match((await failureOf(call("set", ["a", 1]))).code, /^E(NOTDIR|EXIST)$/);
    fs.rmSync(directory);
    await call("set", ["a", 2]);
    assert.equal(await call("get", ["a"]), 2);
    await close();
  });

  test("no name of a policy leads out of the folder", async () => {
    const { call, close } = await opened(join(root, "names"));
    for (const policy of ["../x", "", ".", "a/b", "a\0b"]) {
      assert.equal((await failureOf(call("set", ["a", 1], policy))).code, "EINVAL", policy);
    }
    await close();
  });
});
