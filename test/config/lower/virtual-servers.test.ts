import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, brief, configOf, instanceText, load } from "./lowered.ts";
import { FILES, virtual } from "./virtual-server-text.ts";

/** What no test of a virtual server but its own is about. */
const UNSAID = new Set(["no-effect-yet", "deprecated-keyword"]);

const real = (lines: string, around = ""): string => virtual(around, lines);

const VIRTUAL = "virtualServers.0";
const REAL = `${VIRTUAL}.realServers.0`;

const GUE = { kind: "tunnel", tunnel: { type: "gue", port: 6080, checksum: "remote" } };
const GRE = { kind: "tunnel", tunnel: { type: "gre", port: 0, checksum: "full" } };
const IPIP = { kind: "tunnel", tunnel: { type: "ipip", port: 0, checksum: "none" } };
const TARGET = { kind: "address", address: "192.0.2.1", port: 80 };
const GROUP = `virtual_server_group G {\n192.0.2.5-6 80\n2001:db8::a-b 80\n192.0.3.8/31 81\nfwmark 7 inet6\n}\n`;

/** Text of a file, a value below `balancing`, and what it is. */
type Row = readonly [text: string, path: string, value: unknown];

const SERVERS: readonly Row[] = [
  [virtual(""), `${VIRTUAL}.name`, "[192.0.2.1]:tcp:80"],
  [virtual(""), `${VIRTUAL}.position`, { file: "k.conf", line: 1, column: 16 }],
  [virtual(""), `${VIRTUAL}.targets`, [TARGET]],
  [virtual(""), `${VIRTUAL}.protocol`, "tcp"],
  [virtual("protocol udp"), `${VIRTUAL}.protocol`, "udp"],
  [virtual("protocol SCTP"), `${VIRTUAL}.protocol`, "sctp"],
  [virtual(""), `${VIRTUAL}.scheduler`, "wlc"],
  [virtual("lb_algo rr"), `${VIRTUAL}.scheduler`, "rr"],
  [virtual("lvs_sched mh"), `${VIRTUAL}.scheduler`, "mh"],
  [virtual("lvs_sched RR"), `${VIRTUAL}.scheduler`, "wlc"],
  [virtual(""), `${VIRTUAL}.schedulerFlags`, [false, false, false]],
  [virtual("flag-1\nflag-3"), `${VIRTUAL}.schedulerFlags`, [true, false, true]],
  [virtual("flag-2"), `${VIRTUAL}.schedulerFlags`, [false, true, false]],
  [virtual("lvs_sched sh\nsh-port"), `${VIRTUAL}.schedulerFlags`, [false, true, false]],
  [virtual("lvs_sched sh\nsh-fallback"), `${VIRTUAL}.schedulerFlags`, [true, false, false]],
  [virtual("mh-port\nlvs_sched mh"), `${VIRTUAL}.schedulerFlags`, [false, true, false]],
  [virtual("mh-fallback\nlvs_sched mh"), `${VIRTUAL}.schedulerFlags`, [true, false, false]],
  [virtual("sh-port"), `${VIRTUAL}.schedulerFlags`, [false, false, false]],
  [virtual("hashed"), `${VIRTUAL}.scheduler`, "wlc"],
  [virtual("protocol UDP\nops"), `${VIRTUAL}.onePacket`, true],
  [virtual("protocol UDP\nops off"), `${VIRTUAL}.onePacket`, false],
  [virtual("ops"), `${VIRTUAL}.onePacket`, false],
  [virtual("", "", "fwmark 5").replace("protocol TCP", "ops"), `${VIRTUAL}.onePacket`, true],
  [virtual(""), `${VIRTUAL}.persistence`, undefined],
  [virtual("persistence_timeout 0"), `${VIRTUAL}.persistence`, undefined],
  [
    virtual("persistence_timeout 50"),
    `${VIRTUAL}.persistence`,
    { timeout: 50, prefixLength: 32, engine: undefined },
  ],
  [virtual("persistence_timeout"), `${VIRTUAL}.persistence.timeout`, 360],
  [virtual("persistence_engine sip"), `${VIRTUAL}.persistence.engine`, "sip"],
  [virtual("persistence_granularity 255.255.254.0"), `${VIRTUAL}.persistence.prefixLength`, 23],
  [virtual("persistence_granularity 255.0.255.0"), `${VIRTUAL}.persistence`, undefined],
  [virtual("persistence_granularity 24"), `${VIRTUAL}.persistence`, undefined],
  [virtual("", "", "192.0.2.1"), `${VIRTUAL}.persistence.timeout`, 360],
  [virtual("quorum 1\nquorum 1"), `${VIRTUAL}.quorum`, 1],
  [virtual("quorum 9", "weight 12"), `${VIRTUAL}.quorum`, 9],
  [virtual("quorum 9", "weight 5"), `${VIRTUAL}.quorum`, 5],
  [virtual("hysteresis 2\nquorum 9", "weight 12"), `${VIRTUAL}.hysteresis`, 2],
  [virtual("hysteresis 9", "weight 12"), `${VIRTUAL}.hysteresis`, 0],
  [virtual('quorum_up "/bin/tell a"'), `${VIRTUAL}.quorumUp.argv`, ["/bin/tell", "a"]],
  [virtual("quorum_down /bin/tell checker"), `${VIRTUAL}.quorumDown.runAs.uid`, 1000],
  [virtual("quorum_up /bin/tell\nquorum_up /x"), `${VIRTUAL}.quorumUp.argv`, ["/bin/tell"]],
  [virtual(""), `${VIRTUAL}.sorryServer`, undefined],
  [
    virtual("sorry_server 192.0.2.99 8080"),
    `${VIRTUAL}.sorryServer`,
    { address: "192.0.2.99", port: 8080, forwarding: { kind: "nat" } },
  ],
  [
    virtual("sorry_server 192.0.2.99\nsorry_server_lvs_method DR"),
    `${VIRTUAL}.sorryServer`,
    { address: "192.0.2.99", port: 80, forwarding: { kind: "dr" } },
  ],
  [virtual("sorry_server_inhibit\nsorry_server 192.0.2.9"), `${VIRTUAL}.sorryServerInhibit`, true],
  [virtual("omega"), `${VIRTUAL}.omega`, true],
  [virtual("ha_suspend"), `${VIRTUAL}.haSuspend`, true],
  [virtual("ha_suspend", "", "fwmark 5"), `${VIRTUAL}.haSuspend`, false],
  [virtual(""), `${VIRTUAL}.mail`, false],
  [virtual("smtp_alert"), `${VIRTUAL}.mail`, true],
  [virtual("holdfast_drain 30"), `${VIRTUAL}.drainTime`, 30_000_000],
  [virtual("holdfast_slow_start 0.5"), `${VIRTUAL}.slowStart`, 500_000],
  [virtual("holdfast_panic 40"), `${VIRTUAL}.panicThreshold`, 40],
  [virtual(""), `${VIRTUAL}.panicThreshold`, 0],
  [virtual("", "", "fwmark 5"), `${VIRTUAL}.name`, "FWM 5"],
  [
    virtual("", "", "fwmark 5"),
    `${VIRTUAL}.targets`,
    [{ kind: "fwmark", fwmark: 5, family: "ipv4" }],
  ],
  [virtual("ip_family inet6", "lvs_method TUN", "fwmark 5"), `${VIRTUAL}.targets.0.family`, "ipv6"],
  [
    virtual("persistence_granularity 64\nlvs_method TUN", "", "fwmark 5"),
    `${VIRTUAL}.targets.0.family`,
    "ipv6",
  ],
  [
    virtual("", "", "fwmark 5").replace("192.0.2.10", "2001:db8::10"),
    `${VIRTUAL}.targets.0.family`,
    "ipv6",
  ],
  [`${virtual("", "", "group G")}${GROUP}`, `${VIRTUAL}.name`, "[G]:tcp"],
  [
    `${GROUP}${virtual("lvs_method TUN", "", "group G")}`,
    `${VIRTUAL}.targets`,
    [
      { kind: "address", address: "192.0.2.5", port: 80 },
      { kind: "address", address: "192.0.2.6", port: 80 },
      { kind: "address", address: "2001:db8::a", port: 80 },
      { kind: "address", address: "2001:db8::b", port: 80 },
      { kind: "address", address: "192.0.3.8", port: 81 },
      { kind: "address", address: "192.0.3.9", port: 81 },
      { kind: "fwmark", fwmark: 7, family: "ipv6" },
    ],
  ],
  [
    virtual("", "", "2001:DB8:0::1 80").replace("192.0.2.10", "2001:db8::10"),
    `${VIRTUAL}.name`,
    "[2001:db8::1]:tcp:80",
  ],
];

