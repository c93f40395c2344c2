import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, brief, configOf, instanceText, load } from "./lowered.ts";

const session = (lines: string, name = "peer"): string =>
  `bfd_instance ${name} {\nneighbor_ip 192.0.2.2\n${lines}\n}\n`;

/** What a block says, the value that it gives, and what is found besides. */
const ROWS: readonly (readonly [
  text: string,
  path: string,
  value: unknown,
  findings?: readonly string[],
])[] = [
  [session(""), "name", "peer"],
  [session(""), "neighbour", "192.0.2.2"],
  ["bfd_instance p {\nneighbour_ip 2001:db8::2\n}\n", "neighbour", "2001:db8::2"],
  ["bfd_instance p {\nneighbor_ip fe80::2%eth0\n}\n", "interface", "eth0"],
  [session(""), "interface", undefined],
  [session(""), "source", undefined],
  [session("source_ip 192.0.2.1"), "source", "192.0.2.1"],
  [session(""), "minRx", 10_000],
  [session("min_rx 50"), "minRx", 50_000],
  [session("min_rx 1.5"), "minRx", 1_500],
  [session("min_rx 0"), "minRx", 10_000, ["3:8 value-invalid"]],
  [session(""), "minTx", 10_000],
  [session("min_tx 4294967"), "minTx", 4_294_967_000],
  [session("min_tx 4294968"), "minTx", 10_000, ["3:8 value-invalid"]],
  [session("min_tx soon"), "minTx", 10_000, ["3:8 value-invalid"]],
  [session(""), "idleTx", 1_000_000],
  [session("idle_tx 2000"), "idleTx", 2_000_000],
  [session("idle_tx 999"), "idleTx", 1_000_000, ["3:9 value-invalid"]],
  [session(""), "multiplier", 5],
  [session("multiplier 3"), "multiplier", 3],
  [session("multiplier 256"), "multiplier", 5, ["3:12 value-invalid"]],
  [session(""), "passive", false],
  [session("passive"), "passive", true],
  [session(""), "hops", "single"],
  [session("multihop"), "hops", "multiple"],
  [session(""), "hopLimit", 255],
  [session("ttl 64"), "hopLimit", 64],
  ["bfd_instance p {\nneighbor_ip 2001:db8::2\n}\n", "hopLimit", 255],
  ["bfd_instance p {\nneighbor_ip 2001:db8::2\nhoplimit 64\n}\n", "hopLimit", 64],
  [session(""), "leastTtl", 255],
  [session("max_hops 3"), "leastTtl", 252],
  [session("ttl 64\nmax_hops 3"), "leastTtl", 61],
  [session("max_hops 255"), "leastTtl", 0],
  [session("max_hops -1"), "leastTtl", 0],
  [session("weight -20 reverse"), "weight", -20],
  [session("weight -20 reverse"), "reverse", true],
];

describe("bfd_instance", () => {
  for (const [text, path, expected, findings = []] of ROWS) {
    test(`${text.replaceAll("\n", " ")}: ${path}`, () => {
      const { config, diagnostics } = load(text);
      assert.deepEqual(brief(diagnostics), findings);
      assert.deepEqual(at(config?.bfdInstances[0], path), expected);
    });
  }
});

const REFUSED: readonly (readonly [string, string, string])[] = [
  ["no neighbour", "bfd_instance p {\npassive\n}\n", "1:14 tracker-invalid"],
  ["no address", "bfd_instance p {\nneighbor_ip nowhere\n}\n", "2:13 tracker-invalid"],
  ["two families", session("source_ip 2001:db8::1"), "3:11 tracker-invalid"],
  ["link-local of no link", "bfd_instance p {\nneighbor_ip fe80::2\n}\n", "2:13 tracker-invalid"],
  ["two of one neighbour", session("") + session("", "other"), "5:14 tracker-invalid"],
  ["the name twice", session("") + session(""), "5:14 name-duplicate"],
];

for (const [what, text, finding] of REFUSED) {
  test(`refused: ${what}`, () => {
    const { config, diagnostics } = load(text);
    assert.equal(config, undefined);
    assert.deepEqual(brief(diagnostics), [finding]);
  });
}

test("one neighbour may have several sessions that packets can be told apart for", () => {
  const text =
    session("source_ip 192.0.2.1", "a") +
    session("source_ip 192.0.2.7", "b") +
    session("multihop\nmax_hops 255", "c");
  assert.deepEqual(
    configOf(text).bfdInstances.map(({ name }) => name),
    ["a", "b", "c"],
  );
});

const tracked = (lines: string, before: string): unknown =>
  at(configOf(before + instanceText(`track_bfd {\n${lines}\n}`)), "instances.0.trackers");

test("track_bfd of an instance: its own weight, or the session's", () => {
  const tracker = "track_bfd peer";
  assert.deepEqual(tracked("peer", session("")), [{ tracker, weight: 0, reverse: false }]);
  assert.deepEqual(tracked("peer", session("weight -20 reverse")), [
    { tracker, weight: -20, reverse: true },
  ]);
  assert.deepEqual(tracked("peer weight 7 noreverse", session("weight -20 reverse")), [
    { tracker, weight: 7, reverse: false },
  ]);
});

test("track_bfd of a group", () => {
  const group = "vrrp_sync_group G {\ngroup {\nVI\n}\ntrack_bfd {\npeer\n}\n}\n";
  const config = configOf(session("") + group + instanceText(""));
  assert.deepEqual(config.syncGroups[0]?.trackers, [
    { tracker: "track_bfd peer", weight: 0, reverse: false },
  ]);
});

test("with checker alone a session is not for routers; with vrrp, or both, it is", () => {
  const text = (lines: string): string => session(lines) + instanceText("track_bfd {\npeer\n}");
  assert.deepEqual(brief(load(text("checker")).diagnostics), ["7:1 tracker-unknown"]);
  assert.deepEqual(brief(load(text("vrrp")).diagnostics), []);
  assert.deepEqual(brief(load(text("vrrp\nchecker")).diagnostics), []);
});
