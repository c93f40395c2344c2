import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { openNetwork } from "../../agent/linux/netlink/network.ts";
import type { AddressRequest, Network, RequestOutcome } from "../../agent/ports/network.ts";
import {
  allOk,
  enterNamespace,
  Hearing,
  ip,
  ipBatch,
  ipJson,
  request,
  settled,
  skip,
} from "./network-rig.ts";

const DONE: RequestOutcome = { ok: true, foreign: false };
const FOREIGN: RequestOutcome = { ok: true, foreign: true };
const UNLIMITED: RequestOutcome = { ok: true, foreign: false, unlimited: true };
const FOR_EVER = 0xffff_ffff;

function shown(text: string) {
  const [link] = ipJson("addr show dev v0");
  return link.addr_info.find((info: { local: string }) => info.local === text);
}

const validOf = (text: string): number | undefined => shown(text)?.valid_life_time;

/** Of what was to live for 30 s from a moment ago: `ip` is started to look, and seconds pass. */
const isAbout30 = (found: number | undefined): boolean =>
  found !== undefined && found > 15 && found <= 30;

describe("lifetimes of addresses", { skip, timeout: 20_000 }, () => {
  let network: Network;
  let hearing: Hearing;
  before(async () => {
    enterNamespace();
    network = await openNetwork();
    hearing = new Hearing(network);
  });
  after(() => network.close());

  const asked = (text: string, lifetime?: number, words = {}): AddressRequest => ({
    ...request(network, text, words),
    lifetime,
  });

  const gone = (text: string): Promise<unknown> =>
    hearing.first(
      (event) => event.kind === "address-removed" && event.address.address === text,
      `the end of ${text}`,
    );

  test("the kernel removes what nobody refreshes, within a second and a quarter of its end", async () => {
    const wanted = ["192.0.2.1/32", "2001:db8::1/128", "2001:db8::2/64"].map((one) =>
      asked(one, 1),
    );
    assert.deepEqual(
      await network.installAddresses(wanted),
      wanted.map(() => DONE),
    );
    const since = performance.now();
    const [link] = ipJson("addr show dev v0");
    const [first, second] = ["192.0.2.1", "2001:db8::1"].map((text) =>
      link.addr_info.find((info: { local: string }) => info.local === text),
    );
    assert.equal(second?.nodad, true);
    // As it is rounded down.
    assert.ok(first?.valid_life_time <= 1, `${first?.valid_life_time}`);
    await Promise.all(["192.0.2.1", "2001:db8::1", "2001:db8::2"].map(gone));
    const took = performance.now() - since;
    assert.ok(took > 700 && took < 2_400, `${took} ms`);
    const outcomes = await network.refreshAddresses(wanted);
    assert.deepEqual(
      outcomes.map((one) => (one.ok ? "ok" : one.errno)),
      wanted.map(() => "EADDRNOTAVAIL"),
    );
    assert.equal(shown("192.0.2.1"), undefined, "a refresh brings nothing back");
    assert.equal(shown("2001:db8::1"), undefined);
  });

  test("refreshed it stays, and nobody is told of that", async () => {
    const wanted = ["192.0.2.2/32", "2001:db8::3/64"].map((one) => asked(one, 1));
    assert.ok(allOk(await network.installAddresses(wanted)));
    await settled(network);
    hearing.forget();
    for (let times = 0; times < 6; times += 1) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      assert.deepEqual(await network.refreshAddresses(wanted), [DONE, DONE]);
    }
    await settled(network);
    const told = hearing.events.filter((one) => "address" in one && one.address.ours);
    assert.deepEqual(told, []);
    assert.equal(shown("2001:db8::3").nodad, true);
    assert.ok(allOk(await network.removeAddresses(wanted)));
  });

  test("a preferred lifetime is kept, and is never longer than the other", async () => {
    const wanted = [
      asked("192.0.2.3/32", 30, { preferredLifetime: 0 }),
      asked("192.0.2.4/32", 30, { preferredLifetime: 1000 }),
      asked("2001:db8::4/128", 30, { preferredLifetime: 0 }),
    ];
    assert.deepEqual(await network.installAddresses(wanted), [DONE, DONE, DONE]);
    await settled(network);
    assert.deepEqual(await network.refreshAddresses(wanted), [DONE, DONE, DONE]);
    assert.equal(shown("192.0.2.3").deprecated, true);
    assert.ok(isAbout30(shown("192.0.2.4").preferred_life_time));
    assert.equal(shown("2001:db8::4").deprecated, true);
    assert.ok(isAbout30(validOf("2001:db8::4")));
  });

  test("what somebody else added has no lifetime of ours, also when it took the place of ours", async () => {
    ip("addr add 192.0.2.50/24 dev v0");
    ip("addr add 2001:db8::50/64 dev v0 nodad");
    const theirs = [asked("192.0.2.50/24", 5), asked("2001:db8::50/64", 5)];
    assert.deepEqual(await network.installAddresses(theirs), [FOREIGN, FOREIGN]);
    assert.deepEqual(await network.refreshAddresses(theirs), [FOREIGN, FOREIGN]);
    assert.equal(validOf("192.0.2.50"), FOR_EVER);
    assert.equal(validOf("2001:db8::50"), FOR_EVER);
    const ours = asked("192.0.2.51/32", 30);
    assert.deepEqual(await network.installAddresses([ours]), [DONE]);
    ipBatch(["addr del 192.0.2.51/32 dev v0", "addr add 192.0.2.51/32 dev v0"]);
    await settled(network);
    assert.deepEqual(await network.refreshAddresses([ours]), [FOREIGN]);
    assert.equal(validOf("192.0.2.51"), FOR_EVER);
  });

  test("nothing that is being removed is brought back by a refresh", async () => {
    const wanted = [asked("192.0.2.60/32", 30), asked("2001:db8::60/128", 30)];
    for (let times = 0; times < 20; times += 1) {
      assert.ok(allOk(await network.installAddresses(wanted)));
      await settled(network);
      const early = network.refreshAddresses(wanted);
      const removed = network.removeAddresses(wanted);
      const late = await network.refreshAddresses(wanted);
      assert.deepEqual(
        [allOk(await early), allOk(await removed), allOk(late)],
        [true, true, false],
      );
      assert.equal(shown("192.0.2.60"), undefined);
      assert.equal(shown("2001:db8::60"), undefined);
    }
  });

  test("after a standstill the host is looked at first: what has ended is not added again", async () => {
    const wanted = [asked("192.0.2.70/32", 1), asked("2001:db8::70/128", 1)];
    assert.ok(allOk(await network.installAddresses(wanted)));
    await settled(network);
    // Nothing is heard meanwhile, as while a process is stopped.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 800);
    try {
      ipBatch(["addr del 192.0.2.70/32 dev v0", "addr del 2001:db8::70/128 dev v0"]);
    } catch {
      // On a busy machine the kernel was first.
    }
    assert.ok((await network.refreshAddresses(wanted)).every(({ ok }) => !ok));
    assert.equal(shown("192.0.2.70"), undefined);
    assert.equal(shown("2001:db8::70"), undefined);
  });

  test("who gives an address up does not wait for a long refresh", async () => {
    const many = Array.from({ length: 1_000 }, (_, at) =>
      asked(`10.1.${at >> 8}.${at & 255}/32`, 30),
    );
    assert.ok(allOk(await network.installAddresses(many)));
    await settled(network);
    let refreshed = false;
    const refreshing = network.refreshAddresses(many).then((outcomes) => {
      refreshed = true;
      return outcomes;
    });
    assert.ok(allOk(await network.removeAddresses(many.slice(-1))));
    assert.equal(refreshed, false);
    const [last, ...others] = (await refreshing).toReversed();
    assert.deepEqual([last?.ok, allOk(others)], [false, true]);
    assert.equal(shown("10.1.3.231"), undefined);
    assert.ok(allOk(await network.removeAddresses(many)));
  });

  test("the first of a prefix stays while secondaries that are to stay depend on it", async () => {
    const promotion = "/proc/sys/net/ipv4/conf/v0/promote_secondaries";
    writeFileSync(promotion, "0");
    writeFileSync("/proc/sys/net/ipv4/conf/all/promote_secondaries", "0");
    const wanted = [asked("198.51.100.1/24", 30), asked("198.51.100.2/24", 30)];
    assert.deepEqual(await network.installAddresses(wanted), [DONE, DONE]);
    await settled(network);
    assert.deepEqual(await network.refreshAddresses(wanted), [DONE, DONE], "both end together");
    ip("addr add 198.51.100.9/24 dev v0");
    await settled(network);
    assert.deepEqual(await network.refreshAddresses(wanted), [UNLIMITED, DONE]);
    assert.equal(validOf("198.51.100.1"), FOR_EVER);
    assert.ok(isAbout30(validOf("198.51.100.2")));
    writeFileSync(promotion, "1");
    assert.deepEqual(await network.refreshAddresses(wanted), [DONE, DONE]);
    assert.ok(isAbout30(validOf("198.51.100.1")));
    writeFileSync(promotion, "0");
    assert.deepEqual(await network.installAddresses(wanted), [UNLIMITED, DONE]);
    ip("addr del 198.51.100.9/24 dev v0");
    await settled(network);
    assert.deepEqual(await network.refreshAddresses(wanted), [DONE, DONE]);
  });

  test("a lifetime is taken back, and leaves the routes of others alone", async () => {
    ip("addr add 2001:db8:1::9/64 dev v0 nodad");
    const text = "2001:db8:1::1/64";
    const routeExpires = (): boolean => ip("-6 route show 2001:db8:1::/64").includes("expires");
    assert.deepEqual(await network.installAddresses([asked(text, 30)]), [DONE]);
    await settled(network);
    assert.deepEqual(await network.refreshAddresses([asked(text, 30)]), [DONE]);
    assert.equal(routeExpires(), false);
    assert.deepEqual(await network.installAddresses([asked(text)]), [DONE]);
    assert.equal(validOf("2001:db8:1::1"), FOR_EVER);
    assert.equal(routeExpires(), false);
    // The kernel would let the route of the whole prefix expire, and with it that of the other address.
    assert.deepEqual(await network.installAddresses([asked(text, 30)]), [UNLIMITED]);
    await settled(network);
    assert.deepEqual(await network.refreshAddresses([asked(text, 30)]), [UNLIMITED]);
    assert.equal(routeExpires(), false);
    assert.ok(allOk(await network.removeAddresses([asked(text)])));
    assert.deepEqual(await network.installAddresses([asked(text, 30)]), [DONE]);
    assert.ok(isAbout30(validOf("2001:db8:1::1")));
    assert.equal(routeExpires(), false);
  });
});
