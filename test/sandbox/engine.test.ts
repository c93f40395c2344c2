import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { describe, test } from "node:test";
import { SETUP } from "../../agent/sandbox/setup.ts";
import { CHECK, checking, openModule, realmOf, resultOf } from "./realms.ts";

const DRAW = checking("const kept = (globalThis.kept ??= []); return kept.push(Math.random())");

describe("modules that begin as one image", () => {
  test("share nothing", async () => {
    const [one, other] = await Promise.all([openModule(), openModule()]);
    const first = await realmOf(DRAW, { module: one });
    const second = await realmOf(DRAW, { module: other });
    assert.deepEqual([resultOf(first.enter(1, CHECK)), resultOf(first.enter(2, CHECK))], [1, 2]);
    assert.equal(resultOf(second.enter(1, CHECK)), 1);
  });

  test("have room for more realms than the image, and all can be disposed of", async () => {
    const module = await openModule();
    const realms = await Promise.all(
      Array.from({ length: SETUP.prepared + 2 }, () => realmOf(DRAW, { module })),
    );
    assert.deepEqual(
      realms.map((realm) => resultOf(realm.enter(1, CHECK))),
      realms.map(() => 1),
    );
    assert.deepEqual(
      realms.map((realm) => realm.dispose()),
      realms.map(() => true),
    );
  });
});

/** Globals that may change, by the global section. */
function mutableGlobals(wasm: Uint8Array): number {
  let at = 8;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < wasm.length) {
    const section = wasm[at++];
    const length = number();
    if (section !== 6) {
      at += length;
      continue;
    }
    let mutable = 0;
    for (let left = number(); left > 0; left--) {
      const [type, changes, opcode] = wasm.subarray(at, at + 3);
      assert.deepEqual([type, opcode], [0x7f, 0x41], "a global other than a constant i32");
      at += 3;
      number();
      assert.equal(wasm[at++], 0x0b);
      if (changes === 1) mutable++;
    }
    return mutable;
  }
  return 0;
}

test("the engine has no variable outside of its memory but the stack pointer", () => {
  const require = createRequire(createRequire(import.meta.url).resolve("quickjs-emscripten"));
  const wasm = readFileSync(require.resolve("@jitl/quickjs-wasmfile-release-sync/wasm"));
  assert.equal(mutableGlobals(wasm), 1);
});

test("what cannot be freed throws, without a word on the error output", async (t) => {
  const { mock } = t.mock.method(process.stderr, "write", () => true);
  const { runtime, prelude } = (await openModule()).open(() => false);
  // Runs until the heap is full, and the engine loses objects on its way.
  const code = "const f = () => Promise.resolve().then(f); await f(); export default {}";
  const { value } = runtime.module(code, "policy.js");
  while (runtime.hasJobs()) runtime.runJobs(16);
  runtime.free(value);
  runtime.free(prelude);
  assert.throws(() => runtime.dispose(), { name: "RuntimeError" });
  assert.equal(mock.callCount(), 0);
});
