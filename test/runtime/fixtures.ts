import { createHmac } from "node:crypto";
import type {
  AddressConfig,
  Config,
  GlobalConfig,
  InstanceConfig,
} from "../../agent/config/config.ts";
import { NO_NOTIFICATIONS, NO_NOTIFY } from "../../agent/config/notifications.ts";
import { NO_BALANCING } from "../../agent/config/virtual-servers.ts";
import type { IpAddress } from "../../agent/core/address.ts";
import { micros, seconds } from "../../agent/core/time.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import type { EventReport } from "../../agent/runtime/ipc.ts";
import { Node } from "../../agent/runtime/node.ts";
import type { Notary } from "../../agent/runtime/wills.ts";
import type { World } from "../../agent/runtime/world.ts";
import { PLAIN_ADDRESS } from "../config/plain.ts";
import { router as plainRouter } from "../core/vrrp/example.ts";
import { FakeAcceptFilter } from "./fake-accept-filter.ts";
import { FakeGate, FakeHolders } from "./fake-gate.ts";
import type { FakeLan } from "./fake-lan.ts";
import { FakeNetwork } from "./fake-network.ts";
import type { VirtualTime } from "./virtual-time.ts";

const POSITION = { file: "test.conf", line: 1, column: 1 };

export function address(text: string, change: Partial<AddressConfig> = {}): AddressConfig {
  const [host = "", length = "32"] = text.split("/");
  return {
    position: POSITION,
    ...PLAIN_ADDRESS,
    address: host as IpAddress,
    prefixLength: Number(length),
    ...change,
  };
}

export function instance(
  name: string,
  router: Partial<VirtualRouter> = {},
  change: Partial<InstanceConfig> = {},
): InstanceConfig {
  return {
    position: POSITION,
    router: plainRouter({
      name,
      inSyncGroup: change.syncGroup !== undefined,
      primaryAddress: undefined,
      announcement: { ...plainRouter().announcement, repeat: 2, delay: micros(0) },
      ...router,
    }),
    interface: "eth0",
    vrf: undefined,
    transport: { mode: "multicast", group: "224.0.0.18" as IpAddress },
    sourceAddress: undefined,
    trackSourceAddress: false,
    virtualLink: undefined,
    addressLinks: [],
    addresses: [address("192.0.2.100/24")],
    excludedAddresses: [],
    routes: [],
    rules: [],
    authentication: { kind: "none" },
    checksum: "message",
    accept: true,
    strict: false,
    addressListMismatch: "alarm",
    skipAddressListCheck: false,
    trackInterfaces: [],
    trackers: [],
    notify: NO_NOTIFY,
    ignorePrimaryInterface: false,
    promoteSecondaries: false,
    receiveBuffer: { policy: "system" },
    extraInterfaceAnnouncements: undefined,
    syncGroup: undefined,
    fencing: "auto",
    ...change,
  };
}

const GLOBAL: GlobalConfig = {
  routerId: "test",
  netNamespace: undefined,
  instanceName: undefined,
  usePidDirectory: false,
  childWaitTime: seconds(5),
  processNames: { supervisor: undefined, vrrp: undefined, director: undefined },
  vrrpScheduling: {
    nice: undefined,
    realtimePriority: undefined,
    realtimeLimit: undefined,
    cpuAffinity: undefined,
    noSwap: false,
  },
  directorScheduling: {
    nice: undefined,
    realtimePriority: undefined,
    realtimeLimit: undefined,
    cpuAffinity: undefined,
    noSwap: false,
  },
  automaticPriority: undefined,
  disableLocalIgmp: false,
  logUnknownVrids: false,
  startupDelay: micros(0),
  delayAfterBoot: micros(0),
  netlinkReceiveBuffers: { announcements: undefined, answers: undefined },
  umask: undefined,
  reload: { timeFile: undefined, repeat: false, lockFile: undefined },
};

export function config(
  instances: readonly InstanceConfig[],
  change: Partial<Omit<Config, "global">> & { readonly global?: Partial<GlobalConfig> } = {},
): Config {
  return {
    instances,
    syncGroups: [],
    mandates: [],
    staticAddresses: [],
    staticRoutes: [],
    staticRules: [],
    trackGroups: [],
    announcementPaces: [],
    interfaceDelays: [],
    trackers: [],
    bfdInstances: [],
    notifications: NO_NOTIFICATIONS,
    balancing: NO_BALANCING,
    directServers: [],
    ...change,
    global: { ...GLOBAL, ...change.global },
  };
}

/** A frame that announced something, in the order in which it left. */
export interface SentFrame {
  readonly interfaceIndex: number;
  readonly address: string;
}

/** A node in a world of fakes. */
export interface TestHost {
  readonly node: Node;
  readonly network: FakeNetwork;
  readonly acceptFilter: FakeAcceptFilter;
  readonly gate: FakeGate;
  readonly holders: FakeHolders;
  readonly reports: EventReport[];
  readonly frames: SentFrame[];
}

/** A world of fakes, and what happens in it. */
export function fakeWorld(
  name: string,
  time: VirtualTime,
  lan: FakeLan,
  own: string | undefined,
): Omit<TestHost, "node"> & { readonly world: World } {
  const network = new FakeNetwork();
  const acceptFilter = new FakeAcceptFilter();
  const gate = new FakeGate(time);
  const holders = new FakeHolders();
  network.addLink("eth0");
  if (own !== undefined) network.addAddress("eth0", own);
  const reports: EventReport[] = [];
  const frames: SentFrame[] = [];
  const world: World = {
    clock: time.clock,
    openTimer: time.openTimer,
    sockets: lan.sockets(name),
    bfd: lan.bfd.sockets(name, own),
    frames: {
      send: (interfaceIndex, frame) => {
        frames.push({ interfaceIndex, address: [...frame.subarray(28, 32)].join(".") });
        return undefined;
      },
      close: () => undefined,
    },
    network,
    acceptFilter,
    gate,
    holderProbes: holders,
    hmac: (algorithm, key, data) => createHmac(algorithm, key).update(data).digest(),
    report: (report) => reports.push(report),
  };
  return { world, network, acceptFilter, gate, holders, reports, frames };
}

export function host(
  name: string,
  time: VirtualTime,
  lan: FakeLan,
  own: string | undefined,
  notary?: Notary,
): TestHost {
  const { world, ...rest } = fakeWorld(name, time, lan, own);
  return { ...rest, node: new Node(world, notary) };
}

/** The snapshot of one router. */
export function routerOf({ node }: TestHost, name = "VI_1") {
  const found = [...node.snapshot()].find((one) => one.name === name);
  if (found === undefined) throw new TypeError(`there is no router ${name}`);
  return found;
}
