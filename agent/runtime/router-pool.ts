import type { Driver } from "./driver.ts";
import { EndpointPool } from "./endpoint-pool.ts";
import { Receiver } from "./receiver.ts";
import type { Reports } from "./reports.ts";
import type { Router } from "./router.ts";
import type { Sender } from "./sender.ts";
import type { World } from "./world.ts";

/** The sockets of all routers, with what becomes of the packets that come in. */
export function routerPool(
  { clock, hmac, sockets }: World,
  driver: Driver,
  sender: Sender,
  reports: Reports,
): EndpointPool<Router> {
  const receiver = new Receiver(clock, hmac, {
    deliver: (router, event) => driver.deliver(router, event),
    alarm: (router, alarm, from) => reports.alarm(router, alarm, from),
    claim: (router, alarm, claim, from) => reports.claim(router, alarm, claim, from),
    dropped: (router, reason, from) => reports.dropped(router, reason, from),
    unknown: (vrid, from) => reports.unknownVrid(vrid, from),
  });
  return new EndpointPool<Router>(sockets, {
    packet: (packet, shared) => receiver.packet(packet, shared),
    failed: (errno, shared) => {
      const { sending } = sender;
      const concerned = sending === undefined ? shared.all() : [sending];
      for (const router of concerned) reports.sendError(router, errno);
    },
    deaf: (errno, shared) => {
      const message = `the multicast group ${shared.spec.group} cannot be joined again: ${errno}`;
      for (const router of shared.all()) reports.host("error", router.name, message);
    },
  });
}