const REALS: readonly Row[] = [
  [real(""), `${REAL}.name`, "[192.0.2.10]:tcp:80"],
  [real(""), `${REAL}.position`, { file: "k.conf", line: 4, column: 13 }],
  [virtual("", "", "fwmark 5"), `${REAL}.name`, "[192.0.2.10]:none:80"],
  [virtual("lb_kind DR", "", "fwmark 5"), `${REAL}.name`, "[192.0.2.10]:none:0"],
  [virtual("", "", "192.0.2.1 8080").replace("10 80", "10"), `${REAL}.port`, 8080],
  [virtual("lb_kind DR", "", "192.0.2.1 8080"), `${REAL}.port`, 8080],
  [virtual("", "", "192.0.2.1 8080"), `${REAL}.port`, 80],
  [real(""), `${REAL}.forwarding`, { kind: "nat" }],
  [real("", "lb_kind DR"), `${REAL}.forwarding`, { kind: "dr" }],
  [real("lvs_method NAT", "lb_kind DR"), `${REAL}.forwarding`, { kind: "nat" }],
  [real("lvs_method TUN"), `${REAL}.forwarding`, IPIP],
  [real("", "lvs_method TUN type gue port 6080 remcsum"), `${REAL}.forwarding`, GUE],
  [real("lvs_method TUN type gre csum"), `${REAL}.forwarding`, GRE],
  [real(""), `${REAL}.weight`, 1],
  [real("", "weight 7"), `${REAL}.weight`, 7],
  [real("weight 0", "weight 7"), `${REAL}.weight`, 0],
  [real("weight 2147483647"), `${REAL}.weight`, 2_147_483_647],
  [real("weight 2147483648"), `${REAL}.weight`, 1],
  [real("uthreshold 9"), `${REAL}.upperThreshold`, 9],
  [real("lthreshold 3"), `${REAL}.lowerThreshold`, 3],
  [real("inhibit_on_failure"), `${REAL}.inhibitOnFailure`, true],
  [real("", "inhibit_on_failure"), `${REAL}.inhibitOnFailure`, true],
  [real("inhibit_on_failure off", "inhibit_on_failure"), `${REAL}.inhibitOnFailure`, false],
  [real('notify_up "/bin/tell up"'), `${REAL}.notifyUp.argv`, ["/bin/tell", "up"]],
  [real("notify_down /bin/tell"), `${REAL}.notifyDown.argv`, ["/bin/tell"]],
  [real(""), `${REAL}.mail`, true],
  [real("smtp_alert off"), `${REAL}.mail`, false],
  [real(""), `${REAL}.checks`, []],
  [real("TCP_CHECK {\n}\nTCP_CHECK {\nconnect_port 81\n}"), `${REAL}.checks.1.probe.to.port`, 81],
  [
    real("holdfast_check policy:p/c"),
    `${REAL}.checks.0.probe`,
    { kind: "policy", policy: "p", check: "c" },
  ],
];

