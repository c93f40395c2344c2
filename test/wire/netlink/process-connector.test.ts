import assert from "node:assert/strict";
import { endianness } from "node:os";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decodeProcessEvent, encodeListen } from "../../../agent/wire/netlink/process-connector.ts";

/** As a little-endian kernel (6.18) sent them: header, connector, what, cpu, time, then words. */
const event = (what: string, ...words: readonly number[]): Uint8Array => {
  const head = "4c0000000300000077240000000000000100000001000000ad160000";
  const ack = what === "00000000" ? "08000000" : "00000000";
  const bytes = Buffer.alloc(76);
  bytes.write(`${head}${ack}28000000${what}00000000410412e318120000`, "hex");
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, 52 + 4 * index);
  return bytes;
};

describe("the process connector", { skip: endianness() !== "LE" }, () => {
  test("is asked to begin", () => {
    assert.equal(
      Buffer.from(encodeListen(7)).toString("hex"),
      "2800000003000000000000000000000001000000010000000000000007000000" + "0400000001000000",
    );
  });

  test("tells of processes, not of further threads", () => {
    assert.deepEqual(decodeProcessEvent(event("00000000")), {
      kind: "answer",
      acknowledges: 7,
      errno: 0,
    });
    const fork = { kind: "fork", parent: 5, pid: 9 };
    assert.deepEqual(decodeProcessEvent(event("01000000", 6, 5, 9, 9)), fork);
    assert.equal(decodeProcessEvent(event("01000000", 5, 5, 10, 9)), undefined);
    assert.deepEqual(decodeProcessEvent(event("02000000", 9, 9)), { kind: "exec", pid: 9 });
    assert.deepEqual(decodeProcessEvent(event("00000080", 9, 9, 0, 17)), { kind: "exit", pid: 9 });
    assert.equal(decodeProcessEvent(event("00000080", 10, 9)), undefined);
    const named = event("00020000", 9, 9, 0x6e69676e, 0x78);
    assert.deepEqual(decodeProcessEvent(named), { kind: "name", pid: 9, comm: "nginx" });
    assert.equal(decodeProcessEvent(event("04000000", 9, 9)), undefined);
  });

  test("sends no bytes that it could not take", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(76), (noise, length) => {
        decodeProcessEvent(noise);
        decodeProcessEvent(event("00020000", 9, 9).subarray(0, length));
      }),
    );
  });
});
