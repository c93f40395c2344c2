import assert from "node:assert/strict";
import type { Server } from "node:net";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../agent/linux/lab.ts";
import type { ProbeEndpoint } from "../../agent/ports/probe-sockets.ts";
import type { ProbeOf } from "../../agent/ports/server-probes.ts";
import type { TimedKind } from "../plugins/probes/rig.ts";
import { endpoint, ip, openRig } from "../plugins/probes/rig.ts";
import { eventually } from "./eventually.ts";

const PORT = 8_080;
const GATEWAY = ip("192.0.2.254");

const rig = openRig();
const seen: string[] = [];
let lab: Lab;
let host: LabNode;
let far: LabInterface;
let server: Server;

before(() => {
  lab = new Lab();
  host = lab.node("host");
  const gateway = lab.node("gateway");
  [, far] = lab.connect(
    host,
    { name: "lan0", addresses: ["192.0.2.1/24", "192.0.2.9/24", "2001:db8::1/64"] },
    gateway,
    { name: "lan0", addresses: ["192.0.2.254/24", "2001:db8::254/64"] },
  );
  server = createServer((socket) => {
    seen.push(`${socket.remoteAddress}`.replace("::ffff:", ""));
    socket.on("error", () => undefined).resume();
  });
  gateway.run(() => server.listen(PORT));
});
after(() => {
  server.close();
  lab.dispose();
});

/** Sockets are opened before the first wait: inside. */
const reason = (probe: ProbeOf<TimedKind>, ms = 3_000): Promise<string> =>
  host.run(() => rig.reason(probe, ms));
const tcp = (more: Partial<ProbeEndpoint>, ms?: number): Promise<string> =>
  reason({ kind: "tcp", to: endpoint(PORT, { address: GATEWAY, ...more }) }, ms);
const ping = (more: Partial<ProbeEndpoint>, ms = 5_000): Promise<string> =>
  reason({ kind: "ping", to: endpoint(0, { address: GATEWAY, ...more }) }, ms);
const udp = (more: Partial<ProbeEndpoint>, ms: number): Promise<string> => {
  const to = endpoint(PORT, { address: GATEWAY, ...more });
  const any = { payload: "00", requireReply: false, reply: undefined } as const;
  return reason({ kind: "udp", to, ...any, minReplyLength: 0, maxReplyLength: 255 }, ms);
};

describe("a probe", { timeout: 30_000 }, () => {
  test("comes from the address that it is bound to", async () => {
    seen.length = 0;
    assert.equal(await tcp({}), "up: connected");
    assert.equal(await tcp({ sourceAddress: ip("192.0.2.9") }), "up: connected");
    assert.equal(
      await tcp({
        address: ip("2001:db8::254"),
        sourceAddress: ip("2001:db8::1"),
        sourcePort: 4_711,
      }),
      "up: connected",
    );
    // A connection is there for the client a moment before the server is told of it.
    await eventually("all were seen", 5_000, () =>
      assert.deepEqual(seen, ["192.0.2.1", "192.0.2.9", "2001:db8::1"]),
    );
    assert.equal(await ping({ sourceAddress: ip("192.0.2.9") }), "up: echo reply");
    assert.match(
      await ping({ sourceAddress: ip("198.51.100.1") }),
      /^down: no socket .* source address/,
    );
  });

  test("leaves by the interface that it is bound to", async () => {
    const { linkLocal: address } = far;
    assert.equal(await tcp({ address, interface: "lan0" }), "up: connected");
    assert.equal(await ping({ address, interface: "lan0" }), "up: echo reply");
    assert.match(await tcp({ address }), /^down: /);
    assert.match(await tcp({ interface: "lo" }, 100), /^down: /);
    assert.match(await ping({ interface: "none" }), /^down: no socket .*ENODEV/);
  });

  test("carries its mark", async () => {
    assert.equal(host.exec("ip", ["rule", "add", "fwmark", "7", "unreachable"]).status, 0);
    assert.equal(await tcp({}), "up: connected");
    assert.equal(await tcp({ fwmark: 8 }), "up: connected");
    assert.equal(await tcp({ fwmark: 7 }), "down: no route to the network");
    assert.equal(await udp({ fwmark: 7 }, 5_000), "down: no route to the network");
    assert.equal(await ping({ fwmark: 8 }), "up: echo reply");
    assert.equal(await ping({ fwmark: 7 }), "down: no route to the network");
  });

  test("finds a host that is not there down, although UDP would take silence for good", async () => {
    const address = ip("192.0.2.77");
    assert.equal(await udp({}, 5_000), "down: connection refused");
    assert.equal(await tcp({ address }, 50), "down: timeout connecting");
    assert.match(await udp({ address }, 15_000), /^down: no route to the host/);
  });
});
