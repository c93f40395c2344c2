import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { PluginError, pluginLoader } from "../../plugins/load-plugin.ts";

const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "holdfast-load-")));
after(() => fs.rmSync(root, { recursive: true }));
const folders = [join(root, "etc"), join(root, "etc2")];
const load = pluginLoader({ folders, uid: process.getuid?.() ?? 0 });

const GOOD = `{ name: "sample", permission: "sample", methods: ["ask"], checkPermission: () => undefined,
  missing: () => [], open: () => ({ call: async () => 1, close: async () => {} }) }`;

/** Installs a package: file → text. */
function install(
  name: string,
  files: Readonly<Record<string, string>>,
  folder = folders[0] ?? "",
): string {
  const directory = join(folder, "node_modules", name);
  fs.mkdirSync(directory, { recursive: true });
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(join(directory, file), text);
  return directory;
}

async function refusal(name: string): Promise<string> {
  const error = await load(name).then(
    () => assert.fail(`${name} was loaded`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof PluginError, String(error));
  assert.doesNotMatch(error.message, /\n| {4}at /);
  return error.message;
}

describe("an operator's plugin", () => {
  test("is the default export, or `plugin`, of a package of either kind", async () => {
    install("esm", {
      "package.json": '{"type":"module","exports":{".":{"import":"./m.js"}}}',
      "m.js": `export default ${GOOD}`,
    });
    install("named", {
      "package.json": '{"type":"module","main":"m.js"}',
      "m.js": `export const plugin = ${GOOD}`,
    });
    install("@scope/cjs", { "package.json": "{}", "index.js": `module.exports = ${GOOD}` });
    install(
      "cjs-named",
      { "package.json": "{}", "index.js": `exports.plugin = ${GOOD}` },
      folders[1],
    );
    for (const name of ["esm", "named", "@scope/cjs", "cjs-named"]) {
      assert.equal((await load(name)).name, "sample", name);
    }
  });

  test("that is broken is an error that says what to do", async () => {
    assert.match(await refusal("none"), /not installed; npm install --prefix .*etc none/);
    assert.match(await refusal("../esm"), /no name of an npm package/);
    install("no-json", { "package.json": "{" });
    assert.match(await refusal("no-json"), /package\.json cannot be read/);
    install("no-entry", { "package.json": '{"main":"dist/x.js"}' });
    assert.match(await refusal("no-entry"), /dist\/x\.js is not there/);
    install("outside", { "package.json": '{"main":"../esm/m.js"}' });
    assert.match(await refusal("outside"), /leads out/);
    install("syntax", { "package.json": '{"type":"module"}', "index.js": "export default {" });
    assert.match(await refusal("syntax"), /cannot be run: Unexpected/);
    install("throws", { "package.json": "{}", "index.js": 'throw new Error("no database")' });
    assert.match(await refusal("throws"), /cannot be run: no database/);
    install("empty", { "package.json": '{"type":"module"}', "index.js": "" });
    assert.match(await refusal("empty"), /exports no plugin/);
    install("half", {
      "package.json": "{}",
      "index.js": 'module.exports = { name: "x", permission: "x", methods: "ask" }',
    });
    assert.match(await refusal("half"), /no good `methods`/);
  });

  test("that others may write is refused", async () => {
    const directory = install("open", {
      "package.json": "{}",
      "index.js": `module.exports = ${GOOD}`,
    });
    fs.chmodSync(join(directory, "index.js"), 0o666);
    assert.match(await refusal("open"), /others may write .*index\.js; chmod/);
    fs.chmodSync(join(directory, "index.js"), 0o644);
    fs.chmodSync(directory, 0o777);
    assert.match(await refusal("open"), /others may write .*open; chmod/);
    fs.chmodSync(directory, 0o755);
    const stranger = pluginLoader({ folders, uid: 4_711 });
    if (process.getuid?.() !== 0) await assert.rejects(stranger("open"), /belongs to user/);
    assert.equal((await load("open")).name, "sample");
  });
});
