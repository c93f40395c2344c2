import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { staysInProportion } from "../../proportion.ts";
import { at, brief, configOf, instanceText, load } from "./lowered.ts";

const FILES = { "/bin/check": "", "/usr/bin/killall": "", "/bin/sh": "" };

const script = (lines: string): string =>
  `vrrp_script chk {\nscript "/bin/check -a"\n${lines}\n}\n${instanceText("track_script {\nchk\n}")}`;
const file = (lines: string): string =>
  `track_file f {\nfile /run/f\n${lines}\n}\n${instanceText("track_file {\nf\n}")}`;
const process = (lines: string): string =>
  `vrrp_track_process p {\nprocess nginx\n${lines}\n}\n${instanceText("track_process {\np\n}")}`;

/** What a block says, the value of the tracker that it gives, and what is found besides. */
const ROWS: readonly (readonly [
  text: string,
  path: string,
  value: unknown,
  findings?: readonly string[],
])[] = [
  [script(""), "run.command.argv", ["/bin/check", "-a"]],
  [script(""), "run.command.position", { file: "k.conf", line: 2, column: 8 }],
  [script(""), "run.command.runAs", undefined],
  [script(""), "interval", 1_000_000],
  [script(""), "rise", 1],
  [script(""), "weight", 0],
  [script("interval 0.25"), "interval", 250_000],
  [script("interval 2"), "timeout", 2_000_000],
  [script("interval 0"), "interval", 1_000_000, ["3:10 value-invalid"]],
  [script("interval 5\ntimeout 3"), "timeout", 3_000_000],
  [script("interval 2\ntimeout 3"), "timeout", 3_000_000, ["4:9 timeout-exceeds-interval"]],
  [script("weight -20"), "weight", -20],
  [script("weight 5 reverse"), "reverse", true],
  [script("weight 5 noreverse"), "reverse", false],
  [script("weight 300"), "weight", 0, ["3:8 value-invalid"]],
  [script("rise 3"), "rise", 3],
  [script("fall 4"), "fall", 4],
  [script("fall 0"), "fall", 1, ["3:6 value-invalid"]],
  [script("init_fail"), "initFail", true],
  [script(""), "initFail", false],
  [script("user checker"), "run.command.runAs", { uid: 1000, gid: 100, groups: [] }],
  [script("user checker adm"), "run.command.runAs", { uid: 1000, gid: 4, groups: [] }],
  [script("user ghost"), "run.kind", "refused", ["3:6 program-refused"]],
  [script("user checker ghosts"), "run.kind", "refused", ["3:6 program-refused"]],
  [file(""), "path", "/run/f"],
  [file(""), "weight", 1],
  [file(""), "init", undefined],
  [file("weight 3 reverse"), "reverse", true],
  [file("weight 0"), "weight", 0],
  [file("init_file"), "init", { value: 0, overwrite: false }],
  [file("init_file 7 overwrite"), "init", { value: 7, overwrite: true }],
  [file("init_file overwrite"), "init", { value: 0, overwrite: true }],
  [process(""), "program", "nginx"],
  [process(""), "parameters", []],
  [process(""), "parameterMatch", "none"],
  [process("process nginx -g x"), "parameters", ["-g", "x"], ["3:1 duplicate-keyword"]],
  [process("process nginx -g x"), "parameterMatch", "exact", ["3:1 duplicate-keyword"]],
  [
    process("process nginx -g\nparam_match partial"),
    "parameterMatch",
    "partial",
    ["3:1 duplicate-keyword"],
  ],
  [process("full_command"), "fullCommand", true],
  [process(""), "quorum", 1],
  [process(""), "quorumMax", undefined],
  [process("quorum 3\nquorum_max 5"), "quorumMax", 5],
  [process("quorum_max 0"), "quorum", 0],
  [process("delay 2"), "terminateDelay", 2_000_000],
  [process("delay 2\nfork_delay 0.5"), "forkDelay", 500_000],
  [process("terminate_delay 3"), "terminateDelay", 3_000_000],
  [process("terminate_delay 3"), "forkDelay", 0],
  [
    process("process a-very-long-name-indeed"),
    "program",
    "a-very-long-name-indeed",
    ["3:1 duplicate-keyword", "3:9 process-name-unusable"],
  ],
  [
    process("process /usr/sbin/nginx\nfull_command"),
    "program",
    "/usr/sbin/nginx",
    ["3:1 duplicate-keyword"],
  ],
  [process("weight 254"), "weight", 254],
];

