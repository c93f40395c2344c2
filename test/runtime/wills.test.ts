import assert from "node:assert/strict";
import { test } from "node:test";
import type { InstanceConfig } from "../../agent/config/config.ts";
import { milliseconds, seconds } from "../../agent/core/time.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import type { Reserved, WillEntry } from "../../agent/runtime/wills.ts";
import { FakeLan } from "./fake-lan.ts";
import { config, host, instance, routerOf } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

type Change = Partial<InstanceConfig>;

const AH: Change = { authentication: { kind: "ah", password: "secret" } };
const HMAC: Change = {
  authentication: {
    kind: "hmac",
    keys: [{ id: 1, secret: "00112233445566778899aabbccddeeff" }],
    activeKey: 1,
    timeWindow: seconds(5),
    antiReplay: "time",
    mode: "enforce",
  },
};

/** Node `a` at priority 200, whose wills are kept, and `b` behind it. */
async function pair(change: Change, router: Partial<VirtualRouter>, earlier?: Reserved) {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const kept: WillEntry[] = [];
  const a = host("a", time, lan, "192.0.2.1/24", {
    keep: (entries) => kept.push(...entries),
    reserved: (name) => (name === "VI_1" ? earlier : undefined),
  });
  const b = host("b", time, lan, "192.0.2.2/24");
  const of = (priority: number) => config([instance("VI_1", { ...router, priority }, change)]);
  await a.node.configure(of(200));
  await b.node.configure(of(100));
  /** `a` is dead, and its last will is executed. */
  const die = (): void => {
    lan.cut.add("a");
    const [{ packet } = assert.fail()] = kept.at(-1)?.packets ?? [];
    lan.inject(Buffer.from(packet, "base64"));
  };
  return { time, lan, kept, a, b, of, die };
}

test("a will is kept when a router becomes active, and when what it says changes", async () => {
  const { time, kept, a, of } = await pair({}, {});
  await time.advance(3_000);
  assert.equal(kept.length, 0, "a backup leaves nothing to do");
  await time.advance(1_000);
  assert.equal(routerOf(a).state, "active");
  const [first = assert.fail(), ...more] = kept;
  assert.deepEqual(more, []);
  const [{ spec, destination, packet } = assert.fail()] = first.packets;
  assert.equal(first.name, "VI_1");
  assert.equal(destination, "224.0.0.18");
  assert.deepEqual([spec.family, spec.interfaceIndex, spec.ttl], ["ipv4", 2, 255]);
  assert.equal(Buffer.from(packet, "base64")[22], 0, "the priority");
  await time.advance(60_000);
  assert.equal(kept.length, 1, "no traffic while nothing changes");
  await a.node.configure(of(150));
  await time.advance(1_500);
  assert.equal(kept.length, 2);
  await a.node.stop();
  assert.deepEqual(kept.at(-1), { id: first.id, name: "VI_1", packets: [] });
});

for (const [name, change, router] of [
  ["without authentication", {}, {}],
  ["AH", AH, { version: 2 }],
  ["HMAC", HMAC, {}],
] as const) {
  for (const after of [4_000, 60_350, 1_900_000]) {
    test(`${name}: after ${after} ms a peer takes over upon the will, within its skew`, async () => {
      const { time, b, die } = await pair(change, router);
      await time.advance(after);
      assert.equal(routerOf(b).state, "backup");
      die();
      await time.advance(620);
      assert.equal(routerOf(b).state, "active");
    });
  }
}

test("HMAC: a will is good until the next one is written, also just before that", async () => {
  for (let at = 10_000; at < 13_000; at += 97) {
    const { time, b, die } = await pair(HMAC, {});
    await time.advance(at);
    die();
    await time.advance(620);
    assert.equal(routerOf(b).state, "active", `${at} ms`);
  }
});

test("AH: a will is renewed before half of its numbers are used, and not sooner", async () => {
  const router = { version: 2, advertisementInterval: seconds(1) } as const;
  const { time, kept } = await pair(AH, router);
  await time.advance(480_000);
  assert.equal(kept.length, 1);
  await time.advance(60_000);
  assert.equal(kept.length, 2);
  assert.ok((kept[1]?.reserved?.ah ?? 0) >= 1_500);
});

test("AH: the next process begins beyond what was reserved for the one before it", async () => {
  const { time, lan, kept } = await pair(AH, { version: 2 }, { ah: 5_000, hmacSent: undefined });
  await time.advance(4_500);
  const [first = assert.fail()] = lan.sent;
  assert.equal(Buffer.from(first.bytes).readUInt32BE(20 + 8), 5_001);
  assert.ok((kept[0]?.reserved?.ah ?? 0) > 6_000);
});

test("HMAC: peers take the next process at once, though the will was dated ahead", async () => {
  const first = await pair(HMAC, {});
  await first.time.advance(4_000);
  const reserved = first.kept.at(-1)?.reserved;
  assert.ok(reserved?.hmacSent !== undefined);
  const { time, lan, a } = await pair(
    HMAC,
    { initialActive: true, startupDelay: milliseconds(0) },
    reserved,
  );
  await time.advance(4_000);
  assert.equal(routerOf(a).state, "active");
  const [sent = assert.fail()] = lan.sent;
  const trailer = Buffer.from(sent.bytes).subarray(-28);
  const { seconds: at, fraction } = reserved.hmacSent;
  const before = BigInt(at) * 0x1_0000_0000n + BigInt(fraction);
  assert.ok(trailer.readBigUInt64BE(4) > before);
});
