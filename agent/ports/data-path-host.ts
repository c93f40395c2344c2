import type { IpAddress } from "../core/address.ts";

/** What decides whether answers that come from a virtual address reach this host's sockets. */
export interface DataPathHost {
  /** The interface by which it is reached now, `lo` for this host's own; `undefined`: none. */
  interfaceTo(address: IpAddress): Promise<string | undefined>;
  /** Interfaces of this host that have it now. */
  holders(address: IpAddress): readonly string[];
  /** `undefined`: the kernel has no such setting. */
  readSysctl(path: string): string | undefined;
  /** Answers the errno name when the kernel refuses. */
  writeSysctl(path: string, value: string): string | undefined;
  close(): void;
}
