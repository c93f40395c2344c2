import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Case } from "../../agent/cli/doctor/case.ts";
import { examine } from "../../agent/cli/doctor/examine.ts";
import type { Finding } from "../../agent/cli/doctor/finding.ts";
import type { NeededRouter } from "../../agent/cli/doctor/needs.ts";
import { doctorText } from "../../agent/cli/doctor.ts";
import { PLAIN } from "../../agent/cli/style.ts";
import type { IpAddress } from "../../agent/core/address.ts";
import type { StoreReport } from "../../agent/core/witness/store-report.ts";
import type { HeardRouter, HostFacts } from "../../agent/ports/host-facts.ts";

const ip = (text: string): IpAddress => text as IpAddress;

const router: NeededRouter = {
  name: "VI_1",
  vrid: 51,
  family: "ipv4",
  interface: "eth0",
  multicast: true,
  addresses: [{ address: ip("10.0.0.3"), prefixLength: 32 }],
  owner: false,
};

const heard: HeardRouter = {
  interface: "eth0",
  family: "ipv4",
  source: ip("10.0.0.2"),
  version: 2,
  vrid: 51,
  priority: 100,
  addresses: [ip("10.0.0.3")],
};

const facts: HostFacts = {
  kernel: "6.1.0",
  capabilities: { netAdmin: true, netRaw: true },
  userNamespace: false,
  selinux: "absent",
  features: { macvlan: true, nf_tables: true, ip_vs: true },
  clockSource: "tsc",
  interfaces: [{ name: "eth0", present: true, up: true, carrier: true }],
  addresses: [{ address: ip("10.0.0.1"), interface: "eth0", ours: false }],
  sysctls: {},
  keepalivedProcesses: [],
  confined: [{ name: "vrrp", pid: 7, holds: true }],
  heard: [],
  probes: [{ interface: "eth0", family: "ipv4", outcome: "received", reason: undefined }],
};

const well: Case = {
  facts,
  needs: {
    routers: [router],
    interfaces: ["eth0"],
    virtualMac: false,
    virtualServers: false,
    gate: "wanted",
    forwarding: { ipv4: false, ipv6: false },
  },
  agent: "absent",
  controlSocket: "/run/holdfast/control.sock",
};

const STORE: StoreReport = {
  store: "etcd",
  endpoints: ["http://10.0.0.11:2379"],
  condition: "refused",
  reason: "who?",
  remedy: "set the user and password",
  since: 1,
  leases: [],
};

const withFacts = (changed: Partial<HostFacts>): Case => ({
  ...well,
  facts: { ...facts, ...changed },
});
const vip = (ours: boolean): HostFacts["addresses"] => [
  { address: ip("10.0.0.3"), interface: "eth0", ours },
];

/** What is not in order in this case. */
const complaints = (subject: Case): readonly Finding[] =>
  examine(subject).findings.filter(({ level }) => level !== "ok");

test("a host in order has no complaint", () => {
  assert.deepEqual(complaints(well), []);
  assert.equal(examine(well).problems, 0);
});

