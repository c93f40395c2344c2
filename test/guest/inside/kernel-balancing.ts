import { systemClock } from "../../../agent/linux/clock.ts";
import { openDataPathHost } from "../../../agent/linux/data-path-host.ts";
import { openIpvs } from "../../../agent/linux/netlink/ipvs.ts";
import { openPings } from "../../../agent/linux/pings.ts";
import { openProbeSockets } from "../../../agent/linux/probe-sockets.ts";
import { runProgram } from "../../../agent/linux/programs.ts";
import { openTimer } from "../../../agent/linux/timer.ts";
import { Balancing } from "../../../agent/runtime/balancing/balancing.ts";
import type { Outlet } from "../../../agent/runtime/director/part.ts";
import type { EventReport } from "../../../agent/runtime/ipc.ts";
import { openProbes } from "../../../plugins/probes/registry.ts";

/** Load balancing as the director has it: the kernel's table, real sockets, real time. */
export function kernelBalancing(event: (report: EventReport) => void): Balancing {
  const outlet: Partial<Outlet> = {
    event,
    log: () => undefined,
    requestSnapshot: () => undefined,
  };
  return new Balancing(outlet as Outlet, {
    clock: systemClock,
    openTimer,
    openIpvs,
    openProbes: () =>
      openProbes({
        openSockets: openProbeSockets,
        openPings,
        runProgram,
        wallClock: () => systemClock.wallClock(),
      }),
    openDataPathHost,
    kernelSettings: () => undefined,
    hostAddresses: () => new Set(),
    tell: () => undefined,
  });
}
