import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IpAddress } from "../../agent/core/address.ts";
import { KernelError } from "../../agent/ports/error.ts";
import type { NeighbourOutcome, NeighbourProbes, Pings } from "../../agent/ports/probes.ts";
import { gatewayPlugin } from "../../plugins/gateway/gateway-plugin.ts";
import { icmpPlugin } from "../../plugins/icmp/icmp-plugin.ts";
import { Lookups } from "../../plugins/network/lookup.ts";
import type { Json } from "../../sdk/index.ts";
import type { OpenPlugin } from "../../sdk/plugin.ts";
import { callOn, failureOf, hostFor, testCompliance } from "./compliance.ts";

// What the kernel does is tried in test/linux; here is what the plugins make of it.

/** Answers the requests that `answers` says yes to, by their number. */
function fakePings(answers: (target: IpAddress, count: number) => boolean | string): Pings {
  let count = 0;
  return {
    send(target, answered) {
      count += 1;
      const answer = answers(target, count);
      if (answer === true) queueMicrotask(answered);
      return { errno: typeof answer === "string" ? answer : undefined, forget: () => {} };
    },
    close() {},
  };
}

const fakeProbes = (
  outcome: (address: IpAddress) => NeighbourOutcome | undefined,
): NeighbourProbes => ({
  probe: ({ address }, signal) =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve({ kind: "silent" }));
      const known = outcome(address);
      if (known !== undefined) resolve(known);
    }),
  close() {},
});

testCompliance("icmp", () => {
  const permission = ["10.0.0.0/24"];
  const call = (...args: Json[]) => ({ method: "ping", args, permission });
  return {
    plugin: icmpPlugin(new Lookups(), () => fakePings((target) => target === "10.0.0.1")),
    goodPermissions: [permission, ["*"], ["*.a.org", "2001:db8::1"]],
    badPermissions: [null, ["10.0.0.1:80"], ["10.0.0.0/99"], ["a b"], ["fe80::1%eth0"]],
    narrower: [
      [["10.0.0.1"], permission],
      [["a.org"], ["*.org"]],
      [["2001:db8::1"], ["2001:db8::/32"]],
    ],
    answered: [call("10.0.0.1"), call("10.0.0.1", { count: 3, timeout: "1s" })],
    forbidden: [call("10.0.1.1"), call("localhost"), { ...call("10.0.0.1"), permission: {} }],
    wrong: [
      call(""),
      call("10.0.0.1/24"),
      call("10.1"),
      call("10.0.0.1", { count: 0 }),
      call("10.0.0.1", { count: 1.5 }),
      call("10.0.0.1", { count: 1e9 }),
    ],
    unanswered: [call("10.0.0.2"), call("10.0.0.2", { count: 20 })],
  };
});

describe("icmp.ping", () => {
  const opened = (answers: Parameters<typeof fakePings>[0]) =>
    icmpPlugin(new Lookups(), () => fakePings(answers)).open(hostFor()) as OpenPlugin;
  const ping = (options: Json) => ({
    method: "ping",
    args: ["10.0.0.1", options],
    permission: ["*"],
  });

  test("counts what came back within its time", async () => {
    const open = opened((_, count) => count !== 2);
    const answer = (await callOn(open, ping({ count: 3, timeout: "500ms" }))) as Record<
      string,
      number
    >;
    assert.deepEqual([answer["sent"], answer["received"]], [3, 2]);
    assert.ok((answer["ms"] ?? -1) >= 0);
  });

  test("rejects when nothing came back", async () => {
    const error = await failureOf(
      callOn(
        opened(() => false),
        ping({ count: 2, timeout: "40ms" }),
      ),
    );
    assert.equal(error.code, "timeout");
    assert.match(error.message, /pinging 10\.0\.0\.1/);
  });

  test("tells what the kernel refused", async () => {
    assert.equal(
      (
        await failureOf(
          callOn(
            opened(() => "ENETUNREACH"),
            ping(null),
          ),
        )
      ).code,
      "ENETUNREACH",
    );
    const plugin = icmpPlugin(new Lookups(), () => ({
      send() {
        throw new KernelError("ping-socket-refused", "no socket", "give it CAP_NET_RAW");
      },
      close() {},
    }));
    const error = await failureOf(callOn(plugin.open(hostFor()) as OpenPlugin, ping(null)));
    assert.equal(error.code, "unavailable");
    assert.match(error.message, /CAP_NET_RAW/);
  });
});

testCompliance("gateway", () => {
  const permission = ["10.0.0.1", "10.0.0.2", "fe80::/10%eth0"];
  const call = (...args: Json[]) => ({ method: "probe", args, permission });
  const outcome = (address: IpAddress): NeighbourOutcome | undefined =>
    address === "10.0.0.2" ? undefined : { kind: "answered", mac: "02:00:00:00:00:01" };
  return {
    plugin: gatewayPlugin(() => fakeProbes(outcome)),
    goodPermissions: [permission, ["*"], ["10.0.0.0/24", "fe80::1%eth0"]],
    badPermissions: [null, ["gateway.example.org"], ["*.a"], ["fe80::1%"], ["fe80::1%a b"]],
    narrower: [
      [["fe80::1%eth0"], ["fe80::1"]],
      [["10.0.0.1"], ["10.0.0.0/30"]],
    ],
    answered: [call("10.0.0.1", { timeout: "1s" }), call("fe80::1%eth0")],
    forbidden: [call("10.0.0.3"), call("fe80::1%eth1"), call("fe80::1")],
    wrong: [call("gateway"), call("fe80::1%"), call("10.0.0.0/24")],
    unanswered: [call("10.0.0.2")],
  };
});

test("gateway.probe tells why nobody answered", async () => {
  const codeFor = async (outcome: NeighbourOutcome) => {
    const open = gatewayPlugin(() => fakeProbes(() => outcome)).open(hostFor()) as OpenPlugin;
    const sample = { method: "probe", args: ["10.0.0.1"], permission: ["*"] };
    return (await failureOf(callOn(open, sample))).code;
  };
  assert.equal(await codeFor({ kind: "silent" }), "timeout");
  assert.equal(await codeFor({ kind: "not-a-neighbour" }), "not-a-neighbour");
  assert.equal(await codeFor({ kind: "refused", errno: "ENETDOWN" }), "ENETDOWN");
});
