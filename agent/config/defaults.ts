import { parseAddress } from "../core/address.ts";
import { assert } from "../core/assert.ts";
import { micros, seconds } from "../core/time.ts";
import type { AnnouncementPolicy } from "../core/vrrp/virtual-router.ts";
import type { FencingMode } from "./fencing.ts";

const address = (text: string) => {
  const parsed = parseAddress(text);
  assert(parsed !== undefined, "a default address is an address");
  return parsed;
};

/** What keepalived does where a file says nothing; units and ranges as in the Config types. */
export const DEFAULTS = {
  priority: 100,
  advertisementInterval: seconds(1),
  downTimerAdverts: 3,
  version: 2,
  /** RFC 9568 §5.1.1.2 and §5.1.2.2. */
  groupIpv4: address("224.0.0.18"),
  groupIpv6: address("ff02::12"),
  addressInterface: "eth0",
  virtualLinkPrefix: "vrrp",
  childWaitTime: seconds(5),
  /**
   * RLIMIT_RTTIME in microseconds, where a real-time priority is set. keepalived has 10 ms; a
   * collection of garbage or a reload works longer without a pause, and the kernel would kill it.
   */
  realtimeLimit: 1_000_000,
  leastRealtimeLimit: 200_000,
  receiveBufferMultiplier: 3,
  /** Priority of the backup that timer_expired_backup reckons with. */
  otherPriority: 254,
  hmacLeastTimeWindow: seconds(5),
  none: micros(0),
} as const;

/** Ours: a file of keepalived as it stands is fenced. */
export const DEFAULT_FENCING: FencingMode = "auto";

/** garp_* and vrrp_garp_*. */
export const DEFAULT_ANNOUNCEMENT: AnnouncementPolicy = {
  repeat: 5,
  delay: seconds(5),
  refreshInterval: micros(0),
  refreshRepeat: 1,
  lowerPriorityRepeat: 5,
  lowerPriorityDelay: seconds(5),
};
