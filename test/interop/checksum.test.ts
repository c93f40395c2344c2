import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Agent } from "../lab/agent.ts";
import type { Frame } from "../lab/capture.ts";
import { eventually } from "../lab/eventually.ts";
import { Keepalived } from "../lab/keepalived.ts";
import { Pair } from "../lab/pair.ts";
import { advertisements } from "../lab/vrrp-frames.ts";
import type { Cell } from "./cells.ts";
import { configuration, SERVICE } from "./cells.ts";
import { Frr } from "./frr.ts";
import { TAKEOVER_MS } from "./programs.ts";

/*
 * RFC 9568 §5.2.8 has the IPv4 checksum of version 3 cover the message alone; keepalived and FRR
 * add a pseudo-header. Holdfast hears both, and says when a segment mixes them.
 */

type Form = Cell["checksum"];

const A_WHILE_MS = 1_500;

const cell = (checksum: Form): Cell => ({
  version: 3,
  family: "ipv4",
  mode: "multicast",
  authentication: "none",
  checksum,
});

const ETHERNET = 14;
const IP = 20;

/** What a frame's checksum covers, added up as RFC 1071 has it. */
function formOf({ bytes }: Frame): Form | undefined {
  const packet = bytes.subarray(ETHERNET);
  const message = packet.subarray(IP, ((packet[2] ?? 0) << 8) | (packet[3] ?? 0));
  const pseudoHeader = [...packet.subarray(12, 20), 0, 112, 0, message.length];
  if (sum([...message]) === 0xffff) return "message";
  return sum([...pseudoHeader, ...message]) === 0xffff ? "pseudo-header" : undefined;
}

const sum = (octets: readonly number[]): number => {
  let total = 0;
  for (const [at, octet] of octets.entries()) total += at % 2 === 0 ? octet << 8 : octet;
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return total;
};

async function mixed(agent: Agent, times: boolean): Promise<void> {
  const [router] = (await agent.status()).routers;
  assert.equal((router?.counters.alarms["checksum-mix"] ?? 0) > 0, times);
  assert.deepEqual(router?.counters.dropped, {});
}

/** Each hears the other, whatever each of them sends. */
const twoOfUs = (highForm: Form, lowForm: Form): Promise<void> =>
  Pair.run({}, async (pair) => {
    const [highNode, lowNode] = pair.nodes;
    const high = pair.add(new Agent(highNode, configuration(cell(highForm), 200, "")));
    const low = pair.add(new Agent(lowNode, configuration(cell(lowForm), 100, "")));
    const watch = await pair.watch(SERVICE.ipv4);
    const capture = await pair.capture();
    await low.start();
    await watch.until([lowNode], TAKEOVER_MS);
    await high.start();
    await watch.until([highNode], TAKEOVER_MS);
    await watch.unchanged(A_WHILE_MS);

    for (const [agent, form] of [
      [high, lowForm],
      [low, highForm],
    ] as const) {
      await mixed(agent, highForm !== lowForm);
      const [router] = (await agent.status()).routers;
      assert.deepEqual(
        router?.peers.map(({ checksum }) => checksum),
        [form],
      );
    }
    await high.stop();
    await watch.until([lowNode], TAKEOVER_MS);
    const frames = await capture.stop();
    for (const frame of frames) {
      const from = advertisements([frame])[0]?.source;
      assert.equal(formOf(frame), from === "192.0.2.1" ? highForm : lowForm, from);
    }
  });

describe("what the v3 checksum of IPv4 covers", { concurrency: 3 }, () => {
  for (const [high, low] of [
    ["message", "message"],
    ["message", "pseudo-header"],
    ["pseudo-header", "message"],
  ] as const) {
    test(`the ${high} on the higher priority, the ${low} on the lower`, () => twoOfUs(high, low));
  }

  test("a backup that sends the message form obeys keepalived, and says that they do not agree", () =>
    Pair.run({}, async (pair) => {
      const [highNode, lowNode] = pair.nodes;
      const high = pair.add(
        new Keepalived(highNode, configuration(cell("pseudo-header"), 200, "")),
      );
      const low = pair.add(new Agent(lowNode, configuration(cell("message"), 100, "")));
      const watch = await pair.watch(SERVICE.ipv4);
      await low.start();
      await watch.until([lowNode], TAKEOVER_MS);
      await high.start();
      await watch.until([highNode], TAKEOVER_MS);
      await watch.unchanged(A_WHILE_MS);
      await mixed(low, true);
      await high.stop();
      await watch.until([lowNode], TAKEOVER_MS);
    }));

  test("an active router that keepalived refuses to hear says that they do not agree", () =>
    Pair.run({}, async (pair) => {
      const [highNode, lowNode] = pair.nodes;
      const high = pair.add(new Agent(highNode, configuration(cell("message"), 200, "")));
      const low = pair.add(new Keepalived(lowNode, configuration(cell("pseudo-header"), 100, "")));
      const watch = await pair.watch(SERVICE.ipv4);
      await low.start();
      await watch.until([lowNode], TAKEOVER_MS);
      await high.start();
      // Nothing that Holdfast could do: it is not heard. But it must say why.
      await watch.until([highNode, lowNode], TAKEOVER_MS);
      await mixed(high, true);
      const [router] = (await high.status()).routers;
      assert.equal(router?.state, "active");
      assert.deepEqual(
        router?.peers.map(({ checksum }) => checksum),
        ["pseudo-header"],
      );
    }));

  test("an active router that FRR refuses to hear says who goes on beside it", () =>
    Pair.run({}, async (pair) => {
      const [highNode, lowNode] = pair.nodes;
      const high = pair.add(new Agent(highNode, configuration(cell("message"), 200, "")));
      const addresses = [`${SERVICE.ipv4}/24`];
      const low = { vrid: 51, version: 3, priority: 100, intervalMs: 100, addresses } as const;
      await pair.add(new Frr(lowNode, low)).start();
      await high.start();
      // keepalived, unlike FRR, falls silent: each refused packet puts off its own next one.
      await eventually("both alarms are raised", TAKEOVER_MS, async () => {
        const [router] = (await high.status()).routers;
        const alarms = router?.counters.alarms ?? {};
        assert.ok("checksum-mix" in alarms && "rival-heard" in alarms, JSON.stringify(alarms));
      });
    }));
});
