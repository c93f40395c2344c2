import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { Encapsulation } from "../../../agent/config/config.ts";
import { openNetwork } from "../../../agent/linux/netlink/network.ts";
import type { Network } from "../../../agent/ports/network.ts";
import { PLAIN_ENCAPSULATION } from "../../config/plain.ts";
import { address, enterNamespace, ip, prefix, route } from "../../linux/network-rig.ts";

const encapsulation = (words: Partial<Encapsulation>): Encapsulation => ({
  type: "ip",
  ...PLAIN_ENCAPSULATION,
  ...words,
});

const gateway = address("192.0.2.9");
const gateway6 = address("2001:db8::9");
const OURS = 100;
const THEIRS = 101;

/** A route of ours, and the words with which iproute2 makes the same. */
const cases: readonly {
  readonly words: string;
  readonly route: Parameters<typeof route>[0];
  readonly shows: object;
}[] = [
  {
    words: "10.1.0.0/16 encap mpls 100/200 ttl 7 via 192.0.2.9 dev v0",
    route: {
      destination: prefix("10.1.0.0/16"),
      gateway,
      interface: "v0",
      encapsulation: encapsulation({ type: "mpls", labels: [100, 200], ttl: 7 }),
    },
    shows: { encap: "mpls", ttl: 7, gateway: "192.0.2.9" },
  },
  {
    words: "10.2.0.0/16 encap ip id 5 src 10.0.0.1 dst 10.0.0.9 tos 4 ttl 9 key csum dev v0",
    route: {
      destination: prefix("10.2.0.0/16"),
      interface: "v0",
      encapsulation: encapsulation({
        type: "ip",
        id: 5,
        source: address("10.0.0.1"),
        destination: address("10.0.0.9"),
        tos: 4,
        ttl: 9,
        flags: 5,
      }),
    },
    shows: { encap: "ip", id: 5, src: "10.0.0.1", tos: 4, ttl: 9, key: true, csum: true },
  },
  {
    words: "fd05::/64 encap ip6 id 6 src fd00::1 dst fd00::9 tc 3 hoplimit 8 seq dev v0",
    route: {
      family: "ipv6",
      destination: prefix("fd05::/64"),
      interface: "v0",
      encapsulation: encapsulation({
        type: "ip6",
        id: 6,
        source: address("fd00::1"),
        destination: address("fd00::9"),
        tos: 3,
        ttl: 8,
        flags: 8,
      }),
    },
    shows: { encap: "ip6", id: 6, src: "fd00::1", tc: 3, hoplimit: 8, seq: true },
  },
  {
    // The kernel wants the type of an identifier (1, a unique one) in the address itself.
    words: "2001:db8:0:7:2000::1/128 encap ila 1:2:a:ffff via 2001:db8::9 dev v0",
    route: {
      family: "ipv6",
      destination: prefix("2001:db8:0:7:2000::1/128"),
      gateway: gateway6,
      interface: "v0",
      encapsulation: encapsulation({ type: "ila", locator: "1:2:a:ffff" }),
    },
    shows: { encap: "ila", locator: "1:2:a:ffff", gateway: "2001:db8::9" },
  },
];

describe("routes with encapsulation", () => {
  let network: Network;

  /** As iproute2 prints a table: it may have two keys of one name, which JSON.parse would lose. */
  const shown = (family: string, table: number): string =>
    ip(`-d -j ${family} route show table ${table}`);

  before(async () => {
    for (const module of ["mpls_iptunnel", "ip_tunnel", "ip6_tunnel", "ila"]) {
      execFileSync("modprobe", [module]);
    }
    enterNamespace();
    ip("addr add 192.0.2.1/24 dev v0");
    ip("addr add 2001:db8::1/64 dev v0 nodad");
    network = await openNetwork();
  });
  after(() => network.close());

  for (const { words, route: wanted, shows } of cases) {
    test(words, async () => {
      const family = wanted.family === "ipv6" ? "-6" : "-4";
      const routes = [route({ ...wanted, table: OURS })];
      assert.deepEqual(await network.installRoutes(routes, undefined), [
        { ok: true, foreign: false },
      ]);
      ip(`${family} route add ${words} table ${THEIRS} protocol 112`);
      const ours = shown(family, OURS);
      assert.partialDeepStrictEqual(JSON.parse(ours), [shows]);
      const plain = (text: string) => text.replace(/"table":"\d+",?/, "");
      assert.equal(plain(ours), plain(shown(family, THEIRS)));
      ip(`${family} route flush table ${THEIRS}`);
      await network.removeRoutes(routes, undefined);
      assert.equal(shown(family, OURS).trim(), "[]");
    });
  }

  test("what the kernel refuses of one is an outcome with the route's name", async () => {
    const [outcome] = await network.installRoutes(
      [
        route({
          family: "ipv6",
          destination: prefix("2001:db8:0:8::1/128"),
          gateway: gateway6,
          encapsulation: encapsulation({ type: "ila", locator: "1:2:a:ffff" }),
        }),
      ],
      undefined,
    );
    assert.ok(outcome?.ok === false);
    assert.equal(outcome.errno, "EINVAL");
    assert.match(outcome.message, /2001:db8:0:8::1/);
  });
});
