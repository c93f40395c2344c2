import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { at, brief, load } from "./lowered.ts";

const read = (name: string): string =>
  readFileSync(new URL(`../../vectors/configs/users/${name}.conf`, import.meta.url), "utf8");

const script = new URL("../../vectors/configs/users/check_nginx.sh", import.meta.url);
const SCRIPTS = { "/servers/scripts/check_nginx.sh": readFileSync(script, "utf8") };

const DIRECTOR = ["40:13 deprecated-keyword", "54:13 deprecated-keyword"];

type Values = Readonly<Record<string, unknown>>;

const PAIR: Values = {
  "global.routerId": "lb02",
  "instances.0.interface": "ens33",
  "instances.0.router.name": "VI_1",
  "instances.0.router.vrid": 50,
  "instances.0.router.version": 2,
  "instances.0.router.advertisementInterval": 1_000_000,
  "instances.0.router.initialActive": false,
  "instances.0.authentication": { kind: "pass", password: "1111" },
  "instances.0.addresses.0.address": "10.0.0.3",
  "instances.0.addresses.0.prefixLength": 32,
};
const LVS: Values = {
  "instances.0.interface": "enp0s3",
  "instances.0.router.vrid": 51,
  "instances.0.authentication": { kind: "pass", password: "1111" },
  "instances.0.addresses.0.address": "192.168.1.100",
  "instances.0.addresses.0.prefixLength": 24,
  "instances.0.addresses.0.interface": "enp0s3",
  "instances.0.addresses.0.label": "enp0s3:8",
  "instances.0.accept": true,
};

const ROWS: readonly (readonly [name: string, findings: readonly string[], values: Values])[] = [
  [
    "nginx-pair-lb02-nopreempt",
    [],
    { ...PAIR, "instances.0.router.priority": 100, "instances.0.router.preempt": false },
  ],
  [
    "nginx-pair-lb02-script",
    // The line of the script that stops keepalived.
    ["14:9 script-stops-agent"],
    {
      ...PAIR,
      "instances.0.router.priority": 150,
      "instances.0.router.preempt": true,
      "instances.0.trackers": [{ tracker: "script check_nginx", weight: 0, reverse: false }],
      "trackers.0.run.command.argv": ["/servers/scripts/check_nginx.sh"],
      "trackers.0.interval": 5_000_000,
      "trackers.0.timeout": 5_000_000,
    },
  ],
  [
    "lvs-dr-node1",
    DIRECTOR,
    { ...LVS, "instances.0.router.priority": 100, "instances.0.router.initialActive": true },
  ],
  [
    "lvs-dr-node4",
    DIRECTOR,
    { ...LVS, "instances.0.router.priority": 50, "instances.0.router.initialActive": false },
  ],
  [
    "lvs-dr-global-strict",
    [],
    {
      "global.routerId": "LVS_DEVEL",
      instances: [],
      "notifications.mail": {
        from: "Alexandre.Cassen@firewall.loc",
        to: ["acassen@firewall.loc", "failover@firewall.loc", "sysadmin@firewall.loc"],
        server: { host: "192.168.200.1", port: 25 },
        heloName: undefined,
        connectTimeout: 30_000_000,
        faults: true,
      },
    },
  ],
];

describe("configurations that users have", () => {
  for (const [name, findings, values] of ROWS) {
    test(name, () => {
      const { config, diagnostics } = load(read(name), SCRIPTS);
      assert.deepEqual(brief(diagnostics), findings);
      for (const [path, wanted] of Object.entries(values)) {
        assert.deepEqual(at(config, path), wanted, path);
      }
    });
  }

  test("strict mode in front of the director: it runs, and says why nothing is reachable", () => {
    const { config, diagnostics } = load(read("lvs-dr-global-strict") + read("lvs-dr-node1"));
    assert.deepEqual(brief(diagnostics), [
      "17:15 strict-unreachable",
      "18:11 strict-override",
      "24:19 auth-ignored",
      ...DIRECTOR.map((line) => line.replace(/^\d+/, (number) => String(Number(number) + 16))),
    ]);
    assert.ok(diagnostics.every(({ severity }) => severity === "warning"));
    assert.equal(at(config, "instances.0.accept"), false);
    assert.equal(at(config, "instances.0.router.initialActive"), false);
    assert.equal(at(config, "instances.0.skipAddressListCheck"), true);
    assert.deepEqual(at(config, "instances.0.authentication"), { kind: "none" });
  });

  test("unicast with a remark behind a peer, and a group besides: unicast wins", () => {
    const { config, diagnostics } = load(
      "global_defs {\n vrrp_mcast_group4 226.0.0.18\n}\nvrrp_instance VI_1 {\n state BACKUP\n interface ens33\n virtual_router_id 50\n unicast_src_ip 192.168.8.11\n unicast_peer {\n  192.168.8.12\n  192.168.8.13  # 对端（备节点）\n }\n virtual_ipaddress {\n  10.0.0.3\n }\n}",
    );
    assert.deepEqual(brief(diagnostics), []);
    assert.deepEqual(at(config, "instances.0.transport"), {
      mode: "unicast",
      peers: [
        { address: "192.168.8.12", minTtl: undefined, maxTtl: undefined },
        { address: "192.168.8.13", minTtl: undefined, maxTtl: undefined },
      ],
      ttl: undefined,
      checkSource: false,
      faultWithoutPeer: false,
    });
    assert.equal(at(config, "instances.0.sourceAddress"), "192.168.8.11");
  });

  test("the script that stops keepalived is shown, with what to write instead", () => {
    const { diagnostics } = load(read("nginx-pair-lb02-script"), SCRIPTS);
    const [{ position, text, message, hint } = assert.fail()] = diagnostics;
    assert.equal(position.file, "/servers/scripts/check_nginx.sh");
    assert.equal(text, "systemctl stop keepalived");
    assert.match(message, /^vrrp_script check_nginx \(k\.conf:5\) ends the agent here/);
    assert.match(hint ?? "", /`exit 1`.*weight.*fault.*alias/);
  });

  test("without its script the same file has a failed tracker, not a missing one", () => {
    const { config, diagnostics } = load(read("nginx-pair-lb02-script"));
    assert.deepEqual(brief(diagnostics), ["5:12 program-refused"]);
    assert.deepEqual(at(config, "trackers.0.run"), {
      kind: "refused",
      reason: "there is no /servers",
    });
    assert.equal(at(config, "instances.0.trackers.0.tracker"), "script check_nginx");
  });
});
