import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { byteOrder } from "../../../agent/wire/netlink/attribute.ts";
import type { NetlinkMessage } from "../../../agent/wire/netlink/message.ts";
import { decodeMessages, FLAG } from "../../../agent/wire/netlink/message.ts";
import type { Table } from "../../../agent/wire/netlink/nftables.ts";
import {
  addElements,
  BATCH_FRAME,
  decodeElements,
  decodeGeneration,
  deleteElements,
  deleteTable,
  dropElements,
  elementsOf,
  encodeBatch,
  encodeElement,
  extendElements,
  getGeneration,
  getRules,
  newChain,
  newRule,
  newSet,
  newTable,
  renewElements,
  setTimeoutIn,
} from "../../../agent/wire/netlink/nftables.ts";
import { HOOK, NFT } from "../../../agent/wire/netlink/nftables-numbers.ts";

// What nft 1.0.6 sends for the same things, taken with strace.
const little = { skip: byteOrder ? false : "vectors are little-endian" };

const HOLDFAST: Table = { family: "inet", name: "holdfast" };
const TABLE = `0d000100${"686f6c6466617374"}00000000`;
const INPUT = "696e707574000000";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

describe("what a ruleset is made of", little, () => {
  test("a table, by family and name", () => {
    assert.equal(hex(newTable(HOLDFAST).body), `01000000${TABLE}`);
    assert.equal(newTable(HOLDFAST).type, 0xa00);
    assert.equal(hex(deleteTable({ family: "arp", name: "holdfast" }).body), `03000000${TABLE}`);
    assert.equal(deleteTable(HOLDFAST).type, 0xa02);
  });

  test("a chain at a hook, with a negative priority", () => {
    const hook = { number: HOOK.input, priority: -1, policy: "accept" } as const;
    assert.equal(
      hex(newChain(HOLDFAST, "input", hook).body),
      `01000000${TABLE}0a000300${INPUT}0b00070066696c7465720000` +
        "0800050000000001" +
        "14000480" +
        "0800010000000001" +
        "08000200ffffffff",
    );
  });

  test("a set, with and without timeouts", () => {
    const spec = { name: "refused4", id: 1, keyType: 7, keyLength: 4 };
    const start = `01000000${TABLE}0d000200${"7265667573656434"}00000000`;
    const rest = "0800040000000007" + "0800050000000004" + "08000a0000000001";
    assert.equal(hex(newSet(HOLDFAST, spec).body), `${start}0800030000000000${rest}`);
    const timed = newSet(HOLDFAST, { ...spec, timeouts: true });
    assert.equal(hex(timed.body), `${start}0800030000000010${rest}`);
  });

  // nft numbers the nests; the kernel looks only at what is in them.
  test("elements, each in its own nest", () => {
    const elements = [{ key: Uint8Array.of(0x85) }, { key: Uint8Array.of(0x86) }];
    const set = "0c000200" + "5f5f736574256400";
    const list =
      "24000380" +
      "10000180" +
      "0c000180" +
      "0500010085000000" +
      "10000180" +
      "0c000180" +
      "0500010086000000";
    const command = addElements(HOLDFAST, "__set%d", elements);
    assert.equal(hex(command.body), `01000000${TABLE}${set}${list}`);
    assert.equal(command.type, 0xa0c);
    const removal = deleteElements(HOLDFAST, "__set%d", elements);
    assert.equal(removal.type, 0xa0e);
    assert.deepEqual(removal.body, command.body);
  });

  test("an encoded element is what stands in a list, and takes another timeout", () => {
    const element = { key: Uint8Array.of(1, 2, 3, 4), timeoutMs: 2500 };
    const encoded = encodeElement(element);
    const start = "1c000180" + "0c000180" + "0800010001020304" + "0c000400" + "00000000";
    assert.equal(hex(encoded), `${start}000009c4`);
    setTimeoutIn(encoded, 0x89abcdef);
    assert.equal(hex(encoded), `${start}89abcdef`);
    assert.equal(
      hex(encodeElement({ key: element.key })),
      "10000180" + "0c000180" + "0800010001020304",
    );
  });

  test("what renews, extends and drops has the same bytes, in each set", () => {
    const elements = [1, 2].map((last) => ({ key: Uint8Array.of(1, 2, 3, last), timeoutMs: 7 }));
    const encoded = elements.map(encodeElement);
    const tables: Table[] = [HOLDFAST, { family: "arp", name: "holdfast" }];
    const sets = tables.map((table) => elementsOf(table, "s"));
    const bodies = tables.map((table) => hex(addElements(table, "s", elements).body));
    const [ADD, DELETE] = [
      [0xa0c, FLAG.create],
      [0xa0e, 0],
    ];
    for (const [change, steps] of [
      [renewElements, [ADD, DELETE, ADD]],
      [extendElements, [DELETE, ADD]],
      [dropElements, [ADD, DELETE]],
    ] as const) {
      assert.deepEqual(
        change(sets, encoded).map(({ type, flags, body }) => [type, flags, hex(body)]),
        bodies.flatMap((body) => steps.map((step) => [...step, body])),
      );
    }
  });

  test("lists are cut where an attribute would overflow, and empty ones are none", () => {
    const encoded = Array.from({ length: 2001 }, (_, at) =>
      encodeElement({ key: Uint8Array.of(at >> 8, at), timeoutMs: at }),
    );
    const sets = [elementsOf(HOLDFAST, "s")];
    const sizes = dropElements(sets, encoded).map(({ body }) => body.length);
    assert.equal(sizes.length, 6);
    assert.ok(sizes.every((size) => size < 65_536));
    assert.deepEqual(renewElements(sets, []), []);
  });

  test("a timeout is 64 bits of milliseconds", () => {
    const key = Uint8Array.of(1, 2, 3, 4);
    const of = (timeoutMs: number) =>
      hex(addElements(HOLDFAST, "s", [{ key, timeoutMs }]).body).slice(-24);
    assert.equal(of(2500), "0c000400" + "00000000000009c4");
    assert.equal(of(2 ** 32 + 5), "0c000400" + "0000000100000005");
  });
});

