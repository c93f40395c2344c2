import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { IpAddress } from "../../../agent/core/address.ts";
import { seconds } from "../../../agent/core/time.ts";
import type { AdmissionPolicy, Arrival } from "../../../agent/core/vrrp/admission.ts";
import { admit, refuseTtl } from "../../../agent/core/vrrp/admission.ts";
import type { DropReason } from "../../../agent/core/vrrp/drop-reason.ts";
import { ip, OURS } from "./example.ts";

const PEER = ip("192.0.2.9");
const GROUP_ADDRESS = ip("224.0.0.18");
const SERVICE = [ip("192.0.2.1"), ip("192.0.2.2")];
const MULTICAST = { mode: "multicast", group: GROUP_ADDRESS } as const;
const UNBOUNDED = { address: PEER, minTtl: undefined, maxTtl: undefined };
const unicast = (changes: Partial<Extract<AdmissionPolicy["transport"], { mode: "unicast" }>>) => ({
  mode: "unicast" as const,
  peers: [UNBOUNDED],
  checkSource: false,
  ...changes,
});

const policy = (changes: Partial<AdmissionPolicy> = {}): AdmissionPolicy => ({
  version: 3,
  advertisementInterval: seconds(1),
  priority: 100,
  primaryAddress: OURS,
  loopback: false,
  transport: MULTICAST,
  addresses: SERVICE,
  addressListMismatch: "alarm",
  skipAddressListCheck: false,
  strict: false,
  ignoreAll: false,
  ...changes,
});

const arrival = (changes: Partial<Arrival> = {}): Arrival => ({
  source: PEER,
  destination: GROUP_ADDRESS,
  ttl: 255,
  priority: 150,
  maxAdvertiseInterval: seconds(1),
  addresses: SERVICE,
  ...changes,
});

const outcome = (
  policyChanges: Partial<AdmissionPolicy>,
  arrivalChanges: Partial<Arrival>,
  lastHeard?: IpAddress,
): "admitted" | DropReason => {
  const answer = admit(policy(policyChanges), arrival(arrivalChanges), lastHeard);
  return answer.ok ? "admitted" : answer.reason;
};

test("what is in order is admitted as an advertisement", () => {
  assert.deepEqual(admit(policy(), arrival(), undefined), {
    ok: true,
    value: {
      advertisement: { source: PEER, priority: 150, maxAdvertiseInterval: seconds(1) },
      sameAddresses: true,
      firstAddressLinkLocal: true,
    },
  });
});

describe("TTL", () => {
  test("multicast: 255 and nothing else [RFC9568-5.1.1.3] [RFC9568-5.1.2.3] [RFC3768-5.2.3]", () => {
    assert.equal(outcome({}, { ttl: 255 }), "admitted");
    for (const ttl of [0, 1, 64, 254]) assert.equal(outcome({}, { ttl }), "ttl");
    // IPv6 sockets do not tell; a kernel filter has looked.
    assert.equal(outcome({}, { ttl: undefined }), "admitted");
  });

  test("unicast: the peer's bounds, and none by default", () => {
    const to = { destination: OURS };
    assert.equal(outcome({ transport: unicast({}) }, { ...to, ttl: 1 }), "admitted");
    const bounded = unicast({ peers: [{ address: PEER, minTtl: 250, maxTtl: 254 }] });
    for (const [ttl, expected] of [
      [249, "ttl"],
      [250, "admitted"],
      [254, "admitted"],
      [255, "ttl"],
    ] as const) {
      assert.equal(outcome({ transport: bounded }, { ...to, ttl }), expected);
    }
    const oneSided = unicast({ peers: [{ address: PEER, minTtl: 254, maxTtl: undefined }] });
    assert.equal(refuseTtl(oneSided, PEER, 255), undefined);
    assert.equal(refuseTtl(oneSided, PEER, 253), "ttl");
  });
});

describe("interval", () => {
  test("v2: another one is dropped [RFC3768-7.1]", () => {
    assert.equal(outcome({ version: 2 }, {}), "admitted");
    const other = { maxAdvertiseInterval: seconds(2) };
    assert.equal(outcome({ version: 2 }, other), "interval-mismatch");
  });

  test("v3: another one is taken [RFC9568-7.1]", () => {
    assert.equal(outcome({}, { maxAdvertiseInterval: seconds(2) }), "admitted");
  });
});

