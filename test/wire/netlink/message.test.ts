import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  BodyWriter,
  byteOrder,
  decodeAttributes,
  decodeLengthPrefixed,
  integerIn,
  textIn,
} from "../../../agent/wire/netlink/attribute.ts";
import {
  CONTROL,
  decodeAcknowledgement,
  decodeMessages,
  encodeMessage,
  FLAG,
  joinMessages,
  withFlags,
} from "../../../agent/wire/netlink/message.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const little = { skip: byteOrder ? false : "vectors are little-endian" };

describe("messages", () => {
  test("a header, a body, and padding that its length does not count", little, () => {
    assert.equal(
      hex(encodeMessage(20, 0x605, bytesOf("0102030405"))),
      "15000000" + "1400" + "0506" + "00000000" + "00000000" + "0102030405000000",
    );
  });

  test("flags are added to those that are there, on a copy", () => {
    const message = encodeMessage(20, FLAG.request, bytesOf("01"));
    const [decoded] = decodeMessages(withFlags(message, FLAG.ack));
    assert.equal(decoded?.flags, FLAG.request | FLAG.ack);
    assert.equal(decodeMessages(message)[0]?.flags, FLAG.request);
  });

  test("joined messages are numbered in a row", () => {
    const one = encodeMessage(20, FLAG.request, bytesOf("01"));
    const two = encodeMessage(21, FLAG.request, bytesOf("0203"));
    const joined = joinMessages([one, two], 7, 99);
    assert.deepEqual(
      decodeMessages(joined).map(({ type, sequence, body }) => [type, sequence, hex(body)]),
      [
        [20, 7, "01"],
        [21, 8, "0203"],
      ],
    );
  });

  test("an acknowledgement is errno 0; a refusal has the kernel's words", little, () => {
    const acknowledgement = (flags: number, body: string) =>
      decodeAcknowledgement({ type: CONTROL.error, flags, sequence: 1, body: bytesOf(body) });
    const header = "14000000140005060000000000000000";
    assert.deepEqual(acknowledgement(FLAG.capped, `00000000${header}`), {
      code: 0,
      text: undefined,
    });
    const words = new BodyWriter().attributeText(1, "no such thing").finish();
    const refusal = `ffffffff${header}`;
    assert.deepEqual(acknowledgement(FLAG.capped | FLAG.extended, refusal + hex(words)), {
      code: 1,
      text: "no such thing",
    });
    // Not capped: the whole request, here with four bytes of body, stands before the words.
    const whole = `ffffffff${header}aabbccdd`;
    assert.deepEqual(acknowledgement(FLAG.extended, whole + hex(words)).text, "no such thing");
  });

  test("any bytes decode without an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const message of decodeMessages(bytes)) decodeAcknowledgement(message);
        for (const [, value] of decodeAttributes(bytes, 4)) {
          integerIn(value);
          textIn(value);
        }
        decodeLengthPrefixed(bytes, 8);
      }),
    );
  });

  test("a cut message and a cut attribute end the list", () => {
    const whole = encodeMessage(20, 0, bytesOf("01020304"));
    const cut = joinMessages([whole, whole], 1, 0).subarray(0, whole.length + 18);
    assert.equal(decodeMessages(cut).length, 1);
    const attributes = new BodyWriter().attributeU32(1, 5).attributeU32(2, 6).finish();
    assert.deepEqual([...decodeAttributes(attributes.subarray(0, 14), 0).keys()], [1]);
  });
});

describe("attributes", () => {
  test("what is written is read back, in any size and nesting", () => {
    const value = fc.oneof(
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("\0")),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 0x3fff }), value), {
          selector: ([type]) => type,
        }),
        (list) => {
          const body = new BodyWriter().u32(0).nested(9, (inside) => {
            for (const [type, one] of list) {
              if (typeof one === "number") inside.attributeU32(type, one);
              else inside.attributeText(type, one);
            }
          });
          const inside = decodeAttributes(body.finish(), 4).get(9) ?? new Uint8Array();
          const read = decodeAttributes(inside, 0);
          for (const [type, one] of list) {
            const bytes = read.get(type);
            assert.equal(typeof one === "number" ? integerIn(bytes) : textIn(bytes), one);
          }
        },
      ),
    );
  });

  test("a name that is no UTF-8 is shown byte by byte", () => {
    assert.equal(textIn(bytesOf("65ff00")), "e\u00ff");
  });
});
