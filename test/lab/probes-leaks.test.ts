import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer as createHttp2Server } from "node:http2";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { after, describe, test } from "node:test";
import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { milliseconds } from "../../agent/core/time.ts";
import type { ProbeOf } from "../../agent/ports/server-probes.ts";
import { createAuthority } from "../plugins/certificates.ts";
import type { TimedKind } from "../plugins/probes/rig.ts";
import { endpoint, http, openRig, tlsOptions } from "../plugins/probes/rig.ts";
import type { Listening } from "../plugins/servers.ts";
import { closedPort, listening } from "../plugins/servers.ts";
import { eventually } from "./eventually.ts";

const rig = openRig();
const AT_ONCE = 200;
const servers: Listening[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

async function serving(server: Server): Promise<Listening> {
  const listener = await listening(server);
  servers.push(listener);
  return listener;
}

/** It closes its sockets when the other side does. */
const tcp = (serve: (socket: Socket) => void): Promise<Listening> =>
  serving(
    createServer((socket) => {
      socket.resume();
      serve(socket);
    }),
  );

/** Sockets of this process; its servers close theirs when they hear of it. */
const sockets = (): number =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;

const timers = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

const residentMib = (): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1_024;

/** So many looks, some at once. A share of them is given up at any moment of their lives. */
async function looks(count: number, probes: readonly ProbeOf<TimedKind>[]): Promise<number> {
  let left = count;
  let up = 0;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const number = left;
      const probe = probes[number % probes.length];
      if (probe === undefined) return;
      const controller = new AbortController();
      const look = rig.run(probe, controller.signal, milliseconds(1_000));
      if (number % 3 === 0) {
        for (let turns = 0; turns < number % 10; turns += 1) await turn();
        controller.abort();
      }
      const { ok } = await look;
      up += ok ? 1 : 0;
      assert.equal(getEventListeners(controller.signal, "abort").length, 0, probe.kind);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return up;
}

describe("10,000 probes", { timeout: 120_000 }, () => {
  test("leave no socket, no timer, no listener and no memory behind", async () => {
    const answer = (socket: Socket) =>
      socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\n"));
    const web = await tcp(answer);
    const broken = await tcp((socket) => socket.resetAndDestroy());
    const mail = await tcp((socket) => {
      socket.write("220 x\r\n");
      socket.on("data", (line) =>
        socket.write(line.toString().startsWith("Q") ? "221 x\r\n" : "250 x\r\n"),
      );
    });
    const modern = await serving(createHttp2Server((_, response) => response.end()));
    const authority = createAuthority();
    const identity = authority.issue("IP:127.0.0.1", 30);
    const secure = await serving(createTlsServer(identity, answer));
    authority.dispose();
    const closed = await closedPort();
    const udp = {
      kind: "udp",
      payload: "00",
      reply: undefined,
      minReplyLength: 0,
      maxReplyLength: 9,
    } as const;
    const cheap: readonly ProbeOf<TimedKind>[] = [
      ...[web, broken].map(({ port }) => http(port)),
      http(closed),
      { kind: "tcp", to: endpoint(web.port) },
      { kind: "smtp", to: endpoint(mail.port), heloName: "x" },
      { ...udp, to: endpoint(closed), requireReply: false },
      { kind: "dns", to: endpoint(closed), type: "A", name: "a" },
      { kind: "ping", to: endpoint(0) },
    ];
    const dear: readonly ProbeOf<TimedKind>[] = [
      http(modern.port, {}, { version: "2" }),
      http(broken.port, {}, { version: "2" }),
      http(secure.port, {}, { tls: tlsOptions() }),
      http(web.port, {}, { tls: tlsOptions() }),
      { kind: "grpc", to: endpoint(modern.port), tls: undefined, service: "" },
    ];
    await looks(2_000, cheap);
    await looks(200, dear);
    const settled = async (): Promise<readonly [number, number]> => {
      await turn();
      return [sockets(), timers()];
    };
    // What is to be left is what is left in the end: some may still be on their way out.
    let before = await settled();
    await eventually("the servers are done", 15_000, async () => {
      await pause(300);
      const last = before;
      before = await settled();
      assert.deepEqual(before, last);
      assert.ok(before[0] < 20, `${before[0]} sockets`);
    });
    const memory = residentMib();
    const up = (await looks(9_000, cheap)) + (await looks(1_000, dear));
    assert.ok(up > 2_000, `${up} found up`);
    // Of what was there before, a timer may have been about to go.
    await eventually("nothing is left", 15_000, async () => {
      for (const [at, left] of (await settled()).entries()) {
        assert.ok(left <= (before[at] ?? 0), `${left}, not ${before}`);
      }
    });
    const grown = residentMib() - memory;
    assert.ok(grown < 64, `${grown.toFixed(1)} MiB more`);
  });
});