describe("the way it came", () => {
  test("multicast takes its own group only", () => {
    for (const destination of [OURS, ip("224.0.0.5")]) {
      assert.equal(outcome({}, { destination }), "destination");
    }
    const other = { mode: "multicast", group: ip("239.0.0.1") } as const;
    assert.equal(outcome({ transport: other }, { destination: ip("239.0.0.1") }), "admitted");
    assert.equal(outcome({}, { destination: undefined }), "admitted");
  });

  test("unicast takes no multicast", () => {
    assert.equal(outcome({ transport: unicast({}) }, {}), "destination");
    assert.equal(outcome({ transport: unicast({}) }, { destination: OURS }), "admitted");
  });

  test("unicast sources are checked when asked for, or when a peer has bounds", () => {
    const stranger = { source: ip("192.0.2.77"), destination: OURS };
    const bounded = [UNBOUNDED, { address: ip("192.0.2.8"), minTtl: 255, maxTtl: undefined }];
    assert.equal(outcome({ transport: unicast({}) }, stranger), "admitted");
    const checked = unicast({ checkSource: true });
    assert.equal(outcome({ transport: checked }, stranger), "source-not-a-peer");
    assert.equal(outcome({ transport: checked }, { destination: OURS }), "admitted");
    const implied = unicast({ peers: bounded });
    assert.equal(outcome({ transport: implied }, stranger), "source-not-a-peer");
  });

  test("what the socket hands back of our own is dropped, a duplicate of our address is not", () => {
    const looped = { loopback: true };
    assert.equal(outcome(looped, { source: OURS, priority: 100 }), "own-packet");
    assert.equal(outcome(looped, { source: OURS, priority: 0 }), "own-packet");
    assert.equal(outcome(looped, { source: OURS, priority: 150 }), "admitted");
    assert.equal(outcome({}, { source: OURS, priority: 100 }), "admitted");
  });
});

describe("the addresses", () => {
  const foreign = { addresses: [ip("192.0.2.1"), ip("198.51.100.1")] };

  test("a foreign list is admitted and marked, or dropped as asked [RFC9568-7.1]", () => {
    const answer = admit(policy(), arrival(foreign), undefined);
    assert.equal(answer.ok && answer.value.sameAddresses, false);
    assert.equal(outcome({ addressListMismatch: "drop" }, foreign), "address-list");
    assert.equal(outcome({ addressListMismatch: "drop" }, {}), "admitted");
  });

  test("the order and repeats play no part, a part of the list is not the list", () => {
    const dropping = { addressListMismatch: "drop" } as const;
    const same = [...SERVICE].reverse();
    assert.equal(outcome(dropping, { addresses: same }), "admitted");
    assert.equal(outcome(dropping, { addresses: [...same, ...same] }), "admitted");
    assert.equal(outcome(dropping, { addresses: SERVICE.slice(1) }), "address-list");
    assert.equal(outcome(dropping, { addresses: [] }), "address-list");
  });

  test("skip_check_adv_addr checks whom it did not hear last", () => {
    const skipping = { addressListMismatch: "drop", skipAddressListCheck: true } as const;
    assert.equal(outcome(skipping, foreign), "address-list");
    assert.equal(outcome(skipping, foreign, OURS), "address-list");
    assert.equal(outcome(skipping, foreign, PEER), "admitted");
    assert.equal(outcome({ addressListMismatch: "drop" }, foreign, PEER), "address-list");
    const answer = admit(policy(skipping), arrival(foreign), PEER);
    assert.equal(answer.ok && answer.value.sameAddresses, undefined);
  });

  test("IPv6 must begin link-local: dropped if strict, else marked [RFC9568-5.2.9]", () => {
    const global = [ip("2001:db8::1"), ip("fe80::1")];
    const proper = [ip("fe80::1"), ip("2001:db8::1")];
    assert.equal(outcome({ strict: true }, { addresses: global }), "first-address-not-link-local");
    assert.equal(outcome({ strict: true }, { addresses: proper }), "admitted");
    assert.equal(outcome({ strict: true }, {}), "admitted");
    const answer = admit(policy(), arrival({ addresses: global }), undefined);
    assert.equal(answer.ok && answer.value.firstAddressLinkLocal, false);
  });
});

test("owner_ignore_adverts drops what is otherwise in order", () => {
  assert.equal(outcome({ ignoreAll: true }, {}), "owner-ignores");
  assert.equal(outcome({ ignoreAll: true }, { ttl: 1 }), "ttl");
});

test("the first rung that fails gives the reason", () => {
  const ladder: readonly (readonly [DropReason, Partial<Arrival>])[] = [
    ["ttl", { ttl: 1 }],
    ["interval-mismatch", { maxAdvertiseInterval: seconds(9) }],
    ["destination", { destination: OURS }],
    ["own-packet", { source: OURS, priority: 0 }],
    ["first-address-not-link-local", { addresses: [ip("2001:db8::1")] }],
  ];
  const harsh = { version: 2, strict: true, loopback: true, addressListMismatch: "drop" } as const;
  fc.assert(
    fc.property(fc.subarray([...ladder], { minLength: 1 }), (failures) => {
      const broken = Object.assign({}, ...failures.map(([, changes]) => changes)) as object;
      assert.equal(outcome({ ...harsh, ignoreAll: true }, broken), failures[0]?.[0]);
    }),
  );
});
