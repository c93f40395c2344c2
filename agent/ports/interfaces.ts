/** A network interface of the agent's namespace, as it is now. */
export interface InterfaceReading {
  /** Switched on by the administrator. */
  readonly up: boolean;
  /** The link carries. */
  readonly carrier: boolean;
  /** Bytes. */
  readonly mtu: number;
  /** Without prefix length; those of an interface that does not carry are not known. */
  readonly addresses: readonly string[];
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Packets that were received or sent with an error. */
  readonly errors: number;
}

/** `undefined`: there is no interface of this name. */
export type ReadInterface = (name: string) => InterfaceReading | undefined;
