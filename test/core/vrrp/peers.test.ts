import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seconds } from "../../../agent/core/time.ts";
import type { Admitted } from "../../../agent/core/vrrp/admission.ts";
import type { PeerChecksum, Peers } from "../../../agent/core/vrrp/peers.ts";
import { hearPeer, MAX_PEERS } from "../../../agent/core/vrrp/peers.ts";
import { at, ip } from "./example.ts";

const admitted = (source: string, changes: Partial<Admitted> = {}): Admitted => ({
  advertisement: { source: ip(source), priority: 150, maxAdvertiseInterval: seconds(1) },
  sameAddresses: true,
  firstAddressLinkLocal: true,
  ...changes,
});

/** Hears one after the other, and tells the alarms of each. */
function hear(...heard: readonly (readonly [Admitted, PeerChecksum?, PeerChecksum?])[]): {
  readonly peers: Peers;
  readonly alarms: readonly (readonly string[])[];
} {
  let peers: Peers = [];
  const alarms = heard.map(([one, checksum, own], now) => {
    const next = hearPeer(peers, one, checksum, own, at(now));
    peers = next.peers;
    return next.alarms.map(({ alarm, from }) => `${alarm} ${from}`);
  });
  return { peers, alarms };
}

test("a peer is recorded and counted; who spoke last stands last", () => {
  const { peers } = hear([admitted("192.0.2.9")], [admitted("192.0.2.8")], [admitted("192.0.2.9")]);
  assert.deepEqual(
    peers.map(({ address, advertisements, heardAt }) => [address, advertisements, heardAt]),
    [
      ["192.0.2.8", 1, 1],
      ["192.0.2.9", 2, 2],
    ],
  );
  assert.deepEqual(structuredClone(peers), peers);
});

test("a flood of senders does not grow the table: who was silent longest goes", () => {
  const { peers } = hear(
    ...Array.from({ length: 200 }, (_, n) => [admitted(`192.0.2.${n}`)] as const),
  );
  assert.equal(peers.length, MAX_PEERS);
  assert.deepEqual([peers[0]?.address, peers.at(-1)?.address], ["192.0.2.136", "192.0.2.199"]);
});

describe("alarms are told when they begin", () => {
  test("a foreign address list", () => {
    const foreign = admitted("192.0.2.9", { sameAddresses: false });
    const unknown = admitted("192.0.2.9", { sameAddresses: undefined });
    const same = admitted("192.0.2.9");
    const { alarms } = hear([foreign], [foreign], [unknown], [same], [unknown], [foreign]);
    const told = ["address-list-mismatch 192.0.2.9"];
    assert.deepEqual(alarms, [told, [], [], [], [], told]);
    assert.deepEqual(hear([foreign], [unknown], [foreign]).alarms, [told, [], []]);
  });

  test("an IPv6 list that does not begin link-local", () => {
    const odd = admitted("fe80::9", { firstAddressLinkLocal: false });
    const { alarms } = hear([odd], [odd], [admitted("fe80::9")], [odd]);
    const told = ["first-address-not-link-local fe80::9"];
    assert.deepEqual(alarms, [told, [], [], told]);
  });

  test("a checksum of another form than ours, or than another peer's", () => {
    const one = admitted("192.0.2.9");
    const other = admitted("192.0.2.8");
    const mix = (from: string) => [`checksum-mix ${from}`];
    const ours = hear([one, "message", "pseudo-header"], [one, "message", "pseudo-header"]).alarms;
    assert.deepEqual(ours, [mix("192.0.2.9"), []]);
    const theirs = hear([one, "message"], [other, "pseudo-header"]).alarms;
    assert.deepEqual(theirs, [[], mix("192.0.2.8")]);
    const changed = hear([one, "message", "message"], [one, "pseudo-header", "message"]).alarms;
    assert.deepEqual(changed, [[], mix("192.0.2.9")]);
    assert.deepEqual(hear([one, undefined, "message"], [other, "message", "message"]).alarms, [
      [],
      [],
    ]);
  });
});