describe("trackers", () => {
  for (const [text, path, value, findings = []] of ROWS) {
    test(`${text.split("\n").slice(1, 4).join(" · ")}: ${path}`, () => {
      const { config, diagnostics } = load(text, FILES);
      assert.deepEqual(brief(diagnostics), findings);
      assert.deepEqual(at(config, `trackers.0.${path}`), value);
    });
  }

  test("groups of the user come with set_supplementary_groups", () => {
    const text = `global_defs {\nset_supplementary_groups\nscript_user checker\n}\n${script("")}`;
    const runAs = at(configOf(text, FILES), "trackers.0.run.command.runAs");
    assert.deepEqual(runAs, { uid: 1000, gid: 100, groups: [100, 4] });
  });

  test("a policy's check stands for a script; its own rise and fall count", () => {
    const text = `vrrp_script chk {\nscript "policy:nginx/alive"\nweight -5\ninit_fail\nrise 2\n}\n${instanceText("track_script {\nchk\n}")}`;
    const { config, diagnostics } = load(text);
    assert.deepEqual(brief(diagnostics), ["5:1 setting-ignored"]);
    assert.deepEqual(at(config, "trackers.0.run"), {
      kind: "policy",
      position: { file: "k.conf", line: 2, column: 8 },
      policy: "nginx",
      check: "alive",
    });
    assert.equal(at(config, "trackers.0.weight"), -5);
  });
});

/** Trackers for the lines below, then what an instance says of them. */
const tracking = (lines: string, around = ""): string =>
  `${around}vrrp_script chk_nginx {\nscript /bin/check\nweight 5 reverse\n}\nvrrp_script other {\nscript policy:p/c\n}\ntrack_file f {\nfile /run/f\nweight 2\n}\nvrrp_track_process p {\nprocess nginx\nweight -9\n}\n${instanceText(`track_file {\nf\n}\ntrack_process {\np\n}\ntrack_script {\nother\n${lines}\n}`)}`;

