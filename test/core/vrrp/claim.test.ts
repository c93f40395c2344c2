import assert from "node:assert/strict";
import { test } from "node:test";
import type { IpAddress } from "../../../agent/core/address.ts";
import type { Claim } from "../../../agent/core/vrrp/claim.ts";
import { isForeign, judge, mayClaim } from "../../../agent/core/vrrp/claim.ts";
import type { DropReason } from "../../../agent/core/vrrp/drop-reason.ts";

const list = (...texts: readonly string[]) => texts as readonly IpAddress[];
const OWN = list("192.0.2.1", "192.0.2.2");
const claim = (...addresses: readonly string[]): Claim => ({
  version: 3,
  priority: 100,
  addresses: list(...addresses),
});

test("damaged, forwarded and repeated packets prove nothing", () => {
  const none: readonly DropReason[] = [
    ...(["truncated", "ip-header", "ttl", "type", "length", "checksum", "unknown-vrid"] as const),
    ...([
      "interval-zero",
      "auth-replay",
      "destination",
      "source-not-a-peer",
      "own-packet",
    ] as const),
  ];
  for (const reason of none) {
    assert.equal(mayClaim(reason), false, reason);
    assert.deepEqual(judge(reason, claim("192.0.2.1"), OWN), { claims: false, alarm: undefined });
  }
});

test("whoever names one of our addresses claims it, whatever else is wrong", () => {
  const expected: Readonly<Partial<Record<DropReason, string | undefined>>> = {
    version: "version-mismatch",
    "auth-type": "authentication-mismatch",
    "auth-data": "authentication-mismatch",
    "auth-stale": undefined,
    "interval-mismatch": "interval-mismatch",
    "first-address-not-link-local": undefined,
    "address-list": "address-list-mismatch",
    "owner-ignores": undefined,
  };
  for (const [reason, alarm] of Object.entries(expected)) {
    assert.ok(mayClaim(reason as DropReason));
    const judged = judge(reason as DropReason, claim("192.0.2.2", "192.0.2.3"), OWN);
    assert.deepEqual(judged, { claims: true, alarm }, reason);
  }
});

test("whoever names none of them is another virtual router", () => {
  for (const reason of ["version", "auth-data", "address-list", "owner-ignores"] as const) {
    const judged = judge(reason, claim("198.51.100.1"), OWN);
    assert.deepEqual(judged, { claims: false, alarm: "vrid-clash" }, reason);
  }
});

test("where one of the two has no addresses, nothing tells them apart", () => {
  assert.equal(isForeign([], OWN), false);
  assert.equal(isForeign(OWN, []), false);
  assert.equal(isForeign(list("198.51.100.1"), OWN), true);
});