describe("each thing that is wrong gives one finding, with what to do next", () => {
  const cases: readonly (readonly [string, Case, Finding["level"], RegExp])[] = [
    [
      "no capability",
      withFacts({ capabilities: { netAdmin: false, netRaw: false } }),
      "problem",
      /CAP_NET_ADMIN and CAP_NET_RAW missing/,
    ],
    [
      "no macvlan, which the configuration needs",
      {
        ...withFacts({ features: { ...facts.features, macvlan: false } }),
        needs: { ...well.needs, virtualMac: true },
      },
      "problem",
      /no macvlan, which use_vmac needs/,
    ],
    [
      "no ip_vs, which the configuration needs",
      {
        ...withFacts({ features: { ...facts.features, ip_vs: false } }),
        needs: { ...well.needs, virtualServers: true },
      },
      "problem",
      /no ip_vs, which virtual_server needs/,
    ],
    [
      "a store of leases that does not serve",
      { ...well, agent: "answers", store: STORE },
      "problem",
      /^witness etcd http:\/\/10\.0\.0\.11:2379: refused, who\?$/,
    ],
    [
      "a rival that the agent hears",
      {
        ...well,
        agent: "answers",
        reported: [
          { subject: "VI_1", problem: "10.0.0.2 is active too", next: "see which link fails" },
        ],
      },
      "problem",
      /^VI_1: 10\.0\.0\.2 is active too$/,
    ],
    [
      "no nf_tables, which fences by default",
      withFacts({ features: { ...facts.features, nf_tables: false } }),
      "warning",
      /no nf_tables, so there is no gate: .*two may answer/,
    ],
    [
      "no nf_tables, which a required witness needs",
      {
        ...withFacts({ features: { ...facts.features, nf_tables: false } }),
        needs: { ...well.needs, gate: "needed" },
      },
      "problem",
      /no nf_tables, which .* need: the instances will be in fault/,
    ],
    ["SELinux", withFacts({ selinux: "enforcing" }), "warning", /SELinux enforces/],
    ["a poor clock", withFacts({ clockSource: "acpi_pm" }), "warning", /clock source acpi_pm/],
    ["an agent that hangs", { ...well, agent: "silent" }, "problem", /is stopped, or hangs/],
    ["a dead agent's socket", { ...well, agent: "stale-socket" }, "warning", /agent that died/],
    [
      "a process that is not confined",
      withFacts({ confined: [{ name: "witness", pid: 8, holds: false }] }),
      "warning",
      /the witness process \(8\) could run programs/,
    ],
    ["a socket of root's", { ...well, agent: "no-permission" }, "warning", /may not be opened/],
    ["keepalived", withFacts({ keepalivedProcesses: [7, 8] }), "warning", /process 7, 8/],
    [
      "keepalived beside the agent",
      { ...withFacts({ keepalivedProcesses: [7] }), agent: "answers" },
      "problem",
      /beside Holdfast/,
    ],
    [
      "no interface",
      withFacts({ interfaces: [{ name: "ens33", present: false, up: false, carrier: false }] }),
      "problem",
      /there is no interface ens33/,
    ],
    [
      "an interface that is off",
      withFacts({ interfaces: [{ name: "eth0", present: true, up: false, carrier: false }] }),
      "problem",
      /eth0 is switched off/,
    ],
    [
      "a cable that is out",
      withFacts({ interfaces: [{ name: "eth0", present: true, up: true, carrier: false }] }),
      "problem",
      /eth0 has no carrier/,
    ],
    [
      "a packet filter on the way in",
      withFacts({
        probes: [{ interface: "eth0", family: "ipv4", outcome: "lost", reason: undefined }],
      }),
      "problem",
      /224\.0\.0\.18 on eth0 is dropped by this host/,
    ],
    [
      "a packet filter on the way out",
      withFacts({
        probes: [{ interface: "eth0", family: "ipv6", outcome: "not-sent", reason: "EPERM" }],
      }),
      "warning",
      /could not be tried: EPERM/,
    ],
    [
      "a router that does not forward",
      {
        ...withFacts({ sysctls: { "net.ipv4.ip_forward": "0" } }),
        needs: { ...well.needs, forwarding: { ipv4: true, ipv6: false } },
      },
      "problem",
      /net\.ipv4\.ip_forward is 0/,
    ],
    [
      "ARP switched off",
      withFacts({ sysctls: { "net.ipv4.conf.all.arp_ignore": "8" } }),
      "problem",
      /arp_ignore is 8 on eth0/,
    ],
    [
      "secondaries that go with the first",
      {
        ...withFacts({
          sysctls: {
            "net.ipv4.conf.all.promote_secondaries": "0",
            "net.ipv4.conf.eth0.promote_secondaries": "0",
          },
        }),
        needs: {
          ...well.needs,
          routers: [{ ...router, addresses: [{ address: ip("10.0.0.3"), prefixLength: 24 }] }],
        },
      },
      "warning",
      /promote_secondaries is 0 on eth0/,
    ],
    [
      "another pair with our VRID",
      withFacts({ heard: [{ ...heard, addresses: [ip("10.9.9.9")] }] }),
      "problem",
      /10\.0\.0\.2 uses VRID 51 on eth0 for other addresses \(10\.9\.9\.9\) than VI_1/,
    ],
    [
      "two active nodes",
      withFacts({ heard: [heard, { ...heard, source: ip("10.0.0.4") }] }),
      "problem",
      /10\.0\.0\.2 and 10\.0\.0\.4 both advertise VI_1/,
    ],
    ["an address that was left", withFacts({ addresses: vip(false) }), "problem", /no agent runs/],
    [
      "an address that a killed agent left",
      withFacts({ addresses: vip(true) }),
      "problem",
      /left by an agent that was killed/,
    ],
  ];
  for (const [what, subject, level, message] of cases) {
    test(what, () => {
      const [finding, ...others] = complaints(subject);
      assert.deepEqual(others, []);
      assert.equal(finding?.level, level);
      assert.match(finding?.message ?? "", message);
      assert.ok((finding?.next ?? "").length > 10);
      if (/agent that was killed/.test(finding?.message ?? "")) {
        assert.match(finding?.next ?? "", /^holdfast withdraw/);
      }
      assert.ok(!/\n/.test(`${finding?.message}${finding?.next}`));
    });
  }
});

