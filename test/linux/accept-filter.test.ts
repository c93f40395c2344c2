import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { afterEach, before, describe, test } from "node:test";
import { openPacketFilter } from "../../agent/linux/netlink/packet-filter.ts";
import type { AcceptFilter } from "../../agent/ports/accept-filter.ts";
import type { FilterEvent } from "../../agent/ports/filter-event.ts";
import { address, enterNamespace, skip } from "./network-rig.ts";

const hasNft = spawnSync("nft", ["--version"]).status === 0;
const needsNft = skip === false && !hasNft ? "needs the program nft to look with" : skip;
const hasSetpriv = spawnSync("setpriv", ["--version"]).status === 0;
const withoutSetpriv = skip === false && !hasSetpriv ? "needs the program setpriv" : skip;

const nft = (words: string): string =>
  execFileSync("nft", words.split(" "), { encoding: "utf8" }).trim();
const ours = (): string => nft("list ruleset");
const refused = (text: string, interfaceIndex = 1) => ({ interfaceIndex, address: address(text) });

const RULES = [
  "ip daddr @refused4 drop",
  "icmpv6 type 133-136 accept",
  "ip6 daddr @refused6 drop",
  "iif . ip6 daddr @refused6link drop",
];

describe("the accept filter", { skip: needsNft }, () => {
  const opened: { close(): Promise<void> }[] = [];
  const open = (): AcceptFilter => {
    const { acceptFilter: filter, gate } = openPacketFilter();
    opened.push(filter, gate);
    return filter;
  };
  before(() => enterNamespace());
  afterEach(async () => {
    for (const filter of opened.splice(0)) await filter.close();
    nft("flush ruleset");
  });

  /** Resolves with the next event; the filter must be looking, as it does while it refuses. */
  const next = (filter: AcceptFilter): Promise<FilterEvent> =>
    new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error("nothing was heard")), 10_000);
      const unsubscribe = filter.subscribe((event) => {
        clearTimeout(limit);
        unsubscribe();
        resolve(event);
      });
    });

  test("refused addresses are in their sets, and the rules that nft shows are ours", async () => {
    const filter = open();
    const addresses = [refused("192.0.2.1"), refused("2001:db8::1"), refused("fe80::1")];
    assert.equal(await filter.refuse(addresses), undefined);
    const shown = ours();
    assert.match(shown, /table inet holdfast/);
    assert.match(shown, /type filter hook input priority filter - 1; policy accept;/);
    assert.match(shown, /elements = \{ 192\.0\.2\.1 \}/);
    assert.match(shown, /elements = \{ 2001:db8::1 \}/);
    assert.match(shown, /elements = \{ "lo" \. fe80::1 \}/);
    const rules = shown.split("\n").map((line) => line.trim());
    assert.deepEqual(
      rules.filter((line) => / (drop|accept)$/.test(line)),
      RULES,
    );
  });

  test("what is released is gone, and with the last one the table", async () => {
    const filter = open();
    await filter.refuse([refused("192.0.2.1"), refused("192.0.2.2"), refused("2001:db8::1")]);
    await filter.release([refused("192.0.2.1"), refused("198.51.100.1")]);
    assert.match(ours(), /elements = \{ 192\.0\.2\.2 \}/);
    await filter.release([refused("192.0.2.2"), refused("2001:db8::1")]);
    assert.equal(ours(), "");
  });

  test("an address that two interfaces refuse stays until neither does", async () => {
    const filter = open();
    await filter.refuse([refused("192.0.2.1", 1), refused("192.0.2.1", 2)]);
    await filter.release([refused("192.0.2.1", 1)]);
    assert.match(ours(), /192\.0\.2\.1/);
    await filter.release([refused("192.0.2.1", 2)]);
    assert.equal(ours(), "");
  });

  test("thousands in one call, and wishes that cross", async () => {
    const filter = open();
    const many = Array.from({ length: 2500 }, (_, at) => refused(`10.0.${at >> 8}.${at & 255}`));
    const answers = await Promise.all([
      filter.refuse(many),
      filter.release(many.slice(0, 2400)),
      filter.refuse(many.slice(0, 10)),
    ]);
    assert.deepEqual(answers, [undefined, undefined, undefined]);
    assert.equal(ours().match(/10\.0\.\d+\.\d+/g)?.length, 110);
    assert.equal(await filter.refuse(many), undefined);
    assert.equal(ours().match(/10\.0\.\d+\.\d+/g)?.length, 2500);
  });

  test("closing leaves the operator's rules and nothing else", async () => {
    nft("add table inet theirs");
    const filter = open();
    await filter.refuse([refused("192.0.2.1")]);
    await filter.close();
    assert.equal(ours(), "table inet theirs {\n}");
  });

  test("a flushed ruleset, chain or set is put back within a second, and told", async () => {
    const filter = open();
    await filter.refuse([refused("192.0.2.1"), refused("2001:db8::1")]);
    const whole = ours();
    const times: number[] = [];
    for (const words of [
      "flush ruleset",
      "flush chain inet holdfast input",
      "flush set inet holdfast refused4",
      "delete table inet holdfast",
    ]) {
      const told = next(filter);
      nft(words);
      const flushedAt = performance.now();
      assert.deepEqual(await told, { kind: "restored" });
      times.push(performance.now() - flushedAt);
      assert.equal(ours(), whole, words);
    }
    // A machine with other work may hold one of them up, and not most.
    assert.ok((times.sort((a, b) => a - b)[1] ?? 0) < 1_000, `${times} ms`);
  });

  test("a flush between two wishes is made good by the second", async () => {
    const filter = open();
    await filter.refuse([refused("192.0.2.1"), refused("192.0.2.2")]);
    nft("flush ruleset");
    assert.equal(await filter.refuse([refused("192.0.2.3")]), undefined);
    assert.match(ours(), /\{ 192\.0\.2\.1, 192\.0\.2\.2,\s+192\.0\.2\.3 \}/);
    nft("flush ruleset");
    assert.equal(await filter.release([refused("192.0.2.1")]), undefined);
    assert.match(ours(), /\{ 192\.0\.2\.2, 192\.0\.2\.3 \}/);
  });

  test("changes by others, and rules that they add to ours, are no reason to act", async () => {
    const filter = open();
    const events: FilterEvent[] = [];
    filter.subscribe((event) => events.push(event));
    await filter.refuse([refused("192.0.2.1")]);
    nft("add table inet theirs");
    nft("insert rule inet holdfast input ip saddr 198.51.100.7 accept");
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.deepEqual(events, []);
    assert.match(ours(), /198\.51\.100\.7/);
  });

  test("leftovers of an earlier run go, and are replaced by the first wish anyway", async () => {
    nft("add table inet holdfast");
    nft("add set inet holdfast refused4 { type ipv6_addr; }");
    const filter = open();
    assert.equal(await filter.refuse([refused("192.0.2.1")]), undefined);
    assert.match(ours(), /type ipv4_addr/);
    const successor = open();
    assert.equal(await successor.removeLeftovers(), true);
    assert.equal(ours(), "");
    assert.equal(await successor.removeLeftovers(), false);
  });

  test("a probe answers without leaving a trace", async () => {
    const filter = open();
    assert.equal(await filter.probe(), undefined);
    assert.equal(ours(), "");
    await filter.refuse([refused("192.0.2.1")]);
    assert.equal(await filter.probe(), undefined);
    assert.match(ours(), /192\.0\.2\.1/);
  });
});

