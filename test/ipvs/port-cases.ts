import type { IpvsCommand } from "../../agent/core/ipvs/reconcile.ts";
import type { Destination, Service } from "../../agent/core/ipvs/service.ts";
import type { IpvsErrorCode } from "../../agent/ports/ipvs.ts";
import { destination, persistence, service, tunnel } from "./example.ts";

export const WEB = service("tcp 192.0.2.1:80");
export const WEB6 = service("tcp [2001:db8::1]:80");
export const RS = destination("192.0.2.10:80");
export const RS6 = destination("[2001:db8::10]:80");

export const add = (one: Service): IpvsCommand => ({ kind: "add-service", service: one });
export const edit = (one: Service): IpvsCommand => ({ kind: "edit-service", service: one });
export const remove = (one: Service): IpvsCommand => ({
  kind: "delete-service",
  target: one.target,
});
const put =
  (kind: "add-destination" | "edit-destination" | "delete-destination") =>
  (one: Service, member: Destination): IpvsCommand => ({
    kind,
    target: one.target,
    destination: member,
  });
export const join = put("add-destination");
export const change = put("edit-destination");
export const leave = put("delete-destination");

export interface Case {
  readonly title: string;
  readonly given?: readonly IpvsCommand[];
  readonly command: IpvsCommand;
  /** `undefined`: the kernel takes it. */
  readonly code?: IpvsErrorCode;
}

export const CASES: readonly Case[] = [
  { title: "a service twice", given: [add(WEB)], command: add(WEB), code: "service-exists" },
  { title: "edit a service that is not there", command: edit(WEB), code: "service-missing" },
  { title: "delete a service that is not there", command: remove(WEB), code: "service-missing" },
  {
    title: "a scheduler that nobody knows",
    command: add({ ...WEB, scheduler: "nobody" }),
    code: "unknown-scheduler",
  },
  {
    title: "edit to a scheduler that nobody knows",
    given: [add(WEB)],
    command: edit({ ...WEB, scheduler: "nobody" }),
    code: "unknown-scheduler",
  },
  {
    title: "a persistence engine that nobody knows",
    command: add({ ...WEB, persistence: persistence({ engine: "nobody" }) }),
    code: "unknown-persistence-engine",
  },
  { title: "port 0 without persistence", command: add(service("tcp 192.0.2.1:0")) },
  {
    title: "port 0 with persistence",
    command: add(service("tcp 192.0.2.1:0", { persistence: persistence() })),
  },
  { title: "one-packet scheduling of TCP", command: add({ ...WEB, onePacket: true }) },
  {
    title: "IPv6 persistence by no bit at all",
    command: add({ ...WEB6, persistence: persistence({ prefixLength: 0 }) }),
    code: "invalid",
  },
  {
    title: "a destination of a service that is not there",
    command: join(WEB, RS),
    code: "service-missing",
  },
  {
    title: "a destination twice",
    given: [add(WEB), join(WEB, RS)],
    command: join(WEB, { ...RS, weight: 5 }),
    code: "destination-exists",
  },
  {
    title: "the same address on another port",
    given: [add(WEB), join(WEB, RS)],
    command: join(WEB, { ...RS, port: 81 }),
  },
  {
    title: "edit a destination that is not there",
    given: [add(WEB)],
    command: change(WEB, RS),
    code: "destination-missing",
  },
  {
    title: "delete a destination that is not there",
    given: [add(WEB)],
    command: leave(WEB, RS),
    code: "destination-missing",
  },
  {
    title: "a weight beyond 31 bits",
    given: [add(WEB)],
    command: join(WEB, { ...RS, weight: 2 ** 31 }),
    code: "invalid",
  },
  {
    title: "the greatest weight",
    given: [add(WEB)],
    command: join(WEB, { ...RS, weight: 2 ** 31 - 1 }),
  },
  {
    title: "a lower threshold above the upper one",
    given: [add(WEB)],
    command: join(WEB, { ...RS, upperThreshold: 5, lowerThreshold: 6 }),
    code: "invalid",
  },
  {
    title: "a lower threshold without an upper one",
    given: [add(WEB), join(WEB, RS)],
    command: change(WEB, { ...RS, lowerThreshold: 6 }),
    code: "invalid",
  },
  {
    title: "GUE without a port",
    given: [add(WEB)],
    command: join(WEB, { ...RS, ...tunnel({ type: "gue" }) }),
    code: "invalid",
  },
  ...["224.0.0.1:80", "255.255.255.255:80", "0.0.0.0:80"].map((text) => ({
    title: `${text} as destination`,
    given: [add(WEB)],
    command: join(WEB, destination(text)),
    code: "invalid" as const,
  })),
  ...["[ff02::1]:80", "[fe80::99]:80", "[::]:80"].map((text) => ({
    title: `${text} as destination`,
    given: [add(WEB6)],
    command: join(WEB6, destination(text)),
    code: "invalid" as const,
  })),
  {
    title: "IPv6 behind IPv4 by NAT",
    given: [add(WEB)],
    command: join(WEB, RS6),
    code: "invalid",
  },
  {
    title: "IPv4 behind IPv6 by direct routing",
    given: [add(WEB6)],
    command: join(WEB6, { ...RS, forwarding: { kind: "dr" } }),
    code: "invalid",
  },
  {
    title: "IPv6 behind IPv4 by a tunnel",
    given: [add(WEB)],
    command: join(WEB, { ...RS6, ...tunnel() }),
  },
  {
    title: "IPv4 behind IPv6 by a tunnel",
    given: [add(WEB6)],
    command: join(WEB6, { ...RS, ...tunnel() }),
  },
  {
    title: "from a tunnel to NAT where the families differ",
    given: [add(WEB), join(WEB, { ...RS6, ...tunnel() })],
    command: change(WEB, RS6),
    code: "invalid",
  },
];

