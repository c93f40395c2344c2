import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { after, describe, test } from "node:test";
import type { DropReason } from "../../agent/core/vrrp/drop-reason.ts";
import { worstGap } from "./advert-gaps.ts";
import { announcements } from "./arp-frames.ts";
import type { Capture } from "./capture.ts";
import { allTransitions, Cluster, routerOf, skip, untilState } from "./cluster.ts";
import type { Flood } from "./flooder.ts";
import { configText, SERVICE } from "./instance-text.ts";
import { nothingLeft } from "./leftovers.ts";
import { Metronome } from "./metronome.ts";
import { advertisements } from "./vrrp-frames.ts";
import type { PacketText } from "./vrrp-packet.ts";
import { vrrpFrame } from "./vrrp-packet.ts";

/*
 * A stranger on the segment sends 10,000 packets a second of each kind to two agents, one active and
 * one backup. `a` has priority 200 and is 192.0.2.1, `b` has priority 60.
 */

const PER_SECOND = 10_000;
const FLOOD_MS = 500;
const INTERVAL_MS = 100;
const LATE_MS = 10;
/** By their priorities `b` waits so much longer than `a` does. */
const LEAD_MS = 50;
const GRACE_MS = 15_000;
/** An answer to what provokes one leaves so often at most. */
const ANSWER_MS = 10;
/** The addresses are announced again, five frames every 100 ms at most. */
const ANNOUNCEMENT_MS = 20;
/** Lines of log that one kind of packet may cost a node. */
const LINES = 20;

interface Kind {
  readonly packets: readonly PacketText[];
  /** Counted under these names by both; none: the kernel's filter may have kept it out. */
  readonly dropped?: readonly DropReason[];
  /** It provokes the active router to advertise. */
  readonly provokes?: boolean;
}

let strangers = 150;

/** Each kind from an address of its own: the log tells once of each. */
const stranger = (): string => `192.0.2.${strangers++}`;

const from = (packet: Omit<PacketText, "source">): Kind["packets"] => [
  { source: stranger(), ...packet },
];

/** The same from very many senders. */
const spoofed = (packet: Omit<PacketText, "source">): Kind["packets"] =>
  Array.from({ length: 4_096 }, (_, at) => ({
    source: `10.${at >> 8}.${at & 255}.1`,
    ...packet,
  }));

/** The same rubbish in every run. */
function rubbish(): Kind["packets"] {
  let seed = 1;
  const next = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed >> 16;
  };
  const source = stranger();
  return Array.from({ length: 1_024 }, () => {
    const message = Uint8Array.from({ length: next() % 200 }, next);
    // What has our VRID comes through the filter.
    if (message.length > 1) message[1] = 51;
    return { source, message };
  });
}

const kinds: Readonly<Record<string, Kind>> = {
  "a wrong checksum": {
    packets: from({ priority: 254, checksumError: 1 }),
    dropped: ["checksum"],
  },
  "a wrong TTL": { packets: from({ priority: 254, ttl: 254 }) },
  "a foreign VRID": { packets: from({ priority: 254, vrid: 99 }) },
  "version 2": { packets: from({ priority: 254, version: 2 }), dropped: ["version"] },
  "version 7": { packets: from({ priority: 254, version: 7 }), dropped: ["version"] },
  "type 2": { packets: from({ priority: 254, type: 2 }), dropped: ["type"] },
  "no addresses": {
    packets: from({ priority: 254, addresses: [] }),
    dropped: ["no-addresses"],
  },
  "interval 0": { packets: from({ priority: 254, interval: 0 }), dropped: ["interval-zero"] },
  "a cut header": { packets: from({ priority: 254, cut: 5 }), dropped: ["truncated"] },
  "a cut list": { packets: from({ priority: 254, count: 9 }), dropped: ["length"] },
  "1,400 octets": { packets: from({ priority: 254, tail: 1_400 }), dropped: ["length"] },
  rubbish: { packets: rubbish(), dropped: ["version", "truncated"] },
  "a wrong checksum from 4,096 senders": {
    packets: spoofed({ priority: 254, checksumError: 1 }),
    dropped: ["checksum"],
  },
  "our own address": { packets: [{ source: "192.0.2.1", priority: 200 }] },
  "a lower priority": { packets: from({ priority: 50 }), provokes: true },
  "a lower priority and another address": {
    packets: from({ priority: 50, addresses: ["192.0.2.66"] }),
    provokes: true,
  },
  "a lower priority and other addresses from 4,096 senders": {
    packets: spoofed({ priority: 50, addresses: ["192.0.2.66", "192.0.2.67"] }),
    provokes: true,
  },
  "priority 0": { packets: from({ priority: 0 }), provokes: true },
};

interface Scene {
  readonly cluster: Cluster;
  readonly capture: Capture;
  readonly metronome: Metronome;
  readonly flooder: ChildProcess;
}

async function flood({ cluster, flooder }: Scene, packets: Kind["packets"]): Promise<void> {
  const { index, mac } = cluster.observer;
  const frames = packets.map((packet) => Buffer.from(vrrpFrame(mac, packet)).toString("hex"));
  const wanted: Flood = {
    interfaceIndex: index,
    frames,
    perSecond: PER_SECOND,
    milliseconds: FLOOD_MS,
  };
  const answer = once(flooder, "message");
  flooder.send(wanted);
  const [sent] = await answer;
  assert.ok(Number(sent) >= (PER_SECOND * FLOOD_MS) / 2_000, `only ${sent} packets were sent`);
}

