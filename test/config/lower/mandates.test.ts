import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Config } from "../../../agent/config/config.ts";
import { loadConfig } from "../../../agent/config/load.ts";
import { STORE_KEY } from "../../../agent/config/mandates.ts";
import { memoryHost } from "../language/memory-host.ts";
import { brief, instanceText } from "./lowered.ts";

const SETTINGS = "/etc/holdfast/holdfast.conf";
const AGENT = "/usr/sbin/fence_apc";
const OWN = `witness etcd {
endpoint http://127.0.0.1:2379
}
fence pdu1 {
program ${AGENT}
}
fence pdu2 {
program ${AGENT}
}
`;
/** Both devices, so that none of them is idle. */

function load(text: string, own: string | null = OWN) {
  const host = memoryHost({ [AGENT]: "", ...(own !== null && { [SETTINGS]: own }) });
  const loaded = loadConfig({ file: "k.conf", text }, host);
  return { ...loaded, findings: brief(loaded.diagnostics) };
}

/** Findings without those of a store or device that the text leaves alone. */
const found = (text: string): readonly string[] =>
  load(text).findings.filter((each) => !each.endsWith("mandate-idle"));

function configOf(text: string): Config {
  const { config, findings } = load(text);
  assert.ok(config !== undefined, findings.join("\n"));
  return config;
}

const bfd = "bfd_instance far {\nneighbor_ip 192.0.2.9\n}\n";
const group = (lines: string): string =>
  `vrrp_sync_group G {\ngroup {\nA\nB\n}\n${lines}\n}\n${member("A", 51)}${member("B", 52)}`;
const member = (name: string, vrid: number, lines = ""): string =>
  instanceText(
    `virtual_router_id ${vrid}\nvirtual_ipaddress {\n192.0.2.${vrid}/24\n}\n${lines}`,
    name,
  );

const FENCED = member("FENCED", 99, "holdfast_fence pdu1 pdu2");

describe("what is asked for before routers become active", () => {
  test("nothing, where nothing is said", () => {
    assert.deepEqual(configOf(group("")).mandates, []);
    assert.deepEqual(configOf(instanceText("holdfast_witness off")).mandates, []);
  });

  test("a group asks for all of its members, under its own name", () => {
    const { mandates, instances } = configOf(
      group("holdfast_witness required\nholdfast_fence pdu2 pdu1"),
    );
    assert.deepEqual(mandates, [
      {
        name: "G",
        members: ["A", "B"],
        lease: { mode: "required", key: "G", failsafe: false },
        fences: ["pdu2", "pdu1"],
      },
    ]);
    assert.deepEqual(
      instances.map(({ router }) => router.inSyncGroup),
      [true, true],
    );
  });

  test("an instance that is in no group asks for itself, under the name that is written", () => {
    const { mandates, instances } = configOf(instanceText("holdfast_witness advisory site/web"));
    assert.deepEqual(mandates, [
      {
        name: "VI",
        members: ["VI"],
        lease: { mode: "advisory", key: "site/web", failsafe: false },
        fences: [],
      },
    ]);
    assert.equal(instances[0]?.router.inSyncGroup, true);
    assert.equal(instances[0]?.syncGroup, undefined);
  });

  test("global_defs speaks for all that do not say it themselves", () => {
    const text = `${group("holdfast_witness off")}${member("C", 53)}${member("D", 54, "holdfast_witness advisory")}
global_defs {\nholdfast_witness required\n}\n`;
    const { mandates, instances } = configOf(text);
    assert.deepEqual(
      mandates.map(({ name, lease }) => [name, lease?.mode]),
      [
        ["C", "required"],
        ["D", "advisory"],
      ],
    );
    assert.deepEqual(
      instances.map(({ fencing }) => fencing),
      ["auto", "auto", "gate", "auto"],
    );
  });

  test("fences alone need no lease", () => {
    const { mandates } = configOf(FENCED);
    assert.deepEqual(
      mandates.map(({ lease, fences }) => [lease, fences]),
      [[undefined, ["pdu1", "pdu2"]]],
    );
  });

  test("failsafe goes by BFD sessions of the group, or of a member", () => {
    const tracked = "track_bfd {\nfar\n}";
    for (const text of [
      group(`holdfast_witness required failsafe\n${tracked}`),
      instanceText(`holdfast_witness required VI failsafe\n${tracked}`),
    ]) {
      assert.equal(configOf(bfd + text).mandates[0]?.lease?.failsafe, true);
    }
    const none = found(group("holdfast_witness required failsafe"));
    assert.deepEqual(none, ["6:27 witness-invalid"]);
  });

  test("required makes auto the gate, on every instance that it is for", () => {
    const text = `global_defs {\nholdfast_fencing auto\n}\n${group("holdfast_witness required")}`;
    const { instances } = configOf(text);
    assert.deepEqual(
      instances.map(({ fencing, router }) => [fencing, router.fenced]),
      [
        ["gate", true],
        ["gate", true],
      ],
    );
    assert.equal(configOf(group("holdfast_witness advisory")).instances[0]?.fencing, "auto");
  });
});

