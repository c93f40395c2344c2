import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeControl, encodeControl } from "../../agent/wire/bfd.ts";
import { control } from "../core/bfd/example.ts";
import { hexOf } from "../wire/samples.ts";

/** How many inputs: FUZZ_RUNS sets it for a longer run, FUZZ_SEED another start. */
const { FUZZ_RUNS = "100000", FUZZ_SEED = "5880" } = process.env;
const RUNS = Number(FUZZ_RUNS);

function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const OUTCOMES = [
  ...["accepted", "truncated", "version", "length", "multiplier-zero", "multipoint"],
  ...["discriminator-zero", "authentication"],
];

function input(random: (below: number) => number): Uint8Array {
  const bytes = new Uint8Array(random(70));
  bytes.set(encodeControl(control()).subarray(0, bytes.length));
  for (let rounds = random(5); rounds > 0 && bytes.length > 0; rounds -= 1) {
    const at = random(2) === 0 ? random(Math.min(8, bytes.length)) : random(bytes.length);
    bytes[at] = random(3) === 0 ? 0 : random(256);
  }
  if (random(8) === 0) bytes.fill(0, 4, 8);
  return bytes;
}

/** What was read is what is written: nothing but the length may differ. */
function exercise(bytes: Uint8Array): string {
  const decoded = decodeControl(bytes);
  if (!decoded.ok) return decoded.reason;
  if (decoded.value.diagnostic === "reserved") return "accepted";
  const written = encodeControl(decoded.value);
  written[3] = bytes[3] ?? 0;
  assert.equal(hexOf(written), hexOf(bytes.subarray(0, 24)));
  return "accepted";
}

test(`the decoder of BFD never throws, and reaches every answer: ${RUNS} inputs`, () => {
  const random = randomFrom(Number(FUZZ_SEED));
  const seen = new Set<string>();
  for (let run = 0; run < RUNS; run += 1) seen.add(exercise(input(random)));
  if (RUNS >= 100_000) assert.deepEqual([...seen].sort(), OUTCOMES.sort());
});
