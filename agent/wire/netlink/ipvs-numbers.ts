/** Numbers of linux/ip_vs.h that are used here. */

export const IPVS_FAMILY = "IPVS";
export const IPVS_VERSION = 1;

export const COMMAND = {
  newService: 1,
  setService: 2,
  deleteService: 3,
  getService: 4,
  newDestination: 5,
  setDestination: 6,
  deleteDestination: 7,
  getDestination: 8,
  newDaemon: 9,
  deleteDaemon: 10,
  getDaemon: 11,
  setConfig: 12,
  getConfig: 13,
} as const;

export const TOP = {
  service: 1,
  destination: 2,
  daemon: 3,
  timeoutTcp: 4,
  timeoutTcpFin: 5,
  timeoutUdp: 6,
} as const;

export const SERVICE = {
  family: 1,
  protocol: 2,
  address: 3,
  port: 4,
  fwmark: 5,
  scheduler: 6,
  flags: 7,
  timeout: 8,
  netmask: 9,
  stats: 10,
  engine: 11,
  stats64: 12,
} as const;

export const SERVICE_FLAG = {
  persistent: 0x1,
  onePacket: 0x4,
  scheduler: [0x8, 0x10, 0x20],
} as const;

export const DESTINATION = {
  address: 1,
  port: 2,
  forwarding: 3,
  weight: 4,
  upperThreshold: 5,
  lowerThreshold: 6,
  active: 7,
  inactive: 8,
  persistent: 9,
  stats: 10,
  family: 11,
  stats64: 12,
  tunnelType: 13,
  tunnelPort: 14,
  tunnelFlags: 15,
} as const;

export const FORWARDING = { nat: 0, tunnel: 2, dr: 3 } as const;
export const TUNNEL_TYPE = { ipip: 0, gue: 1, gre: 2 } as const;
export const TUNNEL_CHECKSUM = { none: 0, full: 1, remote: 2 } as const;

export const STATS = {
  connections: 1,
  inPackets: 2,
  outPackets: 3,
  inBytes: 4,
  outBytes: 5,
} as const;

export const DAEMON = {
  role: 1,
  interface: 2,
  syncId: 3,
  maxLength: 4,
  group: 5,
  group6: 6,
  port: 7,
  ttl: 8,
} as const;

export const DAEMON_ROLE = { active: 1, backup: 2 } as const;
export const PROTOCOL = { tcp: 6, udp: 17, sctp: 132 } as const;
