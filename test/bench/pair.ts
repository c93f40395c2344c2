import { setTimeout as delay } from "node:timers/promises";
import type { LabInterface } from "../../agent/linux/lab/lab-interface.ts";
import { Lab } from "../../agent/linux/lab.ts";
import type { Frame } from "../lab/capture.ts";
import { Capture } from "../lab/capture.ts";
import type { SeenAdvertisement } from "../lab/vrrp-frames.ts";
import { advertisements } from "../lab/vrrp-frames.ts";
import type { Package, ProgramName } from "./program.ts";
import { Daemon } from "./program.ts";

export const ACTIVE = "192.0.2.1";
export const BACKUP = "192.0.2.2";

export interface PairConfigs {
  readonly active: string;
  readonly backup: string;
  /** What the active node runs; the program under test where it is left out. */
  readonly activeProgram?: ProgramName;
  /** Further words for Holdfast there. */
  readonly activeOptions?: readonly string[];
}

/** Two nodes on a switch that run one program, and what a third one hears. */
export class Pair {
  readonly program: ProgramName;
  readonly active: Daemon;
  readonly backup: Daemon;
  readonly capture: Capture;
  /** The active node's. */
  readonly cable: LabInterface;
  readonly #lab: Lab;

  private constructor(
    program: ProgramName,
    lab: Lab,
    cable: LabInterface,
    capture: Capture,
    active: Daemon,
    backup: Daemon,
  ) {
    this.program = program;
    this.#lab = lab;
    this.cable = cable;
    this.capture = capture;
    this.active = active;
    this.backup = backup;
  }

  /** `filter` is tcpdump's. */
  static async create(
    program: ProgramName,
    from: Package,
    configs: PairConfigs,
    filter: string,
  ): Promise<Pair> {
    const lab = new Lab();
    const lan = lab.segment("lan");
    const attach = (name: string, address: string): LabInterface =>
      lab.attach(lab.node(name), lan, { name: "eth0", addresses: [`${address}/16`] });
    const observer = attach("observer", "192.0.2.250");
    const cable = attach("active", ACTIVE);
    const backup = attach("backup", BACKUP);
    const capture = await Capture.start(observer.node, "eth0", filter);
    return new Pair(
      program,
      lab,
      cable,
      capture,
      new Daemon(
        configs.activeProgram ?? program,
        from,
        cable.node,
        configs.active,
        configs.activeOptions,
      ),
      new Daemon(program, from, backup.node, configs.backup),
    );
  }

  /** Whether this node was the last to advertise each of these. */
  isSpeaker(source: string, vrids: readonly number[]): boolean {
    const last = new Map<number, string>();
    for (const { vrid, source: by } of this.#recent()) last.set(vrid, by);
    return vrids.every((vrid) => last.get(vrid) === source);
  }

  /** All that was heard since `at`, in seconds since 1970. */
  heardSince(at: number): readonly SeenAdvertisement[] {
    return advertisements(this.framesSince(at));
  }

  framesSince(at: number): readonly Frame[] {
    const { frames } = this.capture;
    const before = frames.findLastIndex((frame) => frame.at < at);
    return frames.slice(before + 1);
  }

  async until(met: () => boolean, limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (!met()) {
      if (performance.now() > deadline) {
        throw new Error(
          `not reached in ${limitMs} ms; the logs' ends:\n${this.active.log.slice(-1_000)}\n${this.backup.log.slice(-1_000)}`,
        );
      }
      await delay(50);
    }
  }

  dispose(): void {
    this.active.dispose();
    this.backup.dispose();
    this.#lab.dispose();
  }

  /** Enough to hold one advertisement of each. */
  #recent(): readonly SeenAdvertisement[] {
    return advertisements(this.capture.frames.slice(-2_000));
  }
}
