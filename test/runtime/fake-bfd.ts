import type { IpAddress } from "../../agent/core/address.ts";
import type { BfdDatagram, BfdListenSpec, BfdSockets } from "../../agent/ports/bfd.ts";
import { KernelError } from "../../agent/ports/error.ts";

interface Listener {
  readonly host: string;
  readonly address: string;
  readonly spec: BfdListenSpec;
  readonly receive: (datagram: BfdDatagram) => void;
}

/** The segment for BFD: what is sent to an address arrives there at once. */
export class FakeBfdLan {
  readonly sent: { readonly from: string; readonly bytes: Uint8Array }[] = [];
  /** Hosts that are cut off. */
  readonly cut = new Set<string>();
  /** Hosts of which another program has the port. */
  readonly taken = new Set<string>();
  readonly #listeners = new Set<Listener>();
  #drawn = 0;

  /** `own`: the host's address with its prefix length. */
  sockets(host: string, own = ""): BfdSockets {
    const address = own.split("/")[0] ?? "";
    return {
      listen: (spec, receive) => {
        if (this.taken.has(host)) {
          throw new KernelError("bfd-port-refused", "the port is taken", "stop the other one");
        }
        const listener = { host, address, spec, receive };
        this.#listeners.add(listener);
        return { close: () => this.#listeners.delete(listener) };
      },
      openSender: ({ hops, ttl, source }) => ({
        send: (bytes, destination) => {
          if (this.cut.has(host)) return "ENETDOWN";
          this.sent.push({ from: host, bytes });
          this.#carry(bytes, source ?? address, destination, hops, ttl);
          return undefined;
        },
        close: () => undefined,
      }),
      drain: () => undefined,
      random: () => {
        this.#drawn += 1;
        return this.#drawn;
      },
    };
  }

  #carry(
    bytes: Uint8Array,
    source: string,
    destination: IpAddress,
    hops: BfdListenSpec["hops"],
    ttl: number,
  ): void {
    for (const { host, address, spec, receive } of [...this.#listeners]) {
      if (address !== destination || spec.hops !== hops || this.cut.has(host)) continue;
      const datagram = { source: source as IpAddress, destination, ttl, hops, bytes };
      // In a later turn, as from a socket: never within the sender's step.
      queueMicrotask(() => receive({ ...datagram, interfaceIndex: 2 }));
    }
  }
}
