import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BalancingNode, KernelSettings } from "../../agent/config/kernel-settings.ts";
import {
  KERNEL_SETTINGS,
  settingDiagnostics,
  unfitSettings,
} from "../../agent/config/kernel-settings.ts";
import type { SyncDaemonConfig, VirtualServerConfig } from "../../agent/config/virtual-servers.ts";
import type { IpAddress } from "../../agent/core/address.ts";
import { seconds } from "../../agent/core/time.ts";
import { balancing, real, web } from "../runtime/balancing/rig.ts";

/** All as Linux has it by itself, but for those with which everything fits. */
const GOOD: Readonly<Record<string, string>> = {
  ...Object.fromEntries(KERNEL_SETTINGS.map((name) => [name, "1"])),
  "net.ipv4.vs.backup_only": "0",
  "net.ipv4.vs.conntrack": "0",
};

const kernel = (
  values: Readonly<Record<string, string>> = {},
  part: Partial<KernelSettings> = {},
): KernelSettings => ({
  release: "6.1.0-18-amd64",
  masquerades: false,
  values: {
    ...GOOD,
    ...Object.fromEntries(
      Object.entries(values).map(([name, value]) => [`net.ipv4.${name}`, value]),
    ),
  },
  ...part,
});

const node = (
  servers: readonly VirtualServerConfig[],
  part: Partial<BalancingNode> & { readonly syncDaemon?: SyncDaemonConfig } = {},
): BalancingNode => ({
  balancing: balancing(servers, part.syncDaemon && { syncDaemon: part.syncDaemon }),
  failsOver: false,
  directors: [],
  ...part,
});

const POSITION = { file: "/etc/keepalived/keepalived.conf", line: 7, column: 3 };
const nat = { forwarding: { kind: "nat" } } as const;
const natted = web({ realServers: [real(1, nat), real(2, nat)], position: POSITION });
const unchecked = web({ realServers: [real(1, { checks: [] })] });
const inhibited = [real(1, { inhibitOnFailure: true })];
const persistence = { timeout: 50, prefixLength: 32, engine: undefined };

const sync = (instance: string | undefined): SyncDaemonConfig => ({
  position: { ...POSITION, line: 40 },
  ...{ interface: "eth0", instance, syncId: 1 },
  ...{ maxLength: undefined, port: undefined, ttl: undefined, group: undefined },
});

const found = (where: BalancingNode, settings: KernelSettings): readonly string[] =>
  unfitSettings(where, settings).map(({ mend }) => mend.replace("sysctl -w net.", ""));

