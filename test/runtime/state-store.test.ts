import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { namespaceLeftBy, StateStore } from "../../agent/runtime/state-store.ts";
import { config } from "./fixtures.ts";

test("where an agent was that ended without a word, whichever build it was", (t) => {
  const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-state-`));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.equal(namespaceLeftBy(folder), undefined);
  const store = new StateStore(folder, "0.0.0");
  store.save("/a.conf", config([], { global: { netNamespace: "blue" } }));
  assert.equal(namespaceLeftBy(folder), "blue");
  chmodSync(join(folder, "accepted.json"), 0o666);
  assert.equal(namespaceLeftBy(folder), undefined, "anybody may have written it");
  store.save("/a.conf", config([]));
  assert.equal(namespaceLeftBy(folder), undefined);
  store.save("/a.conf", config([], { global: { netNamespace: "blue" } }));
  store.clear();
  assert.equal(namespaceLeftBy(folder), undefined, "it ended gracefully");
});
