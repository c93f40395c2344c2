import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import type { AddressWatch } from "../lab/address-watch.ts";
import { Agent } from "../lab/agent.ts";
import type { Frame } from "../lab/capture.ts";
import { Pair } from "../lab/pair.ts";
import { TAKEOVER_MS } from "./programs.ts";

/*
 * Debian's keepalived is older than auth_hmac: the vectors of keepalived 2.4.3 are among the unit
 * tests, and here two Holdfasts go through what an operator does with it.
 */

const SERVICE = "192.0.2.100";
const KEY = "a secret of thirty-two bytes ok!";
const OTHER_KEY = "another secret of 32 bytes as it";
const A_WHILE_MS = 1_500;
const TRAILER = 28;
/** Ethernet, IP, the VRRP header and one address. */
const UNSIGNED = 14 + 20 + 8 + 4;

interface Signing {
  readonly mode: "enforce" | "permissive" | "receive-only";
  readonly keys?: Readonly<Record<number, string>>;
  readonly active?: number;
}

function configuration(priority: number, signing: Signing | undefined): string {
  const { keys = { 1: KEY }, active = 1, mode } = signing ?? {};
  const lines = Object.entries(keys).map(([id, key]) => `    key ${id} "${key}"\n`);
  const block =
    mode === undefined
      ? ""
      : `  auth_hmac {\n${lines.join("")}    active_key ${active}\n    mode ${mode}\n  }\n`;
  return `vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int 0.1
${block}  virtual_ipaddress {
    ${SERVICE}/24
  }
}
`;
}

interface Scene {
  readonly high: Agent;
  readonly low: Agent;
  readonly highNode: LabNode;
  readonly lowNode: LabNode;
  readonly watch: AddressWatch;
}

/** The lower priority is active, then the higher one comes; what is in between is the caller's. */
async function stage(
  [highSigning, lowSigning]: readonly [Signing | undefined, Signing | undefined],
  play: (scene: Scene) => Promise<void>,
): Promise<readonly Frame[]> {
  let frames: readonly Frame[] = [];
  await Pair.run({}, async (pair) => {
    const [highNode, lowNode] = pair.nodes;
    const high = pair.add(new Agent(highNode, configuration(200, highSigning)));
    const low = pair.add(new Agent(lowNode, configuration(100, lowSigning)));
    const watch = await pair.watch(SERVICE);
    const capture = await pair.capture();
    await low.start();
    await watch.until([lowNode], TAKEOVER_MS);
    await high.start();
    await play({ high, low, highNode, lowNode, watch });
    frames = await capture.stop();
  });
  return frames;
}

async function understood({ high, low, highNode, lowNode, watch }: Scene): Promise<void> {
  await watch.until([highNode], TAKEOVER_MS);
  await watch.unchanged(A_WHILE_MS);
  for (const agent of [high, low]) assert.deepEqual(await dropped(agent), {});
  await high.stop();
  await watch.until([lowNode], TAKEOVER_MS);
}

const dropped = async (agent: Agent): Promise<Readonly<Record<string, number>>> =>
  (await agent.status()).routers[0]?.counters.dropped ?? {};

/** Neither listens to the other, and each counts why. */
const refused =
  (highCounts: readonly string[], lowCounts: readonly string[]) =>
  async ({ high, low, highNode, lowNode, watch }: Scene): Promise<void> => {
    await watch.until([highNode, lowNode], TAKEOVER_MS);
    await watch.unchanged(A_WHILE_MS);
    assert.deepEqual(Object.keys(await dropped(high)), highCounts);
    assert.deepEqual(Object.keys(await dropped(low)), lowCounts);
  };

const trailers = (frames: readonly Frame[]): readonly number[] =>
  [...new Set(frames.map(({ bytes }) => bytes.length - UNSIGNED))].sort((a, b) => a - b);

const enforce: Signing = { mode: "enforce" };

describe("auth_hmac between two Holdfasts", { concurrency: 3 }, () => {
  test("enforce, with one key: they understand each other, and sign everything", async () => {
    assert.deepEqual(trailers(await stage([enforce, enforce], understood)), [TRAILER]);
  });

  test("a key is changed: each knows both, and signs with another", async () => {
    const keys = { 1: KEY, 2: OTHER_KEY };
    const signings = [
      { mode: "enforce", keys, active: 2 },
      { mode: "enforce", keys, active: 1 },
    ] as const;
    await stage(signings, understood);
  });

  test("enforce, with different keys of one number: neither believes the other", async () => {
    const signings = [enforce, { mode: "enforce", keys: { 1: OTHER_KEY } }] as const;
    await stage(signings, refused(["auth-data"], ["auth-data"]));
  });

  test("permissive beside receive-only: signed is verified, unsigned let in", async () => {
    const frames = await stage([{ mode: "permissive" }, { mode: "receive-only" }], understood);
    assert.deepEqual(trailers(frames), [0, TRAILER]);
  });

  test("receive-only beside a node without it: nothing is signed", async () => {
    assert.deepEqual(trailers(await stage([{ mode: "receive-only" }, undefined], understood)), [0]);
  });

  test("enforce beside receive-only: what is not signed is refused by the one that enforces", async () => {
    await stage([enforce, { mode: "receive-only" }], async ({ high, low, highNode, watch }) => {
      await watch.until([highNode], TAKEOVER_MS);
      await watch.unchanged(A_WHILE_MS);
      assert.deepEqual(Object.keys(await dropped(high)), ["auth-type"]);
      assert.deepEqual(await dropped(low), {});
    });
  });
});