describe("rules", little, () => {
  const meta = "24000180" + "090001006d65746100000000" + "14000280" + "08000200";
  const compare = "2c000180" + "08000100636d7000" + "20000280" + "0800010000000001" + "08000200";
  const verdict =
    "30000180" +
    "0e000100696d6d656469617465000000" +
    "1c000280" +
    "0800010000000000" +
    "10000280" +
    "0c000280" +
    "08000100";

  test("ip daddr @refused4 drop", () => {
    const rule = newRule(HOLDFAST, "input", [
      { kind: "meta", key: "family", to: 1 },
      { kind: "compare", from: 1, operator: "equal", value: Uint8Array.of(2) },
      { kind: "payload", base: "network", offset: 16, length: 4, to: 1 },
      { kind: "lookup", from: 1, set: "refused4" },
      { kind: "verdict", verdict: "drop" },
    ]);
    const payload =
      "34000180" +
      "0c0001007061796c6f616400" +
      "24000280" +
      "0800010000000001" +
      "0800020000000001" +
      "0800030000000010" +
      "0800040000000004";
    // nft says the number of the set as well, by which the kernel finds one without a name.
    const lookup =
      "2c000180" +
      "0b0001006c6f6f6b75700000" +
      "1c000280" +
      "0800020000000001" +
      "0d00010072656675736564340000" +
      "0000";
    assert.equal(
      hex(rule.body),
      `01000000${TABLE}0a000200${INPUT}e4000480` +
        `${meta}0000000f` +
        "0800010000000001" +
        `${compare}00000000` +
        "0c0003800500010002000000" +
        `${payload}${lookup}${verdict}00000000`,
    );
    assert.equal(rule.flags, FLAG.create | FLAG.append);
  });

  test("ip daddr != @open4, by the interface's type", () => {
    const rule = newRule(HOLDFAST, "input", [
      { kind: "meta", key: "inputType", to: 1 },
      { kind: "meta", key: "outputIndex", to: 1 },
      { kind: "lookup", from: 1, set: "open4", inverted: true },
    ]);
    const lookup =
      "30000180" +
      "0b0001006c6f6f6b75700000" +
      "20000280" +
      "0800020000000001" +
      "0a0001006f70656e34000000" +
      "0800050000000001";
    assert.equal(
      hex(rule.body).slice(-2 * (36 + 36 + 48)),
      [`${meta}00000008`, `${meta}00000005`].map((each) => `${each}0800010000000001`).join("") +
        lookup,
    );
  });

  test("icmpv6 type 133-136 accept", () => {
    const rule = newRule(HOLDFAST, "input", [
      { kind: "meta", key: "protocol", to: 1 },
      { kind: "payload", base: "transport", offset: 0, length: 1, to: 1 },
      { kind: "compare", from: 1, operator: "atLeast", value: Uint8Array.of(133) },
      { kind: "compare", from: 1, operator: "atMost", value: Uint8Array.of(136) },
      { kind: "verdict", verdict: "accept" },
    ]);
    const payload =
      "34000180" +
      "0c0001007061796c6f616400" +
      "24000280" +
      "0800010000000001" +
      "0800020000000002" +
      "0800030000000000" +
      "0800040000000001";
    assert.equal(
      hex(rule.body).slice(-2 * (36 + 52 + 44 + 44 + 48)),
      `${meta}00000010` +
        "0800010000000001" +
        payload +
        `${compare}00000005` +
        "0c0003800500010085000000" +
        `${compare}00000003` +
        "0c0003800500010088000000" +
        `${verdict}00000001`,
    );
  });
});

