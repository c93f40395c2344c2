import type { Micros } from "../core/time.ts";
import type { AcceptFilter } from "../ports/accept-filter.ts";
import type { AdvertisementSockets, FrameSender } from "../ports/advertisement-sockets.ts";
import type { BfdSockets } from "../ports/bfd.ts";
import type { Clock, OpenTimer } from "../ports/clock.ts";
import type { Gate } from "../ports/gate.ts";
import type { HolderProbes } from "../ports/holder-probes.ts";
import type { Network } from "../ports/network.ts";
import type { Hmac } from "../wire/hmac.ts";
import type { EventReport } from "./ipc.ts";

/** All that a node of virtual routers needs from outside. */
export interface World {
  readonly clock: Clock;
  readonly openTimer: OpenTimer;
  readonly sockets: AdvertisementSockets;
  readonly bfd: BfdSockets;
  readonly frames: FrameSender;
  readonly network: Network;
  readonly acceptFilter: AcceptFilter;
  readonly gate: Gate;
  readonly holderProbes: HolderProbes;
  readonly hmac: Hmac;
  /** A deadline was met this late: answers what was done about it, for the log. */
  readonly late?: (lateness: Micros) => string | undefined;
  /** Calls when the machine was suspended, which the clock does not show. Answers how to stop it. */
  readonly watchSuspension?: (heard: (missed: Micros) => void) => () => void;
  /** Takes note of what happened, for the log and for whoever follows the events. */
  readonly report: (report: EventReport) => void;
}
