import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { requestStatus } from "../../agent/control/client.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { eventually } from "./eventually.ts";
import { configText } from "./instance-text.ts";

const ROOT = join(import.meta.dirname, "../..");
const UNREACHABLE = /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|ENOTCACHED/;

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** What a user gets who installs the package: the bundle, under Node without a checkout. */
describe("the package", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-package-`));
  const home = join(folder, "home");
  const config = join(folder, "keepalived.conf");
  const program = join(home, "node_modules/holdfast/agent/holdfast.mjs");
  let packed: Packed;
  let problem: string | undefined;

  const npm = (directory: string, ...args: readonly string[]) =>
    spawnSync("npm", args, { cwd: directory, encoding: "utf8" });

  before(() => {
    const built = spawnSync(process.execPath, [join(ROOT, "agent/build.ts")], { encoding: "utf8" });
    assert.equal(built.status, 0, built.stderr);
    const pack = npm(ROOT, "pack", "--json", "--ignore-scripts", "--pack-destination", folder);
    assert.equal(pack.status, 0, pack.stderr);
    packed = (JSON.parse(pack.stdout) as readonly [Packed])[0];
    mkdirSync(home);
    writeFileSync(join(home, "package.json"), '{ "private": true }\n');
    writeFileSync(config, configText([{}]));
    const tarball = join(folder, packed.filename);
    const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--fetch-retries=3"];
    const install = npm(home, "install", ...quiet, tarball);
    if (install.status === 0) return;
    assert.match(install.stderr, UNREACHABLE);
    problem = "no registry can be reached to install the package's dependencies";
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("holds the bundle, the documentation, what authors of policies use, and no other source", () => {
    const paths = packed.files.map(({ path }) => path);
    const needed = ["dist/main.js", "dist/sandbox-worker.js", "dist/guest.js", "sdk/index.ts"];
    for (const path of [...needed, "docs/schema/status.json", "policies/nginx.ts"]) {
      assert.ok(paths.includes(path), path);
    }
    const allowed = [
      /^dist\/[\w-]+\.js$/,
      /^dist\/sdk\/(index|plugin|testing)\.js$/,
      /^dist\/sdk\/[\w-]+\.d\.ts$/,
      // As text: policies are checked against the one, and copied from the other.
      /^(sdk|policies)\/[\w.-]+\.ts$/,
      /^docs\/.*\.(md|json|service)$/,
      /^(agent\/holdfast\.mjs|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
    ];
    assert.deepEqual(
      paths.filter((path) => !allowed.some((form) => form.test(path))),
      [],
    );
  });

  test("gives a plugin's and a test's author the SDK, with its types", (context) => {
    if (problem !== undefined) return context.skip(problem);
    const text = [
      'import { definePolicy } from "holdfast/sdk";',
      'import { CallError } from "holdfast/sdk/plugin";',
      'import { simulate } from "holdfast/sdk/testing";',
      'const sim = await simulate("./policies/nginx.ts", { processes: { nginx: 1 } });',
      'sim.http("http://127.0.0.1/").fails("ECONNREFUSED");',
      'await sim.advance("10s");',
      'const lost: number = 100 - sim.router("VI_1").priority;',
      "console.log(lost, typeof definePolicy, typeof CallError);",
    ];
    writeFileSync(join(home, "author.mts"), text.join("\n"));
    cpSync(join(home, "node_modules/holdfast/policies"), join(home, "policies"), {
      recursive: true,
    });
    const run = spawnSync(
      process.execPath,
      ["--experimental-strip-types", "--disable-warning=ExperimentalWarning", "author.mts"],
      { cwd: home, encoding: "utf8" },
    );
    assert.equal(run.stdout, "50 function function\n", run.stderr);
    const options = { module: "nodenext", target: "es2023", strict: true, noEmit: true, types: [] };
    const config = { compilerOptions: options, files: ["author.mts"] };
    writeFileSync(join(home, "tsconfig.json"), JSON.stringify(config));
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    const types = spawnSync(process.execPath, [compiler, "-p", "."], {
      cwd: home,
      encoding: "utf8",
    });
    assert.equal(types.stdout, "");
  });

  test("runs a policy's test where no package is installed", (context) => {
    if (problem !== undefined) return context.skip(problem);
    const policies = join(folder, "policies");
    const holdfast = (...words: readonly string[]) =>
      spawnSync(process.execPath, [program, "policy", ...words, "--policies", policies], {
        encoding: "utf8",
      });
    assert.equal(holdfast("new", "http").status, 0);
    const tested = holdfast("test");
    assert.equal(tested.status, 0, tested.stdout + tested.stderr);
    assert.match(tested.stdout, /http\.test\.ts: 1 passed, 0 failed\n$/);
  });

  test("checks a file by npx", (context) => {
    if (problem !== undefined) return context.skip(problem);
    // npx takes the first Node of the path.
    const PATH = `${dirname(process.execPath)}:${process.env["PATH"]}`;
    const check = spawnSync("npx", ["--no", "--", "holdfast", "check", config], {
      cwd: home,
      encoding: "utf8",
      env: { ...process.env, PATH },
    });
    assert.equal(check.status, 0, check.stdout + check.stderr);
    assert.match(check.stdout, /no errors/);
  });

  test("says so when this Node is too old", (context) => {
    if (problem !== undefined) return context.skip(problem);
    const old =
      'Object.defineProperty(process, "version", { value: "v20.1.0" });' +
      'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } });';
    const check = spawnSync(
      process.execPath,
      ["--import", `data:text/javascript,${old}`, program, "check", config],
      { encoding: "utf8" },
    );
    assert.equal(check.status, 1);
    assert.match(check.stderr, /^holdfast: it needs Node 22 or newer, and this is v20.1.0; .*\n$/);
  });

  test("runs, becomes active, and stops", async (context) => {
    if (problem !== undefined) return context.skip(problem);
    const lab = new Lab();
    try {
      const node = lab.node("a");
      lab.attach(node, lab.segment("lan"), { name: "eth0", addresses: ["192.0.2.1/24"] });
      const control = join(folder, "control.sock");
      const files = ["--config", config, "--state", join(folder, "state"), "--control", control];
      const agent = node.spawn(process.execPath, [program, "run", ...files], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      await eventually("the router is active", 60_000, async () => {
        const status = await requestStatus(control);
        assert.equal(status.routers[0]?.state, "active");
      });
      agent.kill("SIGTERM");
      await once(agent, "exit");
      assert.equal(agent.exitCode, 0);
    } finally {
      lab.dispose();
    }
  });
});