describe("settings of the kernel", () => {
  test("that fit, and those of a configuration that they mean nothing for, are not spoken of", () => {
    assert.deepEqual(found(node([natted]), kernel()), []);
    const zero = Object.fromEntries(KERNEL_SETTINGS.map((name) => [name, "0"]));
    assert.deepEqual(found(node([unchecked]), { ...kernel(), values: zero }), []);
    assert.deepEqual(found(node([]), { ...kernel(), values: zero }), []);
    assert.deepEqual(found(node([natted]), { ...kernel(), values: {} }), []);
  });

  test("NAT needs forwarding, of the family that it is for", () => {
    assert.deepEqual(found(node([natted]), kernel({ ip_forward: "0" })), ["ipv4.ip_forward=1"]);
    assert.deepEqual(found(node([web()]), kernel({ ip_forward: "0" })), []);
    const values = { ...GOOD, "net.ipv6.conf.all.forwarding": "0" };
    assert.deepEqual(found(node([natted]), kernel({}, { values })), []);
    const six = web({
      targets: [{ kind: "address", address: "2001:db8::1" as IpAddress, port: 80 }],
      realServers: [real(1, { ...nat, address: "2001:db8::2" as IpAddress })],
    });
    assert.deepEqual(found(node([six]), kernel({}, { values })), ["ipv6.conf.all.forwarding=1"]);
  });

  test("the finding is at its virtual server, says what comes of it and what to run", () => {
    const two = node([web(), natted, { ...natted, name: "other" }]);
    const [finding, ...others] = settingDiagnostics(
      unfitSettings(two, kernel({ ip_forward: "0" })),
    );
    assert.deepEqual(others, []);
    assert.deepEqual(finding, {
      ...{ code: "kernel-setting", severity: "warning", position: POSITION, text: "" },
      message:
        "net.ipv4.ip_forward is 0: clients of [192.0.2.1]:tcp:80 and 1 more get no answer, as this " +
        "host does not forward it (NAT)",
      hint: "run sysctl -w net.ipv4.ip_forward=1",
    });
  });

  test("NAT beside a rule that masquerades needs connection tracking", () => {
    const masquerades = { masquerades: true };
    assert.deepEqual(found(node([natted]), kernel({}, masquerades)), ["ipv4.vs.conntrack=1"]);
    assert.deepEqual(found(node([web()]), kernel({}, masquerades)), []);
  });

  test("a server that is taken out leaves connections behind", () => {
    const values = kernel({ "vs.expire_nodest_conn": "0" });
    assert.deepEqual(found(node([web()]), values), ["ipv4.vs.expire_nodest_conn=1"]);
    assert.deepEqual(found(node([web({ realServers: inhibited })]), values), []);
  });

  test("persistence holds clients at a server of weight 0", () => {
    const values = kernel({ "vs.expire_quiescent_template": "0" });
    const mend = ["ipv4.vs.expire_quiescent_template=1"];
    assert.deepEqual(found(node([web({ persistence, realServers: inhibited })]), values), mend);
    assert.deepEqual(found(node([web({ persistence, drainTime: seconds(60) })]), values), mend);
    assert.deepEqual(found(node([web({ persistence })]), values), []);
    assert.deepEqual(found(node([web({ realServers: inhibited })]), values), []);
  });

  test("a port that is used again: by kernel, connection tracking and what may have weight 0", () => {
    const tracked = { "vs.conntrack": "1" };
    const old = { release: "5.4.0-42-generic" };
    assert.deepEqual(found(node([web()]), kernel(tracked)), []);
    assert.deepEqual(found(node([web()]), kernel({}, old)), []);
    const mend = ["ipv4.vs.conn_reuse_mode=0"];
    for (const release of ["5.8.18", "4.19.0-27-amd64", "3.10.0"]) {
      assert.deepEqual(found(node([web()]), kernel(tracked, { release })), mend, release);
    }
    for (const release of ["5.9.0", "5.10.0-8-amd64", "6.12.1", "10.0"]) {
      assert.deepEqual(found(node([web()]), kernel(tracked, { release })), [], release);
    }
    assert.deepEqual(found(node([web({ protocol: "udp" })]), kernel(tracked, old)), []);
    const none = { "vs.conn_reuse_mode": "0", "vs.expire_nodest_conn": "0" };
    const drained = web({ drainTime: seconds(60), realServers: [real(1, { checks: [] })] });
    assert.deepEqual(found(node([drained]), kernel(none)), ["ipv4.vs.conn_reuse_mode=1"]);
    assert.deepEqual(found(node([drained]), kernel({ ...none, ...tracked }, old)), []);
    assert.deepEqual(found(node([unchecked]), kernel(none)), []);
  });

  test("hashes go on with open connections after a failover, if they may", () => {
    const values = kernel({ "vs.sloppy_tcp": "0" });
    const hashed = web({ scheduler: "mh" });
    const moves = { failsOver: true };
    assert.deepEqual(found(node([hashed], moves), values), ["ipv4.vs.sloppy_tcp=1"]);
    assert.deepEqual(found(node([hashed]), values), []);
    assert.deepEqual(found(node([web()], moves), values), []);
    assert.deepEqual(found(node([hashed], { ...moves, syncDaemon: sync("VI") }), values), []);
  });

  test("a director that is a real server too, and one that is always a backup", () => {
    const [peer] = web().realServers.map(({ address }) => address);
    const directors = peer === undefined ? [] : [peer];
    const round = node([web()], { directors, syncDaemon: sync("VI") });
    const [finding] = unfitSettings(round, kernel());
    assert.equal(finding?.mend, "sysctl -w net.ipv4.vs.backup_only=1");
    assert.equal(finding?.position.line, 40);
    assert.deepEqual(found(round, kernel({ "vs.backup_only": "1" })), []);
    assert.deepEqual(found({ ...round, directors: [] }, kernel()), []);
    assert.deepEqual(found(node([natted], { directors, syncDaemon: sync("VI") }), kernel()), []);
    const both = node([web()], { syncDaemon: sync(undefined) });
    assert.deepEqual(found(both, kernel({ "vs.backup_only": "1" })), ["ipv4.vs.backup_only=0"]);
    assert.deepEqual(found(both, kernel()), []);
  });
});