/** What the kernel takes as it is: every word of a service at least once. */
export const SERVICES: readonly Service[] = [
  ...["tcp 192.0.2.1:80", "udp 192.0.2.1:80", "sctp 192.0.2.1:80"].map((text) => service(text)),
  service("tcp [2001:db8::1]:443", { scheduler: "rr" }),
  service("fwmark 5 ipv4", { persistence: persistence({ prefixLength: 24 }) }),
  service("fwmark 5 ipv6", { persistence: persistence({ prefixLength: 64, timeout: 2_678_400 }) }),
  service("fwmark 4294967295 ipv4"),
  service("udp 192.0.2.1:53", { onePacket: true }),
  service("udp 192.0.2.1:5060", { persistence: persistence({ engine: "sip" }) }),
  service("tcp 192.0.2.2:0", { persistence: persistence({ timeout: 1, prefixLength: 1 }) }),
  service("tcp 192.0.2.3:80", { scheduler: "mh", schedulerFlags: [true, true, false] }),
  service("tcp 192.0.2.4:80", { scheduler: "sh", schedulerFlags: [false, true, false] }),
  service("tcp 192.0.2.5:80", { scheduler: "sh", schedulerFlags: [true, false, true] }),
];

/** The same of destinations. */
export const DESTINATIONS: readonly Destination[] = [
  destination("192.0.2.10:80", { weight: 0 }),
  destination("192.0.2.11:8080", { forwarding: { kind: "dr" }, weight: 2 ** 31 - 1 }),
  destination("192.0.2.12:80", { upperThreshold: 4_294_967_295, lowerThreshold: 7 }),
  destination("192.0.2.13:65535", tunnel()),
  destination("192.0.2.14:0", tunnel({ type: "gue", port: 6080 })),
  destination("192.0.2.15:80", tunnel({ type: "gue", port: 65535, checksum: "full" })),
  destination("192.0.2.16:80", tunnel({ type: "gue", port: 6080, checksum: "remote" })),
  destination("192.0.2.17:80", tunnel({ type: "gre" })),
  destination("192.0.2.18:80", tunnel({ type: "gre", checksum: "full" })),
  destination("[2001:db8::10]:80", tunnel()),
];
