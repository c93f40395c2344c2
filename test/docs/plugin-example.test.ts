import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { loadSettings } from "../../agent/config/settings-file/load-settings.ts";
import { pluginLoader } from "../../plugins/load-plugin.ts";
import { memoryHost } from "../config/language/memory-host.ts";
import { codeBlocks } from "./code-blocks.ts";

const SETTINGS = "/etc/holdfast/holdfast.conf";
const root = realpathSync(mkdtempSync(join(tmpdir(), `hf-${process.pid}-example-`)));
after(() => rmSync(root, { recursive: true }));

test("the plugin that docs/plugins.md shows is loaded and answers", async () => {
  const blocks = codeBlocks("docs/plugins.md");
  const shown = blocks.find(({ language }) => language === "js");
  const conf = blocks.find(({ file }) => file === SETTINGS);
  assert.ok(shown?.file !== undefined && conf !== undefined);
  const entry = join(root, shown.file);
  mkdirSync(dirname(entry), { recursive: true, mode: 0o755 });
  writeFileSync(entry, shown.text, { mode: 0o644 });
  writeFileSync(join(dirname(entry), "package.json"), '{ "type": "module" }', { mode: 0o644 });
  const supplies = join(root, "sys/class/power_supply/main");
  mkdirSync(supplies, { recursive: true });
  writeFileSync(join(supplies, "capacity"), "42\n");

  const { settings } = loadSettings(SETTINGS, memoryHost({ [SETTINGS]: conf.text }));
  const [named] = settings.plugins;
  assert.ok(named !== undefined);
  const folders = [join(root, "etc/holdfast")];
  const plugin = await pluginLoader({ folders, uid: process.geteuid?.() ?? 0 })(named.package);
  assert.equal(plugin.name, named.name);
  assert.equal(plugin.checkPermission(["main"]), undefined);
  assert.notEqual(plugin.checkPermission("main"), undefined);
  assert.deepEqual(plugin.missing(["main", "b"], ["main"]), ["b"]);

  assert.deepEqual(named.options, { folder: "/sys/class/power_supply" });
  const open = await plugin.open({
    options: { folder: join(root, "sys/class/power_supply") },
    wallClock: () => 0,
    log: () => undefined,
    secret: (text) => text,
  });
  const { signal } = new AbortController();
  const call = { policy: "evacuate", permission: ["main", "gone"], signal, timeoutMs: 1_000 };
  assert.equal(await open.call("percent", ["main"], call), 42);
  await assert.rejects(open.call("percent", ["gone"], call), { code: "no-battery" });
  await assert.rejects(open.call("percent", ["other"], call), {
    name: "CallError",
    code: "permission",
  });
  await open.close();
});
