import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ProbeConfig, RealServerConfig } from "../../../agent/config/virtual-servers.ts";
import type { IpAddress } from "../../../agent/core/address.ts";
import { IPIP } from "../../../agent/core/ipvs/service.ts";
import {
  misfit,
  newcomerAlone,
  newcomerLike,
  notesOn,
} from "../../../agent/runtime/balancing/newcomer.ts";
import { isServer, readEndpoint } from "../../../agent/runtime/balancing/server-reference.ts";
import { real, tcpCheck, web } from "./rig.ts";

const NEW = { address: "10.0.0.9" as IpAddress, port: 8080, weight: undefined };
const POSITION = { file: "/x.conf", line: 1, column: 1 };

const checked = (...probes: readonly ProbeConfig[]): RealServerConfig =>
  real(1, { checks: probes.map((probe) => ({ ...tcpCheck(1), probe })) });

const at = (address: string, port: number) => ({
  ...{ address: address as IpAddress, port, sourceAddress: undefined, sourcePort: undefined },
  ...{ interface: undefined, fwmark: 0 },
});

describe("one more real server", () => {
  test("is as its model in all but its place", () => {
    const model = real(1, { weight: 7, inhibitOnFailure: true, forwarding: { kind: "nat" } });
    const made = newcomerLike(model, NEW);
    assert.deepEqual(made, {
      ...model,
      ...{ address: "10.0.0.9", port: 8080, name: "[10.0.0.9]:tcp:8080" },
      checks: [{ ...tcpCheck(1), probe: { kind: "tcp", to: at("10.0.0.9", 8080) } }],
    });
    assert.equal(newcomerLike(model, { ...NEW, weight: 0 }).weight, 0);
    assert.deepEqual(notesOn(made, model), []);
  });

  test("checks at a port of their own stay there, and those of somebody else stay his", () => {
    const model = checked(
      { kind: "tcp", to: at("10.0.0.1", 9000) },
      { kind: "tcp", to: at("10.0.7.7", 80) },
    );
    const made = newcomerLike(model, NEW);
    const places = made.checks.map(
      ({ probe }) => "to" in probe && [probe.to.address, probe.to.port],
    );
    assert.deepEqual(places, [
      ["10.0.0.9", 9000],
      ["10.0.7.7", 80],
    ]);
    assert.deepEqual(notesOn(made, model), [
      "its tcp check looks at 10.0.7.7:80, as 10.0.0.1:80 does",
    ]);
  });

  test("a check by the data path comes by its own", () => {
    const vip = at("192.0.2.1", 80);
    const dataPath = { server: "10.0.0.1" as IpAddress, forwarding: { kind: "dr" } } as const;
    const model = checked({ kind: "tcp", to: { ...vip, dataPath } });
    const [check] = newcomerLike(model, NEW).checks;
    const own = { ...dataPath, server: NEW.address };
    assert.deepEqual(check?.probe, { kind: "tcp", to: { ...vip, dataPath: own } });
  });

  test("a command gets its address in the place of the model's, and what cannot move is told", () => {
    const misc = (...argv: string[]): ProbeConfig => ({
      ...{ kind: "misc", timeout: tcpCheck(1).timing.timeout, dynamic: false },
      command: { position: POSITION, argv, runAs: undefined },
    });
    const model = checked(
      misc("/usr/bin/check", "10.0.0.1", "[10.0.0.1]:tcp:80", "10.0.0.1:80", "10.0.0.11"),
      misc("/usr/bin/check", "web1"),
      { kind: "bfd", session: "one" },
      { kind: "file", file: "load", weight: 1, reverse: false },
    );
    const made = newcomerLike(model, NEW);
    const [first] = made.checks;
    assert.deepEqual(first?.probe.kind === "misc" && first.probe.command.argv, [
      ...["/usr/bin/check", "10.0.0.9", "[10.0.0.9]:tcp:8080", "10.0.0.9:8080", "10.0.0.11"],
    ]);
    assert.deepEqual(notesOn(made, model), [
      "BFD session one is that of 10.0.0.1:80: it has none",
      "it goes by /usr/bin/check web1, as 10.0.0.1:80 does",
      "it goes by the file load, as 10.0.0.1:80 does",
    ]);
  });

  test("without anybody to be like it has no check, and that is said", () => {
    const made = newcomerAlone(web({ realServers: [] }), NEW);
    assert.equal(made.name, "[10.0.0.9]:tcp:8080");
    assert.deepEqual([made.weight, made.forwarding.kind, made.checks], [1, "nat", []]);
    assert.match(notesOn(made, undefined).join(), /no check: it counts as up/);
  });

  test("what the kernel would never reach is refused", () => {
    const v6 = { address: "2001:db8::9" as IpAddress, port: 80 };
    assert.match(
      misfit(web(), v6, real(1)) ?? "",
      /2001:db8::9 is IPv6, and \[192\.0\.2\.1\]:tcp:80 is for IPv4: only a tunnel gets there/,
    );
    assert.equal(misfit(web(), v6, { forwarding: { kind: "tunnel", tunnel: IPIP } }), undefined);
    assert.match(misfit(web(), NEW, real(1)) ?? "", /at port 80, not 8080: only NAT changes it/);
    assert.equal(misfit(web(), NEW, { forwarding: { kind: "nat" } }), undefined);
    assert.equal(misfit(web(), { ...NEW, port: 80 }, real(1)), undefined);
    const marked = web({ targets: [{ kind: "fwmark", fwmark: 5, family: "ipv4" }] });
    assert.match(misfit(marked, NEW, real(1)) ?? "", /at the port that they came for, not 8080/);
  });
});

test("addresses as operators write them", () => {
  assert.deepEqual(readEndpoint("10.0.0.9"), { address: "10.0.0.9", port: undefined });
  assert.deepEqual(readEndpoint("10.0.0.9:80"), { address: "10.0.0.9", port: 80 });
  assert.deepEqual(readEndpoint("2001:DB8::9"), { address: "2001:db8::9", port: undefined });
  assert.deepEqual(readEndpoint("[2001:db8::9]:80"), { address: "2001:db8::9", port: 80 });
  assert.deepEqual(readEndpoint("[2001:db8::9]"), { address: "2001:db8::9", port: undefined });
  for (const wrong of ["", "web1", "10.0.0.9:", "10.0.0.9:65536", "10.0.0.9:80:80", "10.0.0.0/8"]) {
    assert.equal(readEndpoint(wrong), undefined, wrong);
  }
  const names = ["10.0.0.1", "[10.0.0.1]", "10.0.0.1:80", "[10.0.0.1]:tcp:80"];
  assert.deepEqual(
    names.filter((name) => !isServer(real(1), name)),
    [],
  );
  assert.equal(isServer(real(1), "10.0.0.11"), false);
});
