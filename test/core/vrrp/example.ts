import type { IpAddress } from "../../../agent/core/address.ts";
import type { Instant, Micros } from "../../../agent/core/time.ts";
import { micros, seconds } from "../../../agent/core/time.ts";
import type { Advertisement } from "../../../agent/core/vrrp/advertisement.ts";
import type { VrrpEffect } from "../../../agent/core/vrrp/effect.ts";
import type { VrrpEvent } from "../../../agent/core/vrrp/event.ts";
import type { Fault } from "../../../agent/core/vrrp/fault.ts";
import type {
  ActiveState,
  BackupState,
  FaultState,
  InitializeState,
  LeaveRequest,
} from "../../../agent/core/vrrp/state.ts";
import type { VirtualRouter } from "../../../agent/core/vrrp/virtual-router.ts";

export const at = (microseconds: number): Instant => microseconds as Instant;
export const ip = (text: string): IpAddress => text as IpAddress;

export const SECOND = 1_000_000;
export const OURS = ip("192.0.2.5");
export const LOWER_ADDRESS = ip("192.0.2.4");
export const HIGHER_ADDRESS = ip("192.0.2.16");
export const LINK_DOWN: Fault = { cause: "interface-down", subject: "eth0" };

const ROUTER: VirtualRouter = {
  name: "web",
  vrid: 51,
  family: "ipv4",
  version: 3,
  priority: 100,
  initialActive: false,
  advertisementInterval: seconds(1),
  downTimerAdverts: 3,
  preempt: true,
  preemptDelay: micros(0),
  startupDelay: micros(0),
  lowerPrioNoAdvert: false,
  higherPrioSendAdvert: false,
  ownerIgnoreAdverts: false,
  timerExpiredBackup: undefined,
  inSyncGroup: false,
  primaryAddress: OURS,
  fenced: false,
  announcement: {
    repeat: 5,
    delay: seconds(5),
    refreshInterval: micros(0),
    refreshRepeat: 1,
    lowerPriorityRepeat: 0,
    lowerPriorityDelay: micros(0),
  },
};

export const router = (changes: Partial<VirtualRouter> = {}): VirtualRouter => ({
  ...ROUTER,
  ...changes,
});

/** Active_Down_Interval of the example router: 3 s and (256 − 100) / 256 s. */
export const DOWN = 3_609_375;
export const SKEW = 609_375;

export const INITIALIZE: InitializeState = { kind: "initialize", faults: [], startAt: undefined };
export const FAULT: FaultState = { kind: "fault", faults: [LINK_DOWN] };

/** Nobody was heard since. */
export const REQUEST: LeaveRequest = { unheard: true, calls: undefined, elsewhere: undefined };

/** Became backup at 0. */
export const backup = (changes: Partial<BackupState> = {}): BackupState => ({
  kind: "backup",
  activeDownAt: at(DOWN),
  activeAdverInterval: seconds(1),
  active: undefined,
  resigned: false,
  preemptAt: undefined,
  request: undefined,
  held: undefined,
  ...changes,
});

/** Became active at 0. */
export const active = (changes: Partial<ActiveState> = {}): ActiveState => ({
  kind: "active",
  adverAt: at(SECOND),
  advertisedAt: at(0),
  announcedAt: at(0),
  announceAt: at(5 * SECOND),
  announceRepeat: 5,
  refreshAt: undefined,
  rival: undefined,
  contest: undefined,
  ...changes,
});

export const advertisement = (
  priority: number,
  source: IpAddress = HIGHER_ADDRESS,
  maxAdvertiseInterval: Micros = seconds(1),
): VrrpEvent => {
  const heard: Advertisement = { priority, source, maxAdvertiseInterval };
  return { kind: "advertisement", advertisement: heard };
};

export const TICK: VrrpEvent = { kind: "tick" };

export const kinds = (effects: readonly VrrpEffect[]): readonly string[] =>
  effects.map((effect) => {
    switch (effect.kind) {
      case "send-advertisement":
        return `advertise ${effect.priority}`;
      case "announce-addresses":
        return `announce ${effect.repeat}`;
      case "transition":
        return `${effect.from}>${effect.to} ${effect.reason}`;
      case "request-active":
        return `request ${effect.reason}`;
      case "alarm":
        return `alarm ${effect.alarm} ${effect.from}`;
      case "alarm-over":
        return `over ${effect.alarm} ${effect.from}`;
      case "install-addresses":
        return "install";
      case "open-addresses":
        return "open";
      case "probe-holder":
        return "probe";
      case "remove-addresses":
        return "remove";
      default:
        return effect satisfies never;
    }
  });
