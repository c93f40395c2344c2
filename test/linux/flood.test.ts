import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Instant } from "../../agent/core/time.ts";
import { instant } from "../../agent/core/time.ts";
import { createAdvertisementSockets } from "../../agent/linux/advertisement-sockets.ts";
import { systemClock } from "../../agent/linux/clock.ts";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { openTimer } from "../../agent/linux/timer.ts";
import type { Endpoint } from "../../agent/ports/advertisement-sockets.ts";
import { frame, GROUP, ip, multicast, packet } from "./advertisement-packets.ts";

const RATE = 10_000;
const INTERVAL = 10_000;
const DEADLINES = 60;
const FLOODER = fileURLToPath(new URL("flooder.ts", import.meta.url));

/** Lateness in microseconds of deadlines every 10 ms. */
function deadlines(): Promise<number[]> {
  return new Promise((done) => {
    const late: number[] = [];
    let at: Instant = instant(systemClock.now() + INTERVAL);
    const timer = openTimer(() => {
      late.push(systemClock.now() - at);
      at = instant(at + INTERVAL);
      if (late.length < DEADLINES) return timer.set(at);
      timer.close();
      done(late.sort((a, b) => a - b));
    });
    timer.set(at);
  });
}

describe(`a flood of ${RATE} packets a second`, () => {
  const sockets = createAdvertisementSockets();
  let lab: Lab;
  let a: LabInterface;
  let b: LabInterface;
  let endpoint: Endpoint;
  let count = 0;
  before(() => {
    lab = new Lab();
    const lan = lab.segment("lan");
    a = lab.attach(lab.node("a"), lan, { name: "eth0", addresses: ["192.0.2.1/24"] });
    b = lab.attach(lab.node("b"), lan, { name: "eth0", addresses: ["192.0.2.2/24"] });
  });
  beforeEach(() => {
    count = 0;
    endpoint = b.node.run(() =>
      sockets.open(
        multicast("ipv4", b.index),
        () => {
          count += 1;
        },
        assert.fail as (errno: string) => void,
      ),
    );
    endpoint.setVrids(new Set([10]));
  });
  afterEach(() => endpoint.close());
  after(() => lab.dispose());

  const source = ip("192.0.2.1");
  const destination = GROUP.ipv4;
  const kinds = {
    "a wrong TTL": { packet: packet({ source, destination, ttl: 64 }), most: 48 },
    "a foreign VRID": { packet: packet({ source, destination, vrid: 11 }), most: 0 },
    "no payload": { packet: packet({ source, destination }).slice(0, 20), most: 0 },
    "our VRID and rubbish": {
      packet: packet({ source, destination, tail: 40 }),
      most: Number.POSITIVE_INFINITY,
    },
    "our VRID and 1,400 octets": {
      packet: packet({ source, destination, tail: 1_400 }),
      most: Number.POSITIVE_INFINITY,
    },
  };
  for (const [kind, { packet: bytes, most }] of Object.entries(kinds)) {
    test(`${kind}: deadlines are kept`, async (context) => {
      const args = [
        FLOODER,
        String(a.index),
        String(RATE),
        Buffer.from(frame(a.mac, bytes)).toString("hex"),
      ];
      const flooder = a.node.spawn(process.execPath, args, {
        stdio: ["ignore", "pipe", "inherit"],
      });
      assert.ok(flooder.stdout !== null);
      try {
        await once(flooder.stdout, "data");
        const cpu = process.cpuUsage();
        const late = await deadlines();
        const { user, system } = process.cpuUsage(cpu);
        const at = (share: number) => late[Math.floor((late.length - 1) * share)] ?? 0;
        context.diagnostic(
          `late p50 ${at(0.5)} p90 ${at(0.9)} max ${at(1)} µs; ${count} packets seen; ` +
            `CPU ${((user + system) / 10_000).toFixed(1)} %`,
        );
        assert.ok(count <= most, `${count} packets came through the filter`);
        if (most > RATE) assert.ok(count > RATE / 10, `only ${count} packets came`);
        assert.ok(at(0.5) < 10_000);
      } finally {
        flooder.kill("SIGKILL");
        await once(flooder, "exit");
      }
    });
  }
});
