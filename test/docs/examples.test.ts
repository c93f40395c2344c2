import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { runCli } from "../../agent/cli/cli.ts";
import type { PathEntry } from "../../agent/config/keepalived/config-host.ts";
import { loadConfig } from "../../agent/config/load.ts";
import { loadSettings } from "../../agent/config/settings-file/load-settings.ts";
import { EDITOR_FOLDER, writeEditorFiles } from "../../agent/policy/editor-files.ts";
import { checkTypes } from "../../agent/policy/type-check.ts";
import { simulate } from "../../agent/simulator/simulate.ts";
import { Recorder, RecordingHost } from "../cli/recorder.ts";
import { memoryHost } from "../config/language/memory-host.ts";
import { PolicyFolder } from "../policy/folder.ts";
import type { CodeBlock } from "./code-blocks.ts";
import { codeBlocks } from "./code-blocks.ts";

// What the pages show is what works: they are read, checked and run as a newcomer would.

const KEEPALIVED = "/etc/keepalived/keepalived.conf";
const SETTINGS = "/etc/holdfast/holdfast.conf";
const PAGES = ["README.md", ...globSync("docs/*.md").sort()];

const blocksOf = (page: string, file: string): readonly CodeBlock[] =>
  codeBlocks(page).filter((block) => block.file === file);

/** A machine of root's on which these files lie, and every secret and program that they name. */
function machine(files: Readonly<Record<string, string>>) {
  const all = Object.values(files).join("\n");
  const secrets = [...all.matchAll(/^secret \S+ (\S+)/gm)].map(([, path = ""]) => path);
  const programs = [...all.matchAll(/^\s*(?:program|ca_file) (\S+)/gm)].map(
    ([, path = ""]) => path,
  );
  const texts = Object.fromEntries([...secrets, ...programs].map((path) => [path, "x"]));
  const host = memoryHost({ ...texts, ...files });
  const entry = (path: string): PathEntry => {
    const found = host.entry(path);
    return found.ok && found.kind === "file" && !programs.includes(path)
      ? { ...found, mode: 0o600 }
      : found;
  };
  return { ...host, entry };
}

for (const page of PAGES) {
  for (const { line, text } of blocksOf(page, KEEPALIVED)) {
    test(`${page}:${line}: keepalived.conf is read without a finding`, () => {
      // What it asks for is in the file that follows it.
      const asks = /^\s*holdfast_(witness|fence) /m.test(text);
      const next = blocksOf(page, SETTINGS).find((block) => asks && block.line > line);
      const host = machine(next === undefined ? {} : { [SETTINGS]: next.text });
      const { diagnostics } = loadConfig({ file: KEEPALIVED, text }, host);
      assert.deepEqual(diagnostics, []);
    });
  }
  for (const { line, text } of blocksOf(page, SETTINGS)) {
    test(`${page}:${line}: holdfast.conf is read without a finding`, () => {
      const { diagnostics } = loadSettings(SETTINGS, machine({ [SETTINGS]: text }));
      assert.deepEqual(diagnostics, []);
    });
  }
}

describe("TypeScript", () => {
  test("of all pages compiles", async () => {
    const folder = new PolicyFolder();
    const blocks = PAGES.flatMap((page) =>
      codeBlocks(page).flatMap((block) => (block.language === "ts" ? [{ ...block, page }] : [])),
    );
    assert.ok(blocks.length > 4);
    writeEditorFiles(folder.path);
    const files = blocks.map(({ page, line, file, text }) => {
      const shown = `${page.replaceAll(/\W/g, "-")}-${line}`;
      return folder.write(`${shown}/${basename(file ?? "block.ts")}`, text);
    });
    const node = join(folder.path, EDITOR_FOLDER, "node.d.ts");
    const found = await checkTypes({ directory: folder.path, files: [node, ...files] });
    assert.deepEqual(
      found.map(({ position, message }) => `${position.file}:${position.line} ${message}`),
      [],
    );
  });
});