const lines = (text: string): number => text.split("\n").length - 1;

const residentKilobytes = (pid: number | null): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

async function endure(scene: Scene, kind: Kind, t: TestContext): Promise<void> {
  const { cluster, capture, metronome } = scene;
  const before = await Promise.all(cluster.members.map(({ agent }) => routerOf(agent)));
  const logged = cluster.members.map(({ agent }) => lines(agent.log));
  const mark = capture.frames.length;
  await metronome.noise();
  const begun = performance.now();
  await flood(scene, kind.packets);
  await capture.caughtUp();
  // Whoever floods may be kept waiting, too.
  const lasted = performance.now() - begun;
  const noise = await metronome.noise();
  const seen = advertisements(capture.frames.slice(mark));
  const worst = worstGap(seen, "192.0.2.1");
  t.diagnostic(
    `worst gap ${worst.toFixed(1)} ms, noise ${noise.toFixed(1)} ms, ${seen.length} sent`,
  );
  assert.ok(worst <= INTERVAL_MS + LATE_MS + noise, `a gap of ${worst} ms, noise ${noise} ms`);
  assert.ok(seen.every(({ priority }) => priority === 200));
  if (kind.provokes !== true) assert.ok(seen.length <= lasted / INTERVAL_MS + 3);
  else {
    const answers = `${seen.length} answers in ${lasted} ms`;
    assert.ok(seen.length <= lasted / ANSWER_MS + 5, answers);
    assert.ok(seen.length >= FLOOD_MS / ANSWER_MS / 4, answers);
    const announced = announcements(capture.frames.slice(mark)).length;
    assert.ok(
      announced >= 1 && announced <= lasted / ANNOUNCEMENT_MS + 10,
      `${announced} announcements`,
    );
  }
  for (const [at, { agent }] of cluster.members.entries()) {
    const router = await routerOf(agent);
    assert.deepEqual(router.lastTransition, before[at]?.lastTransition);
    for (const reason of kind.dropped ?? []) {
      const counted =
        (router.counters.dropped[reason] ?? 0) - (before[at]?.counters.dropped[reason] ?? 0);
      assert.ok(counted >= 10, `${reason} was counted ${counted} times on ${agent.node.name}`);
    }
    const told = lines(agent.log) - (logged[at] ?? 0);
    assert.ok(told <= LINES, `${told} lines in the log of ${agent.node.name}`);
    if (kind.dropped !== undefined) assert.ok(told >= 1, "the log says nothing");
  }
}

describe("flood", { skip }, () => {
  after(nothingLeft);

  test(`${PER_SECOND} packets a second`, async (t) => {
    const metronome = await Metronome.start();
    t.after(() => metronome.close());
    // Four processes are busy here: what is asked is what the agent does with its time, not how much
    // of it the machine has to spare.
    const config = (priority: number): string => configText([{ priority }], ["vrrp_priority -20"]);
    await Cluster.run([config(200), config(60)], async (cluster) => {
      const { node } = cluster.observer;
      const [a, b] = [cluster.member(0), cluster.member(1)];
      const watch = await cluster.watch(SERVICE);
      const capture = await cluster.capture(
        "ether src 02:48:46:00:02:01 and (ip proto 112 or arp)",
      );
      assert.equal(Buffer.from(a.eth0.mac).toString("hex"), "024846000201");
      const flooder = node.spawn(process.execPath, [join(import.meta.dirname, "flooder.ts")], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
      await once(flooder, "message");
      await cluster.start();
      await watch.until([a.node], GRACE_MS);
      await untilState(b.agent, "backup", GRACE_MS);
      const before = await Promise.all([a, b].map(({ agent }) => agent.status()));
      const scene: Scene = { cluster, capture, metronome, flooder };
      for (const [name, kind] of Object.entries(kinds)) {
        await t.test(name, (inner) => endure(scene, kind, inner));
      }

      await t.test(
        "a higher priority: the active one yields, and is back when it ends",
        async () => {
          const start = await a.agent.heard();
          const other = await b.agent.heard();
          await metronome.noise();
          await flood(scene, from({ priority: 254 }));
          await watch.until([a.node], GRACE_MS);
          await untilState(a.agent, "active", GRACE_MS);
          assert.deepEqual(await allTransitions(a.agent, start), [
            "active to backup",
            "backup to active",
          ]);
          const noise = await metronome.noise();
          const others = await allTransitions(b.agent, other);
          // Whom the machine leaves waiting for so long is overtaken.
          if (noise < LEAD_MS) assert.deepEqual(others, [], `noise ${noise} ms`);
        },
      );

      await t.test("nothing has crashed, and nothing has grown", async () => {
        for (const [at, { agent }] of [a, b].entries()) {
          const { processes } = await agent.status();
          assert.deepEqual(processes, before[at]?.processes);
          assert.ok(residentKilobytes(processes.vrrp.pid) < 250_000);
        }
      });
    });
  });
});
