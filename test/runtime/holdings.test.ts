import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddressConfig } from "../../agent/config/config.ts";
import type { Holding } from "../../agent/runtime/holding.ts";
import { addressKey, keyOf } from "../../agent/runtime/holding.ts";
import { Holdings } from "../../agent/runtime/holdings.ts";
import { FakeNetwork } from "./fake-network.ts";
import { address } from "./fixtures.ts";
import { settle } from "./virtual-time.ts";

function world() {
  const network = new FakeNetwork();
  const { index } = network.addLink("eth0");
  const refused: string[] = [];
  const holdings = new Holdings(network, [], (owners, _, { errno }) => {
    refused.push(`${owners.join("+")} ${errno}`);
  });
  network.subscribe((event) => {
    if (event.kind !== "address-removed") return;
    const { address: text, prefixLength } = event.address;
    gone.push(...holdings.gone(addressKey(index, text, prefixLength)));
  });
  const gone: string[] = [];
  const held = (text: string, change: Partial<AddressConfig> = {}): Holding => ({
    kind: "address",
    request: { interfaceIndex: index, address: address(text, change) },
    refuse: false,
    gated: false,
  });
  return { network, holdings, held, refused, gone };
}

test("the wishes of one turn are one batch", async () => {
  const { network, holdings, held } = world();
  for (let each = 1; each <= 255; each += 1) {
    holdings.hold(`r${each}`, [held(`192.0.2.${each}/32`)]);
  }
  await settle();
  assert.equal(network.batches.length, 1);
  assert.equal(network.batches[0]?.what.length, 255);
  assert.equal(network.present.length, 255);
});

test("the same wish again asks the host nothing; a changed list only for the differences", async () => {
  const { network, holdings, held } = world();
  holdings.hold("r", [held("192.0.2.1/32"), held("192.0.2.2/32")]);
  await settle();
  holdings.hold("r", [held("192.0.2.1/32"), held("192.0.2.2/32")]);
  await settle();
  assert.equal(network.batches.length, 1);
  holdings.hold("r", [held("192.0.2.2/32"), held("192.0.2.3/32")]);
  await settle();
  assert.deepEqual(network.batches.slice(1), [
    { verb: "remove addresses", what: ["192.0.2.1/32"] },
    { verb: "install addresses", what: ["192.0.2.3/32"] },
  ]);
});

test("an address that moves from one owner to another is never removed", async () => {
  const { network, holdings, held } = world();
  holdings.hold("old", [held("192.0.2.1/32")]);
  await settle();
  holdings.hold("old", []);
  holdings.hold("new", [held("192.0.2.1/32")]);
  await settle();
  assert.equal(network.batches.length, 1);
  holdings.hold("new", []);
  await settle();
  assert.deepEqual(network.present, []);
});

test("what was there before us is not removed", async () => {
  const { network, holdings, held } = world();
  network.addAddress("eth0", "192.0.2.1/32");
  holdings.hold("r", [held("192.0.2.1/32")]);
  await settle();
  holdings.hold("r", []);
  await settle();
  assert.deepEqual(network.present, ["192.0.2.1/32"]);
});

test("other attributes of the same address: removed, then installed", async () => {
  const { network, holdings, held } = world();
  holdings.hold("r", [held("192.0.2.1/32")]);
  await settle();
  holdings.hold("r", [held("192.0.2.1/32", { label: "eth0:1" })]);
  await settle();
  assert.deepEqual(
    network.batches.map(({ verb }) => verb),
    ["install addresses", "remove addresses", "install addresses"],
  );
  assert.deepEqual(network.present, ["192.0.2.1/32"]);
});

test("tracking options are not the kernel's business", async () => {
  const { network, holdings, held } = world();
  holdings.hold("r", [held("192.0.2.1/32")]);
  await settle();
  holdings.hold("r", [held("192.0.2.1/32", { noTrack: true })]);
  await settle();
  assert.equal(network.batches.length, 1);
});

test("given up while it is being installed: removed once the answer is there", async () => {
  const { network, holdings, held } = world();
  network.hold = true;
  holdings.hold("r", [held("192.0.2.1/32")]);
  await settle();
  holdings.hold("r", []);
  await settle();
  assert.equal(network.batches.length, 1, "whether it is foreign is not known yet");
  let settled = false;
  holdings.whenSettled("r", () => {
    settled = true;
  });
  assert.equal(settled, false);
  network.answer();
  await settle();
  assert.deepEqual(network.present, []);
  assert.equal(settled, true);
});

test("whenSettled waits for the kernel, and not for others", async () => {
  const { network, holdings, held } = world();
  const order: string[] = [];
  holdings.whenSettled("nobody", () => order.push("nobody"));
  holdings.hold("r", [held("192.0.2.1/32")]);
  holdings.whenSettled("r", () => order.push(`r ${network.present.length}`));
  assert.deepEqual(order, ["nobody"]);
  await settle();
  assert.deepEqual(order, ["nobody", "r 1"]);
});

test("a refusal is told once and not tried again until somebody asks", async () => {
  const { network, holdings, held, refused } = world();
  network.refuse = () => "EACCES";
  holdings.hold("r", [held("192.0.2.1/32")]);
  await settle();
  await settle();
  assert.deepEqual(refused, ["r EACCES"]);
  assert.equal(network.batches.length, 1);
  network.refuse = undefined;
  holdings.putBackMissing();
  await settle();
  assert.deepEqual(network.present, ["192.0.2.1/32"]);
});

test("only a removal by somebody else is a loss", async () => {
  const { network, holdings, held, gone } = world();
  holdings.hold("r", [held("192.0.2.1/32")]);
  await settle();
  holdings.hold("r", []);
  await settle();
  assert.deepEqual(gone, [], "it was we who removed it");
  holdings.hold("r", [held("192.0.2.1/32")]);
  await settle();
  const present = network.find("192.0.2.1");
  assert.ok(present);
  network.dropAddress(present);
  assert.deepEqual(gone, ["r"]);
  holdings.putBack(keyOf(held("192.0.2.1/32")));
  await settle();
  assert.deepEqual(network.present, ["192.0.2.1/32"]);
});

test("routes are removed before their addresses, and installed after them", async () => {
  const { network, holdings, held } = world();
  const route = { kind: "route", route: { noTrack: false } as never, interfaceIndex: 2 } as const;
  holdings.hold("r", [route, held("192.0.2.1/32")]);
  await settle();
  holdings.hold("r", []);
  await settle();
  assert.deepEqual(
    network.batches.map(({ verb }) => verb),
    ["install addresses", "install routes", "remove routes", "remove addresses"],
  );
});
