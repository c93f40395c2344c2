import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, describe, test } from "node:test";
import { codeBlocks } from "../../docs/code-blocks.ts";
import { PROGRAM, STARTED_IN_GUEST_MS } from "../../lab/agent.ts";
import { RunFolder } from "../../lab/servers/run-folder.ts";
import { patiently } from "./patiently.ts";

/* The ten-minute path of docs/virtual-servers.md, as a newcomer would walk it. */

const blocks = codeBlocks("docs/virtual-servers.md", "Ten minutes");
const files = blocks.flatMap(({ file, text }) => (file === undefined ? [] : [{ file, text }]));
const [beginning = "", walk = ""] = blocks.flatMap(({ file, text }) =>
  file === undefined ? [text] : [],
);

interface Step {
  readonly command: string;
  readonly output: string;
}

/** Commands after `$ `, each with the lines that follow it. */
const stepsOf = (text: string): readonly Step[] =>
  text
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const end = step.indexOf("\n");
      return { command: step.slice(0, end), output: step.slice(end + 1) };
    });

/** Without what differs from run to run: times, and the width of columns. */
const plain = (text: string): string =>
  text
    .replaceAll(/\d+(\.\d+)? (ms|s|min)\b( \d+ s\b)?/g, "#")
    .replaceAll(/\([\d.]+, [\d.]+\)/g, "(#, #)")
    .replaceAll(/ +/g, " ");

describe("docs/virtual-servers.md", { timeout: 400_000 }, () => {
  const programs = new RunFolder();
  const env = { ...process.env, PATH: `${programs.path}:${process.env["PATH"]}` };
  let agent: ChildProcess | undefined;

  const shell = (command: string) =>
    spawnSync("bash", ["-c", command], { encoding: "utf8", timeout: 60_000, env });

  before(() => {
    const { execPath } = process;
    programs.write("holdfast", `#!/bin/sh\nexec ${execPath} ${PROGRAM} "$@"\n`, 0o755);
    programs.write("node", `#!/bin/sh\nexec ${execPath} "$@"\n`, 0o755);
    for (const { file, text } of files) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  });
  after(() => {
    agent?.kill("SIGKILL");
    shell("sh /root/lb/down.sh");
    for (const { file } of files) rmSync(dirname(file), { recursive: true, force: true });
    programs.dispose();
  });

  test("the ten-minute path goes as it says", async () => {
    const [up, run, ...more] = stepsOf(beginning);
    assert.ok(up !== undefined && run !== undefined && more.length === 0);
    assert.equal(shell(up.command).stderr, "");
    agent = spawn("bash", ["-c", `exec ${run.command}`], { stdio: "ignore", env });
    const ended = once(agent, "exit");

    const steps = stepsOf(walk);
    assert.ok(steps.length > 6);
    for (const { command, output } of steps) {
      await patiently(command, STARTED_IN_GUEST_MS, () => {
        const { stdout, stderr } = shell(command);
        assert.equal(plain(stdout) + stderr, plain(output));
      });
    }

    agent.kill("SIGINT");
    assert.deepEqual(await ended, [0, null]);
    assert.equal(shell("ip netns exec lb-director ipvsadm -S -n").stdout, "");
    assert.equal(shell("sh /root/lb/down.sh").stderr, "");
    assert.equal(existsSync("/run/netns/lb-director"), false);
  });
});
