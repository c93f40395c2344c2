import type { DataPath, ProbeEndpoint } from "../../config/virtual-servers.ts";
import type { Family } from "../../core/address.ts";
import { familyOf } from "../../core/address.ts";
import type { ServiceEntry, ServiceKey } from "../../core/ipvs/service.ts";
import { serviceKey } from "../../core/ipvs/service.ts";
import type { AnswerWaysWorld } from "./answer-ways.ts";
import { AnswerWays } from "./answer-ways.ts";
import { DataPathMarks, dataPathKey } from "./data-path-marks.ts";
import type { KernelTable } from "./kernel-table.ts";

/** What somebody looks through, until it is closed. */
export interface OpenDataPath {
  /** The same endpoint with the mark that leads to its real server. */
  readonly to: ProbeEndpoint;
  /**
   * Whether what is sent now goes that way, and its answer comes back. Else a look would speak of this host,
   * or of another server, and not of this one.
   */
  isUsable(): Promise<boolean>;
  close(): void;
}

type Table = Pick<KernelTable, "want" | "drop" | "actual" | "settled">;

interface Path {
  readonly entry: ServiceEntry;
  readonly fwmark: number;
  users: number;
}

/**
 * The ways on which checks go as clients' packets do. A look marks what it sends; for each mark the kernel
 * has a service with one real server, which takes what this host itself sends, too: the rest is as it is for
 * clients. The services are there as long as somebody looks.
 */
export class DataPaths {
  readonly #table: Table;
  readonly #answers: AnswerWays;
  readonly #marks = new DataPathMarks();
  readonly #paths = new Map<string, Path>();

  constructor(table: Table, world: AnswerWaysWorld) {
    this.#table = table;
    this.#answers = new AnswerWays(world);
  }

  /** Interfaces of which a setting is to be put back. */
  get localSources(): readonly string[] {
    return this.#answers.changed;
  }

  /** What an earlier director has changed there. */
  adopt(localSources: readonly string[]): void {
    this.#answers.adopt(localSources);
  }

  /** `leave`: settings stay as they are, for whoever comes after. */
  close(leave: boolean): void {
    this.#answers.close(leave);
  }

  open(to: ProbeEndpoint, dataPath: DataPath): OpenDataPath {
    const key = dataPathKey(dataPath);
    const path = this.#paths.get(key) ?? this.#lay(key, dataPath);
    path.users += 1;
    const way = { from: to.address, server: dataPath.server };
    this.#answers.need(way);
    const service = serviceKey(path.entry.service.target);
    return {
      to: { ...to, fwmark: path.fwmark },
      isUsable: async () => (await this.#isLaid(service)) && !(await this.#answers.areLost(way)),
      close: () => {
        this.#answers.release(way);
        path.users -= 1;
        if (path.users > 0) return;
        this.#paths.delete(key);
        this.#marks.giveBack(key);
        this.#table.drop([service]);
      },
    };
  }

  #lay(key: string, dataPath: DataPath): Path {
    const fwmark = this.#marks.take(key);
    // Only what is of one family comes back, so that of the real server is that of the virtual address.
    const entry = serviceTo(dataPath, fwmark, familyOf(dataPath.server));
    const path = { entry, fwmark, users: 0 };
    this.#paths.set(key, path);
    this.#table.want([entry]);
    return path;
  }

  async #isLaid(service: ServiceKey): Promise<boolean> {
    if (!this.#isThere(service)) await this.#table.settled();
    return this.#isThere(service);
  }

  #isThere(service: ServiceKey): boolean {
    return this.#table.actual(service)?.destinations.length === 1;
  }
}

const serviceTo = (
  { server, forwarding }: DataPath,
  fwmark: number,
  family: Family,
): ServiceEntry => ({
  service: {
    target: { kind: "fwmark", fwmark, family },
    scheduler: "rr",
    schedulerFlags: [false, false, false],
    onePacket: false,
    persistence: undefined,
  },
  // Port 0: that to which a packet comes.
  destinations: [
    { address: server, port: 0, forwarding, weight: 1, upperThreshold: 0, lowerThreshold: 0 },
  ],
});
