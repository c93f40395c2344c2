import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { runCli } from "../../agent/cli/cli.ts";
import { configTestStatus } from "../../agent/cli/config-test.ts";
import { commandLineHost } from "../../agent/command-line.ts";
import type { Severity } from "../../agent/config/diagnostic.ts";
import { checkSchema } from "../schema/check-schema.ts";
import { Recorder } from "./recorder.ts";

const folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-check-`));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, extra: string): string {
  const path = join(folder, name);
  writeFileSync(
    path,
    `vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 100
    virtual_ipaddress {
        10.0.0.3
    }
    ${extra}
}
`,
  );
  return path;
}

const clean = file("clean.conf", "");
const warned = file("warned.conf", "gravity 9");
const silent = file("silent.conf", 'notify "/bin/true"');
const wrong = file("wrong.conf", "virtual_router_id 999");

interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program as it is installed: from the entry point to the exit status. */
const spawned = (...words: readonly string[]): Answer =>
  spawnSync(process.execPath, ["agent/holdfast.mjs", ...words], { encoding: "utf8" });

/** The same without a process of its own. */
async function holdfast(...words: readonly string[]): Promise<Answer> {
  const terminal = new Recorder();
  const status = await runCli("holdfast", words, host, terminal);
  return { status, stdout: terminal.written, stderr: terminal.complained };
}

const host = commandLineHost({
  version: () => "1.2.3",
  runAgent: () => Promise.reject(new TypeError("nothing is run here")),
});

describe("exit statuses", () => {
  const cases: readonly (readonly [readonly string[], number])[] = [
    [["check", clean], 0],
    [["check", "--strict", clean], 0],
    [["check", warned], 0],
    [["check", "--strict", warned], 1],
    [["check", wrong], 2],
    [["check", "--strict", wrong], 2],
    [["check", join(folder, "none")], 1],
    [["check", folder], 1],
    [["-t", "-f", clean], 0],
    [["--config-test", "--use-file", silent], 0],
    [["-t", "-f", warned], 5],
    [["-t", "-f", wrong], 4],
    [["-t", "-f", join(folder, "none")], 4],
    [["run", "-t", "--config", wrong], 4],
    [["check", "--bogus"], 2],
  ];
  for (const [words, status] of cases) {
    test(`holdfast ${words.join(" ").replaceAll(folder, "…")}: ${status}`, async () => {
      const answer = await holdfast(...words);
      assert.equal(answer.status, status, answer.stdout + answer.stderr);
      assert.doesNotMatch(answer.stderr, /\n\s+at /, "no stack trace");
    });
  }

  test("of the program itself", () => {
    for (const [words, status] of [
      [["check", clean], 0],
      [["check", wrong], 2],
      [["-t", "-f", wrong], 4],
    ] as const) {
      const answer = spawned(...words);
      assert.equal(answer.status, status, answer.stdout + answer.stderr);
    }
  });
});

test("check names the place, the word, and what it understood", async () => {
  const { stdout } = await holdfast("check", warned);
  assert.match(stdout, /warned\.conf:8:5: warning\[keyword-unknown\]/);
  assert.match(stdout, /VI_1 +51 +2 ipv4 +eth0 +100 +1 s +10\.0\.0\.3\/32/);
  assert.match(stdout, /no errors, 1 warning\n$/);
});

test("check shows virtual servers, also where there is no router", async () => {
  const path = join(folder, "balanced.conf");
  writeFileSync(
    path,
    `virtual_server 192.0.2.1 80 {
    protocol TCP
    lb_algo rr
    real_server 10.0.0.1 80 {
        TCP_CHECK {
        }
    }
    real_server 10.0.0.2 80 {
    }
}
`,
  );
  const { stdout, status } = await holdfast("check", path);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /SERVICE +SCHEDULER +QUORUM +REAL SERVERS +CHECKS\n.*:80 +rr +1 +2 +1\n/);
  assert.doesNotMatch(stdout, /no virtual router/);
});

test("check holds this host's kernel against the virtual servers", async () => {
  const path = join(folder, "nat.conf");
  const server = "real_server 10.0.0.1 80 {\n    }";
  writeFileSync(path, `virtual_server 192.0.2.1 80 {\n    protocol TCP\n    ${server}\n}\n`);
  const answers: string[] = [];
  const values = { "net.ipv4.ip_forward": "0" };
  for (const settings of [{ release: "6.1.0", masquerades: false, values }, undefined]) {
    const terminal = new Recorder();
    const there = { ...host, readKernelSettings: () => Promise.resolve(settings) };
    await runCli("holdfast", ["check", path], there, terminal);
    answers.push(terminal.written);
  }
  const [loaded = "", absent = ""] = answers;
  assert.match(loaded, /nat\.conf:1:16: warning\[kernel-setting\]: net\.ipv4\.ip_forward is 0: /);
  assert.match(loaded, /run sysctl -w net\.ipv4\.ip_forward=1/);
  assert.match(loaded, /no errors, 1 warning\n$/);
  assert.match(absent, /\nip_vs is not loaded here, .*: modprobe ip_vs, and check again\n/);
  assert.match(absent, /no errors, no warnings\n$/);
});

test("check --json says the same", async () => {
  const { stdout } = await holdfast("check", "--json", wrong);
  const report = checkSchema.parse(JSON.parse(stdout));
  assert.equal(report.accepted, false);
  assert.equal(report.diagnostics[0]?.position.line, 8);
});

test("-t writes to the file that it is given", async () => {
  const log = join(folder, "log");
  assert.equal((await holdfast(`-t${log}`, "-f", wrong)).stderr, "");
  assert.match(readFileSync(log, "utf8"), /wrong\.conf:8:\d+: error/);
});

describe("keepalived's status of a finding", () => {
  const cases: readonly (readonly [string, Severity, number])[] = [
    ["essential-value", "error", 4],
    ["keyword-unknown", "warning", 5],
    ["value-invalid", "warning", 5],
    ["no-effect-yet", "warning", 0],
    ["extra-words", "warning", 0],
    ["deprecated-keyword", "warning", 0],
  ];
  const position = { file: "x", line: 1, column: 1 };
  for (const [code, severity, status] of cases) {
    test(`${code}: ${status}`, () => {
      const finding = { code, severity, position, message: "", text: "", hint: undefined };
      assert.equal(configTestStatus([finding]), status);
    });
  }
});

describe("a vrrp_script that stands for the check of a policy", () => {
  const policies = join(folder, "policies");
  mkdirSync(policies);
  const checks = "checks: { alive: { every: '1s', run: () => true } }";
  writeFileSync(join(policies, "nginx.ts"), `export default { ${checks} };\n`);
  writeFileSync(join(policies, "odd.ts"), "export default { checks: { ...others } };\n");
  const named = (script: string): string => {
    const path = file("named.conf", "track_script {\n chk\n }");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, `vrrp_script chk {\n    script "policy:${script}"\n}\n${text}`);
    return path;
  };
  const cases: readonly (readonly [string, RegExp | undefined])[] = [
    ["nginx/alive", undefined],
    ["odd/alive", undefined],
    ["ngnix/alive", /there is no policy ngnix in .*\n.*\n.*\^\n.*effect: .*failed.*\n.*"nginx"/],
    ["nginx/alvie", /the policy nginx has no check alvie\n.*\n.*\n.*\n.*did you mean "alive"/],
    ["haproxy/backends", /hint: write .*\/haproxy\.ts, or name another folder with --policies/],
  ];
  for (const [script, expected] of cases) {
    test(script, async () => {
      const { status, stdout } = await holdfast("check", "--policies", policies, named(script));
      assert.equal(status, 0, "it may yet come");
      if (expected === undefined) assert.match(stdout, /no errors, no warnings\n$/);
      else assert.match(stdout, /named\.conf:2:12: warning\[policy-check\]: vrrp_script chk: /);
      assert.match(stdout, expected ?? /./);
    });
  }

  test("a holdfast_check is looked up too", async () => {
    const path = join(folder, "servers.conf");
    const server = 'real_server 192.0.2.10 80 {\nholdfast_check "policy:nginx/alvie"\n}';
    writeFileSync(path, `virtual_server 192.0.2.1 80 {\nprotocol TCP\n${server}\n}\n`);
    const { status, stdout } = await holdfast("check", "--policies", policies, path);
    assert.equal(status, 0);
    assert.match(stdout, /:4:16: warning\[policy-check\]: real_server \[192\.0\.2\.10\]:tcp:80: /);
  });
});