describe("what looks wrong and is not", () => {
  const cases: readonly (readonly [string, Case])[] = [
    ["the peer of the pair", withFacts({ heard: [heard] })],
    ["the same VRID on another interface", withFacts({ heard: [{ ...heard, interface: "eth1" }] })],
    ["the same VRID of the other family", withFacts({ heard: [{ ...heard, family: "ipv6" }] })],
    [
      "the address while the agent runs",
      { ...withFacts({ addresses: vip(true) }), agent: "answers" },
    ],
    [
      "the owner's own address",
      {
        ...withFacts({ addresses: vip(false) }),
        needs: { ...well.needs, routers: [{ ...router, owner: true }] },
      },
    ],
    [
      "no nf_tables where nothing fences",
      {
        ...withFacts({ features: { ...facts.features, nf_tables: false } }),
        needs: { ...well.needs, gate: "none" },
      },
    ],
    ["ip_forward off on a server", withFacts({ sysctls: { "net.ipv4.ip_forward": "0" } })],
    ["no ip_vs", withFacts({ features: { ...facts.features, ip_vs: false } })],
    [
      "features that cannot be known",
      withFacts({
        features: { macvlan: undefined, nf_tables: undefined, ip_vs: undefined },
      }),
    ],
  ];
  for (const [what, subject] of cases) {
    test(what, () => assert.deepEqual(complaints(subject), []));
  }
});

test("an agent that hangs may leave its address reachable", () => {
  const subject: Case = { ...withFacts({ addresses: vip(true) }), agent: "silent" };
  assert.deepEqual(
    complaints(subject).map(({ message, next }) => [message, next]),
    [
      [
        "the agent at /run/holdfast/control.sock does not answer: it is stopped, or hangs",
        "systemctl restart holdfast; before that, its log and ps -eo pid,stat,wchan:20,args say why",
      ],
      [
        "10.0.0.3 of VI_1 is on eth0, and its agent does not answer: both nodes may answer, unless its gate has shut",
        "systemctl stop holdfast, then holdfast withdraw",
      ],
    ],
  );
});

test("the report for people counts, and names the next step", () => {
  const text = doctorText(examine(withFacts({ addresses: vip(false) })), PLAIN);
  assert.match(text, /✗ 10\.0\.0\.3 of VI_1 is on eth0/);
  assert.match(text, /\n {2}→ ip address del 10\.0\.0\.3\/32 dev eth0\n/);
  assert.match(text, /\n1 problem, no warnings\n$/);
});