describe("batches", () => {
  test("begin, the commands, end; only the last command asks for an answer", () => {
    const commands = [newTable(HOLDFAST), deleteTable(HOLDFAST)];
    const messages = decodeMessages(encodeBatch(commands, 7));
    assert.deepEqual(
      messages.map(({ type, flags, sequence }) => [type, flags, sequence]),
      [
        [16, FLAG.request, 7],
        [0xa00, FLAG.request | FLAG.create, 8],
        [0xa02, FLAG.request | FLAG.ack, 9],
        [17, FLAG.request, 10],
      ],
    );
    assert.equal(messages.length, commands.length + BATCH_FRAME);
    assert.equal(hex(messages[0]?.body ?? new Uint8Array()), "0000000a");
    assert.equal(hex(messages[3]?.body ?? new Uint8Array()), "0000000a");
  });

  test("one is written over whatever the bytes for it hold, and beside them if they are too few", () => {
    const unpadded = { type: NFT.newTable, flags: 0, body: Uint8Array.of(1, 2, 3, 4, 5) };
    const commands = [newTable(HOLDFAST), unpadded, deleteTable(HOLDFAST)];
    const plain = encodeBatch(commands, 7);
    const dirty = new Uint8Array(plain.length + 50).fill(0xff);
    const written = encodeBatch(commands, 7, dirty);
    assert.equal(written.buffer, dirty.buffer);
    assert.equal(hex(written), hex(plain));
    assert.equal(dirty.at(plain.length), 0xff);
    const few = new Uint8Array(plain.length - 1);
    assert.equal(hex(encodeBatch(commands, 7, few)), hex(plain));
    assert.ok(few.every((octet) => octet === 0));
  });
});

describe("answers", () => {
  const message = (type: number, body: Uint8Array): NetlinkMessage => ({
    type,
    flags: 0,
    sequence: 1,
    body,
  });

  test("questions name what they are about", little, () => {
    assert.equal(hex(getGeneration()), "00000000");
    assert.equal(hex(getRules(HOLDFAST, "input")), `01000000${TABLE}0a000200${INPUT}`);
    assert.equal(hex(elementsOf(HOLDFAST, "x")), `01000000${TABLE}0600020078000000`);
  });

  test("a generation is in network order", little, () => {
    const body = bytesOf("00000000" + "0800010000000102");
    assert.equal(decodeGeneration(message(NFT.newGeneration, body)), 0x102);
    assert.equal(decodeGeneration(message(NFT.newRule, body)), undefined);
    assert.equal(decodeGeneration(message(NFT.newGeneration, body.subarray(0, 8))), undefined);
  });

  test("every key of a dump is read back", () => {
    const key = fc.uint8Array({ minLength: 4, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(key, { maxLength: 50 }), (keys) => {
        const elements = keys.map((one, at) => ({
          key: one,
          timeoutMs: at % 2 === 0 ? undefined : at,
        }));
        const { type, body } = addElements(HOLDFAST, "refused4", elements);
        assert.deepEqual(decodeElements(message(type, body)).map(hex), keys.map(hex));
      }),
    );
  });

  test("any bytes decode without an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeElements(message(NFT.newSetElements, bytes));
        decodeGeneration(message(NFT.newGeneration, bytes));
      }),
    );
  });
});