describe("where the kernel refuses", { skip: withoutSetpriv }, () => {
  /** Asks in a process of its own, root without this capability. */
  const without = (capability: string): unknown => {
    const file = join(import.meta.dirname, "../../agent/linux/netlink/packet-filter.ts");
    const script = `
      const { openPacketFilter } = await import(${JSON.stringify(file)});
      const { acceptFilter: filter, gate } = openPacketFilter();
      const leftovers = await filter.removeLeftovers();
      const { code, remedy } = (await filter.probe()) ?? {};
      const refused = await filter.refuse([{ interfaceIndex: 1, address: "192.0.2.1" }]);
      await filter.close();
      await gate.close();
      console.log(JSON.stringify({ leftovers, code, remedy, refused: refused?.code }));
    `;
    const command = ["--bounding-set", `-${capability}`, process.execPath, "--input-type=module"];
    const text = execFileSync("setpriv", [...command, "-e", script], { encoding: "utf8" });
    return JSON.parse(text);
  };

  test("a missing permission is named, with what to do", () => {
    enterNamespace();
    assert.deepEqual(without("net_admin"), {
      leftovers: false,
      code: "EPERM",
      remedy: "run Holdfast as root or give it CAP_NET_ADMIN",
      refused: "EPERM",
    });
  });
});