describe("what an instance tracks", () => {
  test("a weight of its own stands before the tracker's; what it leaves out is the tracker's", () => {
    const table: readonly [string, number, boolean][] = [
      ["chk_nginx", 5, true],
      ["chk_nginx weight 7", 7, true],
      ["chk_nginx weight 7 noreverse", 7, false],
      ["chk_nginx noreverse", 5, false],
      ["chk_nginx weight 0 noreverse", 0, false],
    ];
    for (const [line, weight, reverse] of table) {
      const trackers = at(configOf(tracking(line), FILES), "instances.0.trackers");
      assert.deepEqual(trackers, [
        { tracker: "file f", weight: 2, reverse: false },
        { tracker: "process p", weight: -9, reverse: false },
        { tracker: "script other", weight: 0, reverse: false },
        { tracker: "script chk_nginx", weight, reverse },
      ]);
    }
  });

  const FINDINGS: readonly (readonly [
    string,
    readonly string[],
    refused: boolean,
    hint?: RegExp,
  ])[] = [
    ["chk_ngnix", ["25:1 tracker-unknown"], true, /did you mean "chk_nginx"\?/],
    ["nothing_like_it", ["25:1 tracker-unknown"], true, /write vrrp_script nothing_like_it \{/],
    ["f", ["25:1 tracker-unknown"], true],
    ["chk_nginx weight 999", ["25:18 tracker-option-unknown"], false],
    ["chk_nginx heavy", ["25:11 tracker-option-unknown"], false],
    ["chk_nginx\nchk_nginx weight 3", ["26:1 tracker-duplicate"], false],
  ];
  for (const [lines, findings, refused, hint = /./] of FINDINGS) {
    test(lines, () => {
      const { config, diagnostics } = load(tracking(lines), FILES);
      const unused = refused ? ["1:13 tracker-unused"] : [];
      assert.deepEqual(brief(diagnostics), [...unused, ...findings]);
      assert.match(diagnostics.at(-1)?.hint ?? "write", hint);
      assert.equal(config === undefined, refused);
    });
  }

  test("groups track for all of their members", () => {
    const group =
      "vrrp_sync_group G {\ngroup {\nVI\n}\nsync_group_tracking_weight\ntrack_script {\nchk_nginx weight 3\n}\ntrack_file {\nf\n}\ntrack_process {\np weight 1\n}\n}\n";
    const config = configOf(tracking("chk_nginx", group), FILES);
    assert.deepEqual(config.syncGroups[0]?.trackers, [
      { tracker: "script chk_nginx", weight: 3, reverse: true },
      { tracker: "file f", weight: 2, reverse: false },
      { tracker: "process p", weight: 1, reverse: false },
    ]);
  });

  test("weights in a group that lets none count, and of an owner, are said", () => {
    const group = "vrrp_sync_group G {\ngroup {\nVI\n}\ntrack_script {\nchk_nginx\n}\n}\n";
    const grouped = load(tracking("chk_nginx", group), FILES).diagnostics;
    assert.deepEqual(
      brief(grouped).filter((line) => line.endsWith("weight-ignored")),
      ["6:1 weight-ignored", "26:1 weight-ignored", "29:1 weight-ignored", "33:1 weight-ignored"],
    );
    const owner = tracking("chk_nginx").replace(
      "track_file {\nf\n}\ntrack_p",
      "priority 255\ntrack_p",
    );
    const { diagnostics } = load(owner, FILES);
    assert.deepEqual(brief(diagnostics), [
      "8:12 tracker-unused",
      "19:1 weight-ignored",
      "23:1 weight-ignored",
    ]);
    assert.match(diagnostics[1]?.message ?? "", /priority 255/);
  });

  test("a tracker that could never be good is an error", () => {
    const table: readonly (readonly [string, string])[] = [
      ["vrrp_script s {\ninterval 2\n}\n", "1:13 tracker-invalid"],
      ['vrrp_script s {\nscript "policy:nginx"\n}\n', "2:8 tracker-invalid"],
      ["track_file s {\nweight 2\n}\n", "1:12 tracker-invalid"],
      ["track_file s {\nfile run/x\n}\n", "2:6 tracker-invalid"],
      ["vrrp_track_process s {\nweight 2\n}\n", "1:20 tracker-invalid"],
      ["vrrp_track_process s {\nprocess a\nquorum 3\nquorum_max 2\n}\n", "4:12 tracker-invalid"],
    ];
    for (const [text, finding] of table) {
      const { config, diagnostics } = load(text);
      assert.equal(config, undefined, text);
      assert.ok(brief(diagnostics).includes(finding), `${text}: ${brief(diagnostics).join()}`);
    }
  });

  test("one name twice is an error, whichever of its spellings", () => {
    const text = "track_file f {\nfile /a\n}\nvrrp_track_file f {\nfile /b\n}\n";
    assert.ok(brief(load(text).diagnostics).includes("4:17 name-duplicate"));
  });
});

test("thousands of trackers take time in proportion", () => {
  const textOf = (count: number): string =>
    Array.from(
      { length: count },
      (_, i) =>
        `vrrp_script c${i} {\nscript "/bin/check ${i}"\n}\n${instanceText(
          `interface e${i >> 7}\nvirtual_router_id ${(i & 127) + 1}\nvirtual_ipaddress {\n10.${i >> 8}.${i & 255}.1\n}\ntrack_script {\nc${i}\n}\nnotify "/bin/check x"`,
          `V${i}`,
        )}`,
    ).join("");
  staysInProportion((count) => {
    assert.equal(configOf(textOf(count), FILES).trackers.length, count);
  }, 1_000);
});
