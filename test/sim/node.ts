import type { IpAddress } from "../../agent/core/address.ts";
import type { Instant, Micros } from "../../agent/core/time.ts";
import { instant } from "../../agent/core/time.ts";
import type { VrrpEvent } from "../../agent/core/vrrp/event.ts";
import type { VrrpState } from "../../agent/core/vrrp/state.ts";
import { INITIAL } from "../../agent/core/vrrp/state.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import { Addresses } from "./addresses.ts";
import type { Coupling } from "./coupling.ts";
import { Gate } from "./gate.ts";

/** A machine on the simulated segment: its clock, its router, and what it holds. */
export class Node {
  readonly name: string;
  readonly address: IpAddress;
  /** How fast its clock runs against true time, for example 1.0005. */
  readonly clockRate: number;
  readonly clockOffset: number;
  /** Which segment it is on. */
  readonly lan: number;
  router: VirtualRouter;
  /** Shared with the routers of the same host on other segments. */
  coupling: Coupling | undefined;
  state: VrrpState = INITIAL;
  /** The agent runs. A dead agent leaves its addresses where they are. */
  alive = false;
  /** Stopped by SIGSTOP, a pause of the machine, or a blocked event loop. */
  paused = false;
  /** Counts what it lived through: each stall, each death. */
  life = 0;
  linkUp = true;
  /** The host is off: nothing of it answers. */
  powered = true;
  /** Its addresses have a lifetime also where no gate is. */
  lifetimes = false;
  /** The interval as it was drawn, which reloads change. */
  readonly drawnInterval: Micros;
  readonly addresses = new Addresses();
  readonly gate = new Gate();
  /** Packets that wait in the socket of a paused agent. */
  readonly inbox: VrrpEvent[] = [];
  /** Which tick of this node is the one that counts; older ones in the queue are void. */
  tickNumber = 0;
  /** The deadline that it is for. */
  tickAt: Instant | undefined;

  constructor(
    name: string,
    router: VirtualRouter,
    clockRate: number,
    clockOffset: number,
    lan = 0,
  ) {
    this.name = name;
    this.lan = lan;
    this.router = router;
    this.drawnInterval = router.advertisementInterval;
    this.address = router.primaryAddress ?? ("0.0.0.0" as IpAddress);
    this.clockRate = clockRate;
    this.clockOffset = clockOffset;
  }

  /** The routers of this host, itself included. */
  get mates(): readonly Node[] {
    return this.coupling?.members ?? [this];
  }

  get running(): boolean {
    return this.alive && !this.paused;
  }

  /** Takes part: it could hold the address and be heard. */
  get healthy(): boolean {
    return this.running && this.linkUp;
  }

  /** Hosts get an answer from its addresses. */
  isReachable(time: number): boolean {
    return this.linkUp && this.letsIn(time);
  }

  /** The same, as far as the host itself has a say. */
  letsIn(time: number): boolean {
    if (!this.powered || !this.addresses.there(time)) return false;
    return !this.router.fenced || this.gate.isOpen(time);
  }

  /** What its own clock shows at a true time. */
  local(time: number): Instant {
    return instant(this.clockOffset + time * this.clockRate);
  }

  /** The true time at which its own clock shows an instant, rounded up to the microsecond. */
  global(at: Instant): number {
    return Math.ceil((at - this.clockOffset + 1) / this.clockRate);
  }
}
