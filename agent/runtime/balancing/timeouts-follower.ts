import type { IpvsTimeouts } from "../../core/ipvs/connections.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import type { KernelTable } from "./kernel-table.ts";

/** As the kernel has them. */
const NO_TIMEOUTS: IpvsTimeouts = { tcp: 0, tcpFin: 0, udp: 0 };

const SUBJECT = "lvs_timeouts";
const NOTHING: ReadonlySet<string> = new Set();

/** lvs_timeouts. */
export class TimeoutsFollower {
  readonly #table: Pick<KernelTable, "ipvs" | "trouble">;
  #wanted = NO_TIMEOUTS;
  /** What the kernel was told. */
  #said = NO_TIMEOUTS;

  constructor(table: Pick<KernelTable, "ipvs" | "trouble">) {
    this.#table = table;
  }

  configure(timeouts: IpvsTimeouts): void {
    this.#wanted = timeouts;
    this.#apply();
  }

  /** ip_vs can be had, for the first time or again. */
  opened(): void {
    this.#said = NO_TIMEOUTS;
    this.#apply();
  }

  #apply(): void {
    const { ipvs } = this.#table;
    if (ipvs === undefined || plainEqual(this.#wanted, this.#said, NOTHING)) return;
    this.#said = this.#wanted;
    void ipvs.setTimeouts(this.#wanted).then((error) => this.#table.trouble(SUBJECT, error));
  }
}
