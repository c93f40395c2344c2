import type { IpAddress } from "../../agent/core/address.ts";
import { addressFromBytes } from "../../agent/core/address.ts";
import type { Instant } from "../../agent/core/time.ts";
import type {
  AdvertisementSockets,
  Endpoint,
  EndpointSpec,
  ReceivedPacket,
} from "../../agent/ports/advertisement-sockets.ts";
import { KernelError } from "../../agent/ports/error.ts";
import { FakeBfdLan } from "./fake-bfd.ts";

/** A packet as the segment saw it. */
export interface Sent {
  readonly from: string;
  readonly at: Instant;
  readonly vrid: number;
  readonly priority: number;
  readonly destination: IpAddress;
  readonly bytes: Uint8Array;
}

interface Port {
  readonly host: string;
  readonly spec: EndpointSpec;
  readonly receive: (packet: ReceivedPacket) => void;
  readonly failed: (errno: string) => void;
  vrids: ReadonlySet<number> | undefined;
  readonly waiting: ReceivedPacket[];
}

/** One IPv4 segment: what one host sends on it, all others hear at once. */
export class FakeLan {
  readonly bfd = new FakeBfdLan();
  readonly sent: Sent[] = [];
  readonly opened: EndpointSpec[] = [];
  readonly closed: EndpointSpec[] = [];
  /** Receive buffers as they were set. */
  readonly rooms: (number | undefined)[] = [];
  /** Interfaces of one index are on a segment of their own. */
  apart = false;
  /** Hosts that are cut off; `a 2`: on the interface of this index. */
  readonly cut = new Set<string>();
  /** Hosts that do not run: what they hear waits in their sockets. */
  readonly stalled = new Set<string>();
  refuseOpen: string | undefined;
  refuseJoin: string | undefined;
  readonly #now: () => Instant;
  readonly #ports = new Set<Port>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  sockets(host: string): AdvertisementSockets {
    return {
      open: (spec, receive, failed): Endpoint => {
        if (this.refuseOpen !== undefined) {
          throw new KernelError("socket-refused", this.refuseOpen, "give it what it needs");
        }
        this.opened.push(spec);
        const port: Port = { host, spec, receive, failed, vrids: undefined, waiting: [] };
        this.#ports.add(port);
        return {
          send: (packet, destination) => this.#send(port, packet, destination),
          setVrids: (vrids) => {
            port.vrids = vrids;
          },
          setReceiveBuffer: (bytes) => {
            this.rooms.push(bytes);
          },
          rejoin: () => this.refuseJoin,
          close: () => {
            this.closed.push(spec);
            this.#ports.delete(port);
          },
        };
      },
      drain: () => this.drain(host),
    };
  }

  /** Hands over what waits in the sockets of a host. */
  drain(host: string): void {
    for (const port of this.#ports) {
      if (port.host === host) for (const packet of port.waiting.splice(0)) port.receive(packet);
    }
  }

  /** Puts a packet on the segment as if some other host had sent it. */
  inject(packet: Uint8Array): void {
    for (const port of this.#ports) this.#hand(port, packet);
  }

  #send(from: Port, packet: Uint8Array, destination: IpAddress): boolean {
    if (this.#isCut(from)) {
      from.failed("ENETDOWN");
      return false;
    }
    this.sent.push({
      from: from.host,
      at: this.#now(),
      vrid: packet[messageAt(packet) + 1] ?? 0,
      priority: packet[messageAt(packet) + 2] ?? 0,
      destination,
      bytes: packet,
    });
    for (const port of this.#ports) {
      if (port.host === from.host || this.#isCut(port)) continue;
      if (this.apart && port.spec.interfaceIndex !== from.spec.interfaceIndex) continue;
      this.#hand(port, packet);
    }
    return true;
  }

  #isCut({ host, spec }: Port): boolean {
    return this.cut.has(host) || this.cut.has(`${host} ${spec.interfaceIndex}`);
  }

  #hand(port: Port, packet: Uint8Array): void {
    const vrid = packet[messageAt(packet) + 1] ?? 0;
    if (port.vrids !== undefined && !port.vrids.has(vrid)) return;
    const received: ReceivedPacket = {
      source: addressFromBytes(packet.subarray(12, 16)),
      destination: addressFromBytes(packet.subarray(16, 20)),
      ttl: packet[8],
      bytes: packet,
      at: this.#now(),
    };
    if (this.stalled.has(port.host)) port.waiting.push(received);
    else port.receive(received);
  }
}

/** Behind the IPv4 header, and an authentication header if there is one. */
const messageAt = (packet: Uint8Array): number => (packet[9] === 51 ? 44 : 20);