describe("the five-minute path", () => {
  const [policy] = blocksOf("README.md", "/etc/holdfast/policies/nginx.ts");
  const [settings] = blocksOf("README.md", SETTINGS);
  const [keepalived] = blocksOf("README.md", KEEPALIVED);
  assert.ok(policy !== undefined && settings !== undefined && keepalived !== undefined);
  const folder = new PolicyFolder();
  const file = folder.write("nginx.ts", policy.text);

  /** As `holdfast …` with the README's holdfast.conf. */
  async function holdfast(...words: readonly string[]) {
    const host = new RecordingHost();
    const loaded = loadSettings(SETTINGS, machine({ [SETTINGS]: settings?.text ?? "" }));
    host.loadSettings = () => Promise.resolve(loaded);
    const terminal = new Recorder();
    const status = await runCli("holdfast", words, host, terminal);
    return { status, out: terminal.written + terminal.complained };
  }

  test("holdfast policy check finds nothing", async () => {
    const { status, out } = await holdfast("policy", "check", "--json", file);
    assert.equal(status, 0, out);
    const { diagnostics } = JSON.parse(out) as { diagnostics: readonly { code: string }[] };
    // Of the folder that a test can have: everybody may write to what is above it.
    assert.deepEqual(
      diagnostics.filter(({ code }) => code !== "policy-owner"),
      [],
    );
  });

  test("holdfast policy grants has nothing to add", async () => {
    const { status, out } = await holdfast("policy", "grants", "--policies", folder.path);
    assert.equal(status, 0, out);
    assert.match(out, /^nginx: all that it asks for is granted\n$/);
  });

  test("the router that it moves is that of keepalived.conf", () => {
    const host = machine({ [SETTINGS]: settings.text });
    const { config, diagnostics } = loadConfig({ file: KEEPALIVED, text: keepalived.text }, host);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(
      config?.instances.map(({ router }) => router.name),
      ["web"],
    );
  });

  test("does what the page says", async () => {
    const sim = await simulate(file, { routers: { web: { priority: 150, state: "active" } } });
    sim.http("http://127.0.0.1/").replies(200);
    await sim.advance("5s");
    assert.equal(sim.router("web").priority, 150);
    sim.http("http://127.0.0.1/").fails("ECONNREFUSED");
    await sim.advance("2s");
    assert.equal(sim.router("web").priority, 90);
    assert.match(sim.check("alive").reason, /^nginx\.ts:15:43: Error: .*127\.0\.0\.1/);
    await sim.transition("web", "backup", "higher-priority");
    await sim.advance("1s");
    assert.deepEqual(
      sim.mails.map(({ to, subject, text }) => [...to, subject, text]),
      [["ops@example.org", "web: backup on node1", "Was active: higher-priority"]],
    );
    sim.http("http://127.0.0.1/").replies(200);
    await sim.advance("1s");
    assert.equal(sim.router("web").priority, 150);
    assert.deepEqual(sim.errors, []);
    await sim.stop();
  });
});

test("the test that docs/policies.md shows is one of the README's policy, and passes", () => {
  const folder = new PolicyFolder();
  const write = (page: string, path: string): string => {
    const [block] = blocksOf(page, path);
    assert.ok(block !== undefined, `${page} does not show ${path}`);
    return folder.write(basename(path), block.text);
  };
  write("README.md", "/etc/holdfast/policies/nginx.ts");
  const file = write("docs/policies.md", "/etc/holdfast/policies/nginx.test.ts");
  const words = ["agent/holdfast.mjs", "policy", "test", file];
  const run = spawnSync(process.execPath, words, { encoding: "utf8", timeout: 30_000 });
  assert.equal(run.status, 0, run.stdout + run.stderr);
  assert.match(run.stdout, /✓ an nginx that does not answer costs 60/);
});
