import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runCli } from "../../agent/cli/cli.ts";
import { appendGrants } from "../../agent/cli/policy/append-grants.ts";
import { TEMPLATES } from "../../agent/cli/policy/templates.ts";
import { noSettings } from "../../agent/config/settings.ts";
import { evaluatePolicies } from "../../agent/policy/evaluate.ts";
import { openSandbox } from "../../agent/sandbox/pool.ts";
import { PolicyFolder, policyText } from "../policy/folder.ts";
import { Recorder, RecordingHost } from "./recorder.ts";

interface Answer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `holdfast policy …` here, with what holdfast.conf grants. */
async function policy(words: readonly string[], host = new RecordingHost()): Promise<Answer> {
  const terminal = new Recorder();
  const status = await runCli("holdfast", ["policy", ...words], host, terminal);
  return { status, out: terminal.written, err: terminal.complained };
}

function granting(grant: Record<string, readonly string[]>): RecordingHost {
  const host = new RecordingHost();
  const position = { file: "/etc/holdfast/holdfast.conf", line: 1, column: 1 };
  const settings = { ...noSettings(position.file), grants: [{ position, policy: "*", grant }] };
  host.loadSettings = () => Promise.resolve({ settings, diagnostics: [] });
  return host;
}

describe("policy new", () => {
  for (const name of Object.keys(TEMPLATES)) {
    test(`${name} is well as it is written`, async () => {
      const folder = new PolicyFolder();
      const made = await policy(["new", name, "--policies", folder.path]);
      assert.equal(made.status, 0, made.err);
      const file = join(folder.path, `${name}.ts`);
      assert.match(made.out, new RegExp(`${name}\\.test\\.ts`));
      assert.ok(existsSync(join(folder.path, ".holdfast/sdk/index.ts")));
      assert.match(
        readFileSync(join(folder.path, `${name}.test.ts`), "utf8"),
        new RegExp(`\\./${name}\\.ts`),
      );
      const checked = await policy(["check", file]);
      assert.equal(checked.status, 0, checked.out);
      assert.doesNotMatch(checked.out, /policy-(type|shape|permissions|import)/);
    });
  }

  test("overwrites nothing", async () => {
    const folder = new PolicyFolder();
    const file = folder.write("mine.ts", "mine");
    const { status, err } = await policy(["new", "mine", "--policies", folder.path]);
    assert.equal(status, 1);
    assert.match(err, /mine\.ts is there already/);
    assert.equal(readFileSync(file, "utf8"), "mine");
    assert.ok(!existsSync(join(folder.path, "mine.test.ts")));
  });

  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["new", "../x"], /is no name for a policy/],
    [["new", "_x"], /is no name/],
    [["new", "a.test"], /is no name/],
    [["new", "x", "--template", "apache"], /no template apache; there are nginx/],
    [["new"], /policy new needs NAME/],
    [["nwe"], /no command policy nwe; did you mean policy new\?/],
    [["check", "--sttrict"], /did you mean --strict/],
  ];
  for (const [words, expected] of wrong) {
    test(words.join(" "), async () => {
      const { status, err } = await policy(words);
      assert.equal(status, 2);
      assert.match(err, expected);
    });
  }
});

