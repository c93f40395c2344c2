import type { EndpointSpec } from "../ports/advertisement-sockets.ts";
import { DROP_ALL } from "../wire/bpf.ts";
import { lastErrno, libc } from "./libc.ts";
import type { Message } from "./message.ts";
import { receiveMessage } from "./message.ts";
import { attachFilter, distantFilterFor } from "./packet-filter.ts";
import { rawSocketRefused } from "./send-socket.ts";
import * as option from "./socket-option.ts";

/** Room for about twenty advertisements: what comes beyond them is dropped by the kernel. */
const RECEIVE_BUFFER = 8_192;

/**
 * A sample of the multicast packets that the endpoint's own filter drops because they crossed a
 * router, so that counters and log can tell of them. Nobody polls it: it is read now and then, and a
 * flood of such packets ends in its small buffer.
 */
export class DistantSocket {
  readonly #spec: EndpointSpec;
  readonly #fd: number;

  /** Throws a KernelError when the socket cannot be had. */
  constructor(spec: EndpointSpec) {
    this.#spec = spec;
    const domain = spec.family === "ipv4" ? option.AF_INET : option.AF_INET6;
    const type = option.SOCK_RAW | option.SOCK_NONBLOCK_CLOEXEC;
    this.#fd = libc().socket(domain, type, spec.protocol);
    if (this.#fd < 0) throw rawSocketRefused(lastErrno());
    try {
      attachFilter(this.#fd, DROP_ALL);
      while (receiveMessage(this.#fd, spec.family) !== undefined);
      option.setOption(this.#fd, option.SO_RCVBUF, RECEIVE_BUFFER);
      if (spec.interfaceIndex !== undefined) {
        option.setOption(this.#fd, option.SO_BINDTOIFINDEX, spec.interfaceIndex);
      }
      if (spec.family === "ipv6") {
        option.setOption(this.#fd, option.IPV6_RECVPKTINFO, 1);
        option.setOption(this.#fd, option.IPV6_RECVHOPLIMIT, 1);
      }
      // Not joined: the endpoint's own socket is, and without membership a socket hears all groups.
      this.setVrids(undefined);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  setVrids(vrids: ReadonlySet<number> | undefined): void {
    attachFilter(this.#fd, distantFilterFor(this.#spec, vrids));
  }

  /** One packet that crossed a router; `undefined` when none waits. */
  next(): Message | undefined {
    const message = receiveMessage(this.#fd, this.#spec.family);
    if (message === undefined || typeof message === "string") return undefined;
    return message.ttl === undefined || message.ttl === 255 ? undefined : message;
  }

  close(): void {
    libc().close(this.#fd);
  }
}
