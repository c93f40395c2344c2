import type { Status } from "../../agent/control/protocol.ts";
import type { IpAddress } from "../../agent/core/address.ts";
import type { RouterCounters, RouterSnapshot } from "../../agent/core/vrrp/snapshot.ts";

/** 2026-11-21 10:00:00 UTC: the moment at which the sample is looked at. */
export const SAMPLE_NOW = Date.UTC(2026, 10, 21, 10, 0, 0);

const ip = (text: string): IpAddress => text as IpAddress;

const COUNTERS: RouterCounters = {
  advertisementsSent: 0,
  advertisementsReceived: 0,
  priorityZeroSent: 0,
  priorityZeroReceived: 0,
  becameActive: 0,
  released: 0,
  sendErrors: 0,
  gateLate: 0,
  leasesLapsed: 0,
  mandatesLost: 0,
  dropped: {},
  alarms: {},
  alarmTimes: {},
};

const active: RouterSnapshot = {
  name: "VI_1",
  vrid: 51,
  family: "ipv4",
  version: 2,
  interface: "eth0",
  state: "active",
  priority: {
    base: 150,
    effective: 145,
    contributions: [
      { source: "track_interface eth1", weight: -5, since: SAMPLE_NOW - 60_000 },
      { source: "track_interface eth2", weight: 0, since: SAMPLE_NOW - 60_000 },
    ],
  },
  preempt: true,
  advertisementInterval: 1_000_000,
  syncGroup: null,
  addresses: [
    {
      address: ip("10.0.0.3"),
      prefixLength: 24,
      interface: "eth0",
      installed: true,
      advertised: true,
    },
  ],
  mandate: null,
  fencing: {
    mode: "auto",
    kind: "gate",
    gate: { state: "open", remaining: 2_100_000, margin: 250_000 },
  },
  faults: [],
  active: null,
  lastTransition: {
    from: "backup",
    to: "active",
    reason: "active-down-timer",
    faults: [],
    at: SAMPLE_NOW - 7_500_000,
  },
  peers: [
    {
      address: ip("10.0.0.2"),
      priority: 100,
      advertisementInterval: 1_000_000,
      checksum: undefined,
      sameAddresses: false,
      advertisements: 4,
      lastHeardAt: SAMPLE_NOW - 7_505_000,
    },
  ],
  counters: {
    ...COUNTERS,
    alarms: { "address-list-mismatch": 4 },
    alarmTimes: { "address-list-mismatch": { at: SAMPLE_NOW - 61_000, lasts: false } },
  },
};

const backup: RouterSnapshot = {
  ...active,
  name: "WEB6",
  vrid: 7,
  family: "ipv6",
  version: 3,
  state: "backup",
  priority: { base: 100, effective: 100, contributions: [] },
  addresses: ["fe80::7", "2001:db8::7", "2001:db8::8", "2001:db8::9"].map((address) => ({
    address: ip(address),
    prefixLength: 64,
    interface: "eth0",
    installed: false,
    advertised: true,
  })),
  active: { address: ip("fe80::1"), priority: 200 },
  lastTransition: {
    from: "initialize",
    to: "backup",
    reason: "startup",
    faults: [],
    at: SAMPLE_NOW - 12_000,
  },
  peers: [
    {
      address: ip("fe80::1"),
      priority: 200,
      advertisementInterval: 1_000_000,
      checksum: undefined,
      sameAddresses: true,
      advertisements: 12,
      lastHeardAt: SAMPLE_NOW - 400,
    },
  ],
  counters: COUNTERS,
};

const fault: RouterSnapshot = {
  ...backup,
  name: "DB",
  vrid: 9,
  family: "ipv4",
  interface: "bond0.20",
  state: "fault",
  addresses: [],
  fencing: { mode: "auto", kind: "gate", gate: null },
  faults: [{ cause: "interface-down", subject: "bond0.20" }],
  active: null,
  lastTransition: {
    from: "active",
    to: "fault",
    reason: "fault",
    faults: [{ cause: "interface-down", subject: "bond0.20" }],
    at: SAMPLE_NOW - 3 * 86_400_000,
  },
  peers: [],
};

const child = { restarts: 0, startedAt: SAMPLE_NOW - 90_000_000 };

/** One router of each kind, and something wrong. */
export const sampleStatus: Status = {
  protocol: 1,
  version: "0.1.0",
  node: "22.18.0",
  routerId: "lb01",
  processes: {
    supervisor: { pid: 100, ...child },
    vrrp: { pid: 101, ...child, restarts: 1 },
    director: { pid: null, restarts: 3, startedAt: null },
  },
  configuration: {
    file: "/etc/keepalived/keepalived.conf",
    generation: 2,
    loadedAt: SAMPLE_NOW - 90_000_000,
    refused: [
      {
        code: "missing-closing-brace",
        severity: "error",
        position: { file: "/etc/keepalived/keepalived.conf", line: 12, column: 3 },
        message: "the block vrrp_instance is never closed",
        text: "{",
        hint: undefined,
      },
    ],
    warnings: 1,
  },
  current: true,
  routers: [active, backup, fault],
  director: null,
  groups: [],
  bfd: { sessions: [], dropped: {} },
};
