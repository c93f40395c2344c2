import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { staysInProportion } from "../../proportion.ts";
import { configOf } from "./lowered.ts";

const real = (number: number): string =>
  `real_server 10.${number >> 16}.${(number >> 8) & 255}.${number & 255} 80 {\nHTTP_GET {\nurl {\npath /\nstatus_code 200\n}\nretry 3\n}\n}\n`;

const virtual = (target: string, first: number, count: number): string =>
  `virtual_server ${target} 80 {\nprotocol TCP\n${Array.from({ length: count }, (_, i) => real(first + i)).join("")}}\n`;

/** Ways of being large: a text of so many parts, and how many real servers it has. */
const SHAPES: Readonly<Record<string, (count: number) => readonly [text: string, real: number]>> = {
  "one virtual server of many": (count) => [virtual("192.0.2.1", 0, count), count],
  "many virtual servers of 16": (count) => [
    Array.from({ length: count / 16 }, (_, i) =>
      virtual(`172.16.${i >> 8}.${i & 255}`, i * 16, 16),
    ).join(""),
    count,
  ],
  "a group of many addresses, twice": (count) => [
    `virtual_server_group G {\n${Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255} 80\n`).join("")}}\n${virtual("group G", 0, 1).replace("G 80", "G").repeat(2)}`,
    1,
  ],
  "the same real server again and again": (count) => [
    `virtual_server 192.0.2.1 80 {\nprotocol TCP\n${real(1).repeat(count)}}\n`,
    1,
  ],
};

describe("virtual servers take time in proportion", () => {
  for (const [name, make] of Object.entries(SHAPES)) {
    test(name, () => {
      staysInProportion((count) => {
        const [text, expected] = make(count);
        const { virtualServers } = configOf(text).balancing;
        const found = virtualServers.reduce((sum, { realServers }) => sum + realServers.length, 0);
        assert.equal(found, expected);
      }, 1_600);
    });
  }
});
