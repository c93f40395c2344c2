import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Capture } from "../lab/capture.ts";
import { skip } from "../lab/cluster.ts";
import { eventually } from "../lab/eventually.ts";
import type { InstanceText } from "../lab/instance-text.ts";
import { block, configText } from "../lab/instance-text.ts";
import { nothingLeft } from "../lab/leftovers.ts";
import { Pair } from "../lab/pair.ts";
import { ScriptFolder } from "../lab/script-folder.ts";
import { advertisements } from "../lab/vrrp-frames.ts";
import type { Brand } from "./programs.ts";
import { build } from "./programs.ts";

/*
 * One file with scripts and files that are tracked, on instances and groups, for both programs, each
 * alone on its segment: the same steps give the same priorities on the wire. keepalived counts
 * processes only outside of namespaces, so those are not here.
 */

/** Longer than a few runs of a script, each second, on a busy machine. */
const STEP_MS = 15_000;
/** Without an advertisement for this long, at ten a second, a router is silent. */
const SILENCE_S = 1;

const BASE = 100;

/** A priority on the wire. */
type Heard = number | "silent";

interface Case extends InstanceText {
  readonly name: string;
  /** What is heard of it after each step. */
  readonly heard: readonly Heard[];
}

const scripts = (line: string): readonly string[] => block("track_script", [line]);
const files = (line: string): readonly string[] => block("track_file", [line]);

/** What is done to the scripts and files, in this order. */
const STEPS: readonly (readonly [string, (folder: ScriptFolder) => void])[] = [
  ["all is well", () => undefined],
  [
    "scripts fail, numbers rise",
    (folder) => {
      folder.order("chk", 1);
      folder.write("number", "7\n");
      folder.write("flag", "1");
    },
  ],
  [
    "scripts succeed, numbers are odd",
    (folder) => {
      folder.order("chk", 0);
      folder.write("number", " -0x3 or so");
      folder.write("flag", "nonsense");
    },
  ],
  [
    "scripts cannot run, numbers are extreme",
    (folder) => {
      folder.order("chk", 127);
      folder.write("number", "-200");
      folder.write("flag", "300");
    },
  ],
  [
    "all is well again, and the files are gone",
    (folder) => {
      folder.order("chk", 0);
      folder.remove("number");
      folder.remove("flag");
    },
  ],
];

const CASES: readonly Case[] = [
  { name: "s0", more: scripts("chk"), heard: [100, "silent", 100, "silent", 100] },
  {
    name: "s0r",
    more: scripts("chk weight 0 reverse"),
    heard: ["silent", 100, "silent", 100, "silent"],
  },
  { name: "sp", more: scripts("chk weight 20"), heard: [120, 100, 120, 100, 120] },
  { name: "sm", more: scripts("chk weight -20"), heard: [100, 80, 100, 80, 100] },
  { name: "spr", more: scripts("chk weight 20 reverse"), heard: [80, 100, 80, 100, 80] },
  { name: "smr", more: scripts("chk weight -20 reverse"), heard: [100, 120, 100, 120, 100] },
  { name: "big", more: scripts("chk weight 253"), heard: [254, 100, 254, 100, 254] },
  { name: "low", more: scripts("chk weight -253"), heard: [100, 1, 100, 1, 100] },
  { name: "own", priority: 255, more: scripts("chk weight -20"), heard: [255, 255, 255, 255, 255] },
  {
    name: "two",
    more: block("track_script", ["chk weight 20", "init weight -7"]),
    heard: [120, 93, 120, 93, 120],
  },
  { name: "f2", more: files("number weight 2"), heard: [110, 114, 94, "silent", 100] },
  { name: "f2r", more: files("number weight 2 reverse"), heard: [90, 86, 106, 254, 100] },
  { name: "fd", more: files("number"), heard: [105, 107, 97, 1, 100] },
  { name: "f0", more: files("flag weight 0"), heard: [100, "silent", 100, "silent", 100] },
  {
    name: "f0r",
    more: files("flag weight 0 reverse"),
    heard: ["silent", 100, "silent", 100, "silent"],
  },
  {
    name: "sum",
    more: [...files("number weight 2"), ...scripts("chk weight -20")],
    heard: [110, 94, 94, "silent", 100],
  },
  // Of a group: its own weights count for every member, a member's own where that is asked for.
  { name: "g1a", heard: [105, 100, 105, 100, 105] },
  { name: "g1b", more: scripts("init weight 50"), heard: [105, 100, 105, 100, 105] },
  { name: "g2a", more: scripts("init weight 50"), heard: [155, 100, 155, 100, 155] },
  { name: "g2b", heard: [105, 100, 105, 100, 105] },
  { name: "g3a", more: files("flag weight 9"), heard: [100, 100, 100, 100, 100] },
  { name: "g3b", heard: [100, 100, 100, 100, 100] },
].map((one, at) => ({ ...one, vrid: 11 + at, addresses: [`192.0.2.${111 + at}/32`] }) as Case);

const vrrpScript = (name: string, path: string, ...more: readonly string[]) =>
  block(`vrrp_script ${name}`, [
    `script "${path}"`,
    "interval 1",
    "timeout 2",
    "rise 2",
    "fall 2",
    ...more,
  ]);

const group = (name: string, ...more: readonly string[]) =>
  block(`vrrp_sync_group ${name}`, [...block("group", [`${name}a`, `${name}b`]), ...more]);

function configOf(folder: ScriptFolder): string {
  const path = folder.script("chk", 0);
  folder.write("number", "5");
  folder.write("flag", "0");
  const outside = [
    ...vrrpScript("chk", path),
    ...vrrpScript("init", path, "init_fail"),
    ...block("track_file number", [`file ${folder.file("number")}`]),
    ...block("track_file flag", [`file ${folder.file("flag")}`]),
    ...group("g1", ...scripts("chk weight 5")),
    ...group("g2", "sync_group_tracking_weight", ...scripts("chk weight 5")),
    ...group("g3"),
  ];
  return configText(CASES, ["script_user root", "enable_script_security"], outside);
}

/** Priorities as they are heard now. */
function heardNow(capture: Capture): Readonly<Record<string, Heard>> {
  const now = Date.now() / 1_000;
  const latest = new Map<number, number>();
  for (const { at, vrid, priority } of advertisements(capture.frames)) {
    if (priority > 0 && now - at < SILENCE_S) latest.set(vrid, priority);
  }
  return Object.fromEntries(
    CASES.map(({ name, vrid = 0 }) => [name, latest.get(vrid) ?? "silent"]),
  );
}

async function play(brand: Brand): Promise<void> {
  const folder = new ScriptFolder();
  try {
    await Pair.run({}, async (pair) => {
      const capture = await pair.capture();
      const program = pair.add(build(brand, pair.nodes[0], configOf(folder)));
      await program.start();
      for (const [at, [step, act]] of STEPS.entries()) {
        act(folder);
        const wanted = Object.fromEntries(CASES.map(({ name, heard }) => [name, heard[at]]));
        await eventually(`${brand}: ${step}`, STEP_MS, () =>
          assert.deepEqual(heardNow(capture), wanted),
        );
      }
      await program.stop();
      await capture.stop();
    });
  } finally {
    folder.dispose();
  }
}

describe("trackers", { skip }, () => {
  after(nothingLeft);
  for (const brand of ["keepalived", "holdfast"] as const) {
    test(`${brand} advertises these priorities, from ${BASE}`, () => play(brand));
  }
});