describe("what could hold nobody to a lease is refused at its place", () => {
  const ROWS: Readonly<Record<string, readonly [text: string, findings: readonly string[]]>> = {
    "without fencing": [
      instanceText("holdfast_witness required\nholdfast_fencing off"),
      ["3:18 witness-impossible"],
    ],
    "with lifetimes alone": [
      instanceText("holdfast_witness required\nholdfast_fencing lifetime"),
      ["3:18 witness-impossible"],
    ],
    "with fencing off for all": [
      `global_defs {\nholdfast_fencing off\n}\n${instanceText("holdfast_witness required")}`,
      ["4:15 witness-impossible"],
    ],
    "for an owner": [
      instanceText("priority 255\nholdfast_witness required"),
      ["2:10 witness-impossible"],
    ],
    "with timers that allow no gate": [
      instanceText("down_timer_adverts 1\nholdfast_witness required"),
      ["1:15 fencing-impossible", "2:20 witness-impossible"],
    ],
    "another mode": [instanceText("holdfast_witness requird"), ["2:18 essential-value"]],
    "no mode": [instanceText("holdfast_witness"), ["2:1 missing-argument"]],
    "a misspelt word": [instanceText("holdfast_witnes required"), ["2:1 essential-unknown"]],
    "a third word": [instanceText("holdfast_witness required a b"), ["2:29 essential-value"]],
    "off with a name": [instanceText("holdfast_witness off a"), ["2:22 witness-invalid"]],
    "failsafe of advisory": [
      instanceText("holdfast_witness advisory failsafe"),
      ["2:27 witness-invalid"],
    ],
    "one name for all": [
      `global_defs {\nholdfast_witness advisory web\n}\n${instanceText("")}`,
      ["2:27 witness-invalid"],
    ],
    "a name that is none": [
      instanceText("holdfast_witness advisory a/../b"),
      ["2:27 witness-invalid"],
    ],
    "a group's own name that is none": [
      instanceText("holdfast_witness advisory", '"web site"'),
      ["1:15 witness-invalid"],
    ],
    "two with one lease": [
      `${member("A", 51, "holdfast_witness advisory web")}${member("B", 52, "holdfast_witness advisory web")}`,
      ["14:27 witness-invalid"],
    ],
    "a member of a group": [
      `${group("")}${member("C", 53)}`.replace(
        "vrrp_instance B {",
        "vrrp_instance B {\nholdfast_witness off\nholdfast_fence pdu1",
      ),
      ["17:1 mandate-misplaced"],
    ],
    "a group and an instance with one name": [
      `${group("holdfast_fence pdu1")}${member("G", 53, "holdfast_fence pdu2")}`,
      ["24:15 name-duplicate"],
    ],
    "a fence for all": [
      `global_defs {\nholdfast_fence pdu1\n}\n${instanceText("")}`,
      ["2:1 essential-misplaced"],
    ],
    "a fence that is named twice": [
      instanceText("holdfast_fence pdu1 pdu1"),
      ["2:21 fence-invalid"],
    ],
    "a fence that is not there": [
      instanceText("holdfast_fence pdu1 pud2 far"),
      ["2:21 fence-unknown", "2:26 fence-unknown"],
    ],
  };
  for (const [name, [text, findings]] of Object.entries(ROWS)) {
    test(name, () => assert.deepEqual(found(text), findings));
  }

  test("the finding names the lines that are at odds, and the next step", () => {
    const text = instanceText("holdfast_witness required\nholdfast_fencing off");
    const [first] = load(text).diagnostics;
    assert.match(first?.message ?? "", /holdfast_witness required \(k\.conf:2\)/);
    assert.match(first?.hint ?? "", /holdfast_fencing gate/);
  });
});

describe("what needs holdfast.conf", () => {
  const asks = `${instanceText("holdfast_witness required")}${FENCED}`;

  test("a lease without a store, and a fence that is not defined, name the file to write to", () => {
    const { diagnostics, config } = load(asks, "");
    assert.equal(config, undefined);
    assert.deepEqual(brief(diagnostics), [
      "2:1 witness-missing",
      "14:16 fence-unknown",
      "14:21 fence-unknown",
    ]);
    for (const { hint } of diagnostics) assert.match(hint ?? "", /etc\/holdfast\/holdfast\.conf/);
  });

  test("also where there is no such file at all", () => {
    assert.equal(load(instanceText("holdfast_witness advisory"), null).config, undefined);
    assert.deepEqual(load(instanceText("holdfast_witness off"), null).findings, []);
  });

  test("a misspelt fence gets what was meant", () => {
    const text = instanceText("holdfast_fence pud2");
    const hints = load(text).diagnostics.map(({ hint }) => hint);
    assert.ok(hints.includes('did you mean "pdu2"?'), hints.join("\n"));
  });

  test("a file with errors, or that may not be read here, is not said to lack anything", () => {
    assert.deepEqual(load(asks, "witness etcd {\n}\n").findings, ["1:9 witness-invalid"]);
    const host = memoryHost({ [AGENT]: "" });
    const entry = { file: "k.conf", text: instanceText("holdfast_witness advisory") };
    const readFile = () => ({ ok: false, errno: "EACCES" }) as const;
    const { diagnostics, config } = loadConfig(entry, { ...host, uid: 1_000, readFile });
    assert.deepEqual(brief(diagnostics), ["1:1 settings-not-seen"]);
    assert.notEqual(config, undefined);
  });

  test("a store or device that nobody asks is said to protect nothing", () => {
    assert.deepEqual(load(asks).findings, []);
    const idle = load(instanceText("holdfast_fence pdu2"));
    assert.deepEqual(idle.findings, ["1:9 mandate-idle", "4:7 mandate-idle"]);
    assert.notEqual(idle.config, undefined);
  });
});

test("names of leases are what every store keeps as it is written", () => {
  for (const good of ["web", "site/web-1", "a.b_c", "VI_1", "x".repeat(64), "..a/b.."]) {
    assert.match(good, STORE_KEY);
  }
  for (const bad of ["", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a b", "ä", "a\n"]) {
    assert.doesNotMatch(bad, STORE_KEY, bad);
  }
  assert.doesNotMatch("x".repeat(65), STORE_KEY);
});
