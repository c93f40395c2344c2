import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { runCli } from "../../agent/cli/cli.ts";
import { COMMANDS } from "../../agent/cli/commands.ts";
import { overview, usage } from "../../agent/cli/help.ts";
import type { RunOptions } from "../../agent/config/run-options.ts";
import { KernelError } from "../../agent/ports/error.ts";
import { DEFAULT_RUN_OPTIONS } from "../runtime/default-run-options.ts";
import { Recorder, RecordingHost } from "./recorder.ts";

async function say(
  line: string,
  { program = "/usr/bin/holdfast", host = new RecordingHost(), terminal = new Recorder() } = {},
): Promise<{ status: number; host: RecordingHost; terminal: Recorder }> {
  const status = await runCli(program, line === "" ? [] : line.split(" "), host, terminal);
  return { status, host, terminal };
}

describe("what runs the agent, and how", () => {
  const cases: readonly (readonly [string, Partial<RunOptions>])[] = [
    ["run", {}],
    ["run --config a.conf", { configFile: resolve("a.conf") }],
    [
      "run --config /a.conf --state /s --control /c --policies /p",
      {
        configFile: "/a.conf",
        stateDirectory: "/s",
        controlSocket: "/c",
        policiesDirectory: "/p",
      },
    ],
    ["run --log-format pretty", { logFormat: "pretty" }],
    // Debian's and Red Hat's units, and what people have in theirs.
    ["--dont-fork", {}],
    ["--dont-fork -D", { logDetail: true }],
    ["-n -l -D", { logFormat: "pretty", logDetail: true }],
    ["-D -S 0", { logDetail: true, syslogFacility: 16 }],
    ["-S 7", { syslogFacility: 23 }],
    ["-S local3", { syslogFacility: 19 }],
    ["-S daemon", { syslogFacility: 3 }],
    ["--log-facility=user", { syslogFacility: 1 }],
    ["-P", { vrrpOnly: true }],
    ["--vrrp", { vrrpOnly: true }],
    ["-C", { directorOnly: true }],
    ["-I", { leaveServices: true }],
    ["-f /x -n -i lb01", { configFile: "/x", configId: "lb01" }],
    ["-R -e", { respawn: false, includesMustExist: true }],
    [
      "-p /p -r /r -c /c",
      {
        pidFiles: { supervisor: "/p", vrrp: "/r", director: "/c" },
      },
    ],
    ["run -nlDf/x", { configFile: "/x", logFormat: "pretty", logDetail: true }],
  ];
  for (const [line, expected] of cases) {
    test(`holdfast ${line}`, async () => {
      const { status, host, terminal } = await say(line);
      assert.equal(status, 0, terminal.complained);
      assert.deepEqual(host.ran, [{ ...DEFAULT_RUN_OPTIONS, ...expected }]);
      assert.equal(terminal.complained, "");
    });
  }

  test("under the name keepalived, no word at all", async () => {
    const { host } = await say("", { program: "/usr/sbin/keepalived" });
    assert.equal(host.ran.length, 1);
  });

  test("pretty on a terminal, unless told otherwise", async () => {
    const terminal = new Recorder(true);
    const { host } = await say("run", { terminal });
    await say("run --log-format json", { terminal, host });
    assert.deepEqual(
      host.ran.map(({ logFormat }) => logFormat),
      ["pretty", "json"],
    );
  });

  test("in a namespace", async () => {
    const { host } = await say("-n -s blue");
    assert.deepEqual(host.entered, ["blue"]);
    assert.equal(host.ran.length, 1);
  });
});

describe("options of keepalived without effect", () => {
  const options = "--all -B -b /x -d -X -V -g /x -G -x -A /x -m --no-mem-check --perf --debug";
  for (const option of ["--all", "-X", "-V", "-d", "-x", "-g /l", "-b /b", "-A /a", "-M"]) {
    test(`${option} says so in one line, and runs`, async () => {
      const { status, host, terminal } = await say(`-n ${option}`);
      assert.deepEqual([status, host.ran.length], [0, 1]);
      assert.match(terminal.complained, /^holdfast: .* has no effect: .*\n$/);
    });
  }

  test("all at once", async () => {
    const { terminal, host } = await say(options);
    assert.equal(host.ran.length, 1);
    assert.equal(terminal.complained.split("\n").length - 1, 14);
  });
});

describe("what is refused, with status 2, and nothing runs", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /^Holdfast keeps/],
    ["chekc", /there is no command chekc; did you mean check\?/],
    ["xyzzy", /holdfast help lists the commands/],
    ["help xyzzy", /there is no command xyzzy/],
    ["run extra", /extra is one word too many; see holdfast help run/],
    ["replay", /replay needs FILE/],
    ["run --log-format xml", /there are pretty and json/],
    ["-S 9", /--log-facility 9 is not known/],
    ["-u 99", /--umask 99 is no octal number/],
    ["-P -C", /leave nothing to run/],
    ["-f", /-f needs a value/],
    ["run --config=", /--config needs the name of a file/],
    ["--signum=FOO", /there are STOP, RELOAD, DATA/],
    ["--bogus", /unknown option --bogus/],
  ];
  for (const [line, complaint] of cases) {
    test(`holdfast ${line}`, async () => {
      const { status, host, terminal } = await say(line);
      assert.deepEqual([status, host.ran.length], [2, 0]);
      assert.match(terminal.complained, complaint);
      assert.equal(terminal.written, "");
    });
  }
});

describe("what is only printed", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["-v", /^Holdfast v1\.2\.3\n$/],
    ["--version", /^Holdfast v1\.2\.3\n$/],
    ["version", /^Holdfast v1\.2\.3 \(Node /],
    ["--signum=DATA", /^10\n$/],
    ["--signum=JSON", /^36\n$/],
    ["--signum STATS_CLEAR", /^63\n$/],
    ["help", /^Holdfast keeps/],
    ["--help", /^Holdfast keeps/],
    ["-h", /^Holdfast keeps/],
    ["help doctor", /^Usage: holdfast doctor/],
    ["status --help", /^Usage: holdfast status/],
    ["-n -h", /^Usage: holdfast run/],
  ];
  for (const [line, expected] of cases) {
    test(`holdfast ${line}`, async () => {
      const { status, host, terminal } = await say(line);
      assert.deepEqual([status, host.ran.length, terminal.complained], [0, 0, ""]);
      assert.match(terminal.written, expected);
    });
  }

  for (const text of [overview(COMMANDS), ...COMMANDS.map(usage)]) {
    test(`no line is wider than 80 columns: ${text.split("\n")[0]}`, () => {
      for (const line of text.split("\n")) assert.ok([...line].length <= 80, line);
    });
  }
});

test("the names of commands stand apart from what they do", () => {
  const policy = COMMANDS.find(({ name }) => name === "policy");
  assert.ok(policy !== undefined);
  assert.match(overview(COMMANDS), /^ {2}notifications {2}Show/m);
  assert.match(usage(policy), /^ {2}simulate {2}Show/m);
});

describe("errors", () => {
  test("of the host are told with their remedy, status 1", async () => {
    const host = new RecordingHost();
    host.runAgent = () => Promise.reject(new KernelError("x", "no raw socket", "run as root"));
    const { status, terminal } = await say("run", { host });
    assert.equal(status, 1);
    assert.equal(terminal.complained, "holdfast: no raw socket\n          run as root\n");
  });

  test("of ours keep their stack", async () => {
    const host = new RecordingHost();
    host.runAgent = () => Promise.reject(new TypeError("assertion failed"));
    await assert.rejects(say("run", { host }), /assertion failed/);
  });
});
