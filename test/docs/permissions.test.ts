import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { loadSettings } from "../../agent/config/settings-file/load-settings.ts";
import { machinePlugins } from "../../agent/own-plugins.ts";
import { compareGrants } from "../../agent/policy/grants.ts";
import { readManifest } from "../../agent/policy/manifest.ts";
import { PERMISSION_NAMES } from "../../agent/policy/permission-forms.ts";
import { checkTypes } from "../../agent/policy/type-check.ts";
import { memoryHost } from "../config/language/memory-host.ts";
import { PolicyFolder, policyText } from "../policy/folder.ts";

const FILE = "/etc/holdfast/holdfast.conf";
const page = readFileSync("docs/policies.md", "utf8");
const [, section = ""] = page.split("## Permissions");
const rows = [...section.matchAll(/^\| `(.+)` \| `(.+)` \| (.+) \|$/gm)].map(
  ([, asked = "", granted = "", gives = ""]) => ({
    asked,
    granted,
    balance: gives.startsWith("`balance`"),
    members: [...gives.matchAll(/`ctx\.([\w.]+)`/g)].map(([, name = ""]) => name),
  }),
);
const plugins = machinePlugins("/nowhere");
/** Without any permission. */
const FREE = ["kv.get", "kv.set", "kv.delete"];

describe("the table of permissions", () => {
  test("has each of them", () => {
    const names = new Set(rows.map(({ asked }) => asked.split(":")[0]));
    assert.deepEqual([...names].sort(), PERMISSION_NAMES.toSorted());
  });

  for (const { asked, granted } of rows) {
    test(`${granted} grants ${asked}`, async () => {
      const source = policyText(`permissions: { ${asked} }`);
      const read = await readManifest(source, "p.ts");
      assert.ok(read.ok);
      const text = `policy p {\ngrant {\n${granted}\n}\n}\nsecret slack /s\n`;
      const { settings, diagnostics } = loadSettings(FILE, memoryHost({ [FILE]: text }));
      assert.deepEqual(
        diagnostics.filter(({ code }) => code !== "secret-missing"),
        [],
      );
      const { missing, problems } = compareGrants("p", read.manifest, settings, plugins);
      assert.deepEqual([missing, problems], [[], []]);
      const other = compareGrants("q", read.manifest, settings, plugins);
      assert.equal(other.missing.length, 1);
    });
  }

  test("gives what it says", async () => {
    const folder = new PolicyFolder();
    const files = rows.map(({ asked, balance, members }, index) => {
      assert.ok(balance || members.length > 0, asked);
      const uses = members.map((name) => `void ctx.${name};`).join(" ");
      const more = balance ? `balance: { every: "1s", run: () => ({}) }, ` : "";
      const text = policyText(`permissions: { ${asked} }, ${more}on: { start(ctx) { ${uses} } }`);
      return folder.write(`row-${index}.ts`, text);
    });
    assert.deepEqual(await checkTypes({ directory: folder.path, files }), []);
  });

  test("has every method of the plugins", () => {
    const shown = new Set(rows.flatMap(({ members }) => members));
    const named: Readonly<Record<string, string>> = {
      file: "files",
      process: "processes",
      interface: "interfaces",
    };
    const methods = plugins.flatMap(({ name, methods: all }) =>
      all.map((method) => `${named[name] ?? name}.${method}`),
    );
    const missing = methods.filter((method) => !shown.has(method) && !FREE.includes(method));
    assert.deepEqual(missing, []);
  });
});

test("what stands for lines of scripts compiles", async () => {
  const [, scripts = ""] = page.split("## From scripts to policies");
  const snippets = [...scripts.matchAll(/^\| [^|]+ \| `([^`]*ctx\.[^`]*)`/gm)].map(
    ([, code = ""]) => code,
  );
  const looks = snippets.filter((code) => !/^(on:|ctx\.mail)/.test(code));
  assert.ok(looks.length > 5);
  const folder = new PolicyFolder();
  const permissions = `permissions: { process: ["nginx"], http: ["http://localhost/"],
    tcp: ["127.0.0.1:5432"], gateway: ["10.0.0.1"], read: ["/run/maintenance"],
    exec: { mine: ["/bin/mine"] } }`;
  const files = looks.map((code, index) => {
    const body = code.includes("return") ? code : `return ${code}`;
    const check = `checks: { look: { every: "1s", async run(ctx) { ${body}; } } }`;
    return folder.write(`look-${index}.ts`, policyText(`${permissions}, ${check}`));
  });
  assert.deepEqual(await checkTypes({ directory: folder.path, files }), []);
});
