import type { IpAddress } from "../address.ts";
import type { Micros } from "../time.ts";

/** An advertisement that passed every check of the receive ladder. RFC 9568 §5.2. */
export interface Advertisement {
  /** 0: the sender resigns; 255: it owns the addresses. */
  readonly priority: number;
  readonly source: IpAddress;
  readonly maxAdvertiseInterval: Micros;
}