const global = (lines: string, rest = virtual("")): string => `global_defs {\n${lines}\n}\n${rest}`;
const SYNC = {
  position: { file: "k.conf", line: 2, column: 1 },
  interface: "eth0",
  instance: undefined,
  syncId: 0,
  maxLength: undefined,
  port: undefined,
  ttl: undefined,
  group: undefined,
};
const VI = instanceText("virtual_router_id 51", "VI");

const GLOBALS: readonly Row[] = [
  ["", "virtualServers", []],
  ["", "timeouts", { tcp: 0, tcpFin: 0, udp: 0 }],
  [global("lvs_timeouts tcp 9 udp 7"), "timeouts", { tcp: 9, tcpFin: 0, udp: 7 }],
  [global("lvs_timeouts tcpfin 5"), "timeouts.tcpFin", 5],
  [global("lvs_flush"), "flushAtStart", true],
  [global("lvs_flush_on_stop"), "flushAtStop", true],
  [global("lvs_flush_on_stop VS"), "flushAtStop", false],
  [global("lvs_flush_onstop"), "flushAtStop", true],
  [global("rs_init_notifies"), "notifyAtStart", true],
  [global("rs_init_notifies off"), "notifyAtStart", false],
  [global("no_checker_emails"), "notifyAtStart", false],
  [global(""), "syncDaemon", undefined],
  [global("lvs_sync_daemon eth0"), "syncDaemon", SYNC],
  [global("lvs_sync_daemon eth0 VI", VI), "syncDaemon", { ...SYNC, instance: "VI", syncId: 51 }],
  [
    global("lvs_sync_daemon eth0 inst VI id 3 maxlen 1400 port 8849 ttl 2 group 224.0.0.9", VI),
    "syncDaemon",
    {
      ...SYNC,
      instance: "VI",
      syncId: 3,
      maxLength: 1400,
      port: 8849,
      ttl: 2,
      group: "224.0.0.9",
    },
  ],
  [
    instanceText("virtual_router_id 51\nlvs_sync_daemon_interface eth2", "VI"),
    "syncDaemon",
    {
      ...SYNC,
      position: { file: "k.conf", line: 3, column: 1 },
      interface: "eth2",
      instance: "VI",
      syncId: 51,
    },
  ],
  [global("smtp_alert"), `${VIRTUAL}.mail`, true],
  [global("smtp_alert\nsmtp_alert_checker off"), `${VIRTUAL}.mail`, false],
  [global("smtp_alert_checker off"), `${REAL}.mail`, false],
];

for (const [name, rows] of Object.entries({ SERVERS, REALS, GLOBALS })) {
  describe(`virtual servers: ${name.toLowerCase()}`, () => {
    for (const [text, path, value] of rows) {
      test(`${text.replaceAll("\n", " · ")}: ${path}`, () => {
        assert.deepEqual(at(configOf(text, FILES).balancing, path), value);
      });
    }
  });
}

test("a complete file has no findings but that it has no effect yet", () => {
  const text = `${global(
    "lvs_timeouts tcp 900 tcpfin 120 udp 300",
    "",
  )}virtual_server 192.0.2.1 443 {\ndelay_loop 6\nlvs_sched wrr\nlvs_method DR\nprotocol TCP\nquorum 2\nsorry_server 192.0.2.9\nreal_server 192.0.2.10 443 {\nweight 2\nSSL_GET {\nholdfast_verify on\nvirtualhost www.example.org\nurl {\npath /health\nstatus_code 200\n}\n}\n}\n}\n`;
  const { diagnostics } = load(text, FILES);
  const rest = diagnostics.filter(({ code }) => !UNSAID.has(code));
  assert.deepEqual(brief(rest), []);
});
