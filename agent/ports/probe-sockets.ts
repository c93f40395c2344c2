import type { ProbeEndpoint } from "../config/virtual-servers.ts";

export type { ProbeEndpoint } from "../config/virtual-servers.ts";

/** What is told of a connection. After `failed`, and after it was closed, nothing is told any more. */
export interface ConnectionListener {
  /** TCP: the other side has accepted it. UDP: at once. */
  connected(): void;
  /** The bytes are overwritten when this returns. */
  received(bytes: Uint8Array): void;
  /** The other side sends nothing more. */
  ended(): void;
  /** ECONNREFUSED, ECONNRESET, EHOSTUNREACH, …: it is closed. */
  failed(errno: string): void;
}

/** One connection to one server. Its owner closes it. */
export interface Connection {
  /**
   * A request of at most a few KiB, which a new connection has room for. Answers the errno of a
   * refusal, such as EAGAIN where the room is used up.
   */
  send(bytes: Uint8Array): string | undefined;
  close(): void;
  /** The bare descriptor of what is connected, which is the caller's own from now on. */
  release(): number;
}

export type Protocol = "tcp" | "udp";

/** Sockets with a source, an interface and a mark of their own, and cheap enough for thousands. */
export interface ProbeSockets {
  /** Answers the errno when nothing could be sent at all: EADDRNOTAVAIL, ENODEV, EPERM, …. */
  connect(
    protocol: Protocol,
    to: ProbeEndpoint,
    listener: ConnectionListener,
  ): Connection | { readonly errno: string };
  /** Closes what is left, telling nobody. */
  close(): void;
}
