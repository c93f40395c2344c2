import type {
  AdvertisementSockets,
  Endpoint,
  EndpointSpec,
  ReceivedPacket,
} from "../ports/advertisement-sockets.ts";
import { SocketEndpoint } from "./endpoint.ts";

/** Packets that one endpoint may deliver in one turn of the loop: about half a millisecond. */
const PACKETS_PER_TURN = 64;
/** Packets of one endpoint that a drain reads: more than the default receive buffer holds. */
const PACKETS_PER_DRAIN = 512;
/** How often, and how many at most, packets that crossed a router are handed over as samples. */
const DISTANT_EVERY_MS = 1_000;
const DISTANT_PACKETS = 16;

/** Opens the sockets of this process, and reads them all when the loop says that packets wait. */
export function createAdvertisementSockets(): AdvertisementSockets {
  const endpoints = new Set<SocketEndpoint>();
  const ready = new Set<SocketEndpoint>();

  // The poll phase only marks; reading happens in the check phase of the same turn (see
  // openReceiveSocket), and what stays behind makes the next turn's poll mark again.
  const mark = (endpoint: SocketEndpoint): void => {
    ready.add(endpoint);
    if (ready.size > 1) return;
    setImmediate(() => {
      const marked = [...ready];
      ready.clear();
      for (const each of marked) each.read(PACKETS_PER_TURN);
    });
  };
  let samples: NodeJS.Timeout | undefined;
  const sample = (): void => {
    for (const endpoint of [...endpoints]) endpoint.readDistant(DISTANT_PACKETS);
  };
  const postpone = (work: () => void): void => {
    setImmediate(work);
  };

  return {
    open(
      spec: EndpointSpec,
      receive: (packet: ReceivedPacket) => void,
      failed: (errno: string) => void,
    ): Endpoint {
      const endpoint = new SocketEndpoint(spec, receive, failed, mark, postpone);
      endpoints.add(endpoint);
      samples ??= setInterval(sample, DISTANT_EVERY_MS).unref();
      return {
        send: (packet, destination) => endpoint.send(packet, destination),
        setVrids: (vrids) => endpoint.setVrids(vrids),
        setReceiveBuffer: (bytes) => endpoint.setReceiveBuffer(bytes),
        rejoin: () => endpoint.rejoin(),
        close: () => {
          endpoints.delete(endpoint);
          endpoint.close();
          if (endpoints.size > 0) return;
          clearInterval(samples);
          samples = undefined;
        },
      };
    },
    drain(): void {
      for (const endpoint of [...endpoints]) endpoint.read(PACKETS_PER_DRAIN);
    },
  };
}