describe("policy check", () => {
  const broken = 'import fs from "node:fs";\nexport default fs;\n';
  const mistyped = policyText('checks: { a: { every: "1 sec", run: () => true } }');

  test("shows each finding at its line, as compilers do", async () => {
    const folder = new PolicyFolder();
    folder.write("broken.ts", broken);
    folder.write("mistyped.ts", mistyped);
    const { status, out } = await policy(["check", "--policies", folder.path]);
    assert.equal(status, 2);
    assert.match(out, /broken\.ts:1:16: error\[policy-import\]: node:fs is not there/);
    assert.match(
      out,
      / 1 \| import fs from "node:fs";\n {3}\| {16}\^{9}\n {2}effect: .+\n {2}hint: ask for a permission/,
    );
    assert.match(out, /mistyped\.ts:2:46: error\[policy-type\]: Type '"1 sec"' is not/);
    assert.match(out, /2 policies: 2 errors/);
  });

  test("shows what comes out only when a policy is loaded, at its line too", async () => {
    const folder = new PolicyFolder();
    folder.write(
      "heavy.ts",
      policyText(
        'permissions: { control: { routers: ["VI_1"] } }, checks: { a: { every: "1s", track: { routers: { VI_1: -600 } }, run: () => true } }',
      ),
    );
    folder.write(
      "throws.ts",
      `const none: { a?: { b: number } } = {};
export const b = none.a!.b;
${policyText('checks: { a: { every: "1s", run: () => true } }')}`,
    );
    const host = new RecordingHost();
    host.evaluatePolicies = (policies) =>
      evaluatePolicies(policies, (listener) => openSandbox({ listener, mostWorkers: 1 }));
    const { status, out } = await policy(["check", "--policies", folder.path], host);
    assert.equal(status, 2);
    assert.match(out, /heavy\.ts:2:\d+: error\[policy-shape\]: .*-600/);
    assert.match(
      out,
      /throws\.ts:2:\d+: error\[policy-evaluation\]: it cannot be evaluated: TypeError/,
    );
    assert.match(out, /2 policies: 2 errors/);
  });

  test("what is not granted is a warning, where there is a holdfast.conf", async () => {
    const folder = new PolicyFolder();
    const file = folder.write("a.ts", policyText('permissions: { http: ["a", "b"] }'));
    const { status, out } = await policy(["check", file], granting({ http: ["a"] }));
    assert.equal(status, 0);
    assert.match(out, /a\.ts:2:58: warning\[policy-grant\]: http b is not granted/);
    assert.equal((await policy(["check", "--strict", file], granting({ http: ["a"] }))).status, 1);
    assert.doesNotMatch((await policy(["check", file])).out, /policy-grant/);
  });

  test("--json says the same", async () => {
    const folder = new PolicyFolder();
    folder.write("broken.ts", broken);
    folder.write("fine.ts", policyText('permissions: { http: ["a"] }'));
    const { out, status } = await policy(["check", "--json", "--policies", folder.path]);
    const report = JSON.parse(out) as Record<string, unknown>;
    assert.equal(status, 2);
    assert.deepEqual([report["accepted"], report["errors"]], [false, 1]);
    assert.deepEqual(report["policies"], [
      { name: "broken", file: join(folder.path, "broken.ts"), permissions: null },
      { name: "fine", file: join(folder.path, "fine.ts"), permissions: ["http"] },
    ]);
  });

  test("a file that is not there, and a folder without policies", async () => {
    const gone = await policy(["check", "/nowhere/a.ts"]);
    assert.equal(gone.status, 2);
    assert.match(gone.out, /there is no \/nowhere\/a\.ts/);
    const none = await policy(["check", "--policies", "/nowhere"]);
    assert.equal(none.status, 0);
    assert.match(none.out, /no policies in \/nowhere; holdfast policy new NAME writes one/);
  });
});

describe("policy grants", () => {
  const folder = new PolicyFolder();
  folder.write("nginx.ts", policyText('permissions: { http: ["a", "b"] }'));
  folder.write("plain.ts", policyText(""));
  const grants = (host: RecordingHost, ...words: readonly string[]) =>
    policy(["grants", "--policies", folder.path, ...words], host);

  test("shows what is missing, and the lines to add", async () => {
    const { status, out } = await grants(granting({ http: ["a"] }));
    assert.equal(status, 1);
    assert.match(out, /nginx: 1 part of what it asks for not granted\nplain: all/);
    assert.match(out, /policy nginx \{\n {4}grant \{\n {8}http b\n {4}\}\n\}\n$/);
  });

  test("is content when all is granted", async () => {
    const { status, out } = await grants(granting({ http: ["*"] }), "nginx");
    assert.deepEqual([status, out], [0, "nginx: all that it asks for is granted\n"]);
  });

  test("--json", async () => {
    const { out } = await grants(granting({ http: ["a"] }), "nginx", "--json");
    assert.deepEqual((JSON.parse(out) as { policies: unknown }).policies, [
      { name: "nginx", granted: { http: ["a"] }, missing: ["http b"] },
    ]);
  });

  test("a name that is not there", async () => {
    const { status, err } = await grants(granting({}), "ngin");
    assert.equal(status, 2);
    assert.match(err, /there is no policy ngin in /);
  });
});

describe("writing grants", () => {
  test("makes the file for its owner only, and adds to it", () => {
    const folder = new PolicyFolder();
    const file = join(folder.path, "holdfast.conf");
    appendGrants(file, "one\n", folder.trust);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    appendGrants(file, "two\n", folder.trust);
    writeFileSync(file, `${readFileSync(file, "utf8")}no end`);
    appendGrants(file, "three\n", folder.trust);
    assert.equal(readFileSync(file, "utf8"), "one\n\ntwo\nno end\n\nthree\n");
  });

  test("not where others write", () => {
    const folder = new PolicyFolder();
    const file = folder.write("holdfast.conf", "x", 0o666);
    assert.throws(() => appendGrants(file, "y", folder.trust), {
      code: "grants-not-written",
      remedy: `chmod go-w ${file}`,
    });
    assert.equal(readFileSync(file, "utf8"), "x");
  });
});
