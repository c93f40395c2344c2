import type { ProbeConfig, ServerCheckConfig } from "../../config/virtual-servers.ts";
import { seedOf } from "../../core/check/spread.ts";
import type { Micros } from "../../core/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RunProbe } from "../../ports/server-probes.ts";
import type { Outlet } from "../director/part.ts";
import type { Schedule } from "../schedule.ts";
import type { DataPaths, OpenDataPath } from "./data-paths.ts";
import { bfdLook, fileLook, policyLook, refusedLook } from "./followed-look.ts";
import type { Look, LookListener } from "./look.ts";
import { lookKey } from "./look.ts";
import type { OpenedProbes, ServerProbes, TimedProbe } from "./ports.ts";
import type { RunLook } from "./timed-look.ts";
import { TimedLook } from "./timed-look.ts";

export interface LooksWorld {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly openProbes: () => OpenedProbes;
  readonly dataPaths: Pick<DataPaths, "open">;
  readonly outlet: Pick<Outlet, "onPolicyVerdict" | "onReading" | "log">;
}

/** Somebody's part in a look, until it is closed. */
export interface Attachment {
  readonly look: Look;
  readonly kind: ProbeConfig["kind"];
  suspend(suspended: boolean): void;
  close(): void;
}

/** All checks of real servers. Equal ones are one, whoever wants them. */
export class Looks {
  readonly #world: LooksWorld;
  readonly #looks = new Map<string, Look>();
  /** Of those looks that go through one. */
  readonly #paths = new Map<string, OpenDataPath>();
  #opened: OpenedProbes | undefined;
  /** Two directors of one configuration are not to look at the same moment. */
  node = "";

  constructor(world: LooksWorld) {
    this.#world = world;
  }

  get size(): number {
    return this.#looks.size;
  }

  /** `name`: whom it is for, in messages. */
  attach({ probe, timing }: ServerCheckConfig, name: string, listener: LookListener): Attachment {
    const key = lookKey(probe, timing);
    const look = this.#looks.get(key) ?? this.#open(probe, timing, key, name);
    this.#looks.set(key, look);
    look.attach(listener);
    let awake = true;
    return {
      look,
      kind: probe.kind,
      suspend: (suspended) => {
        if (awake !== suspended) return;
        awake = !suspended;
        look.wake(awake);
      },
      close: () => {
        if (!look.detach(listener, awake)) return;
        look.close();
        this.#looks.delete(key);
        this.#paths.get(key)?.close();
        this.#paths.delete(key);
      },
    };
  }

  close(): void {
    this.#opened?.close();
    this.#opened = undefined;
  }

  #probes(): Partial<ServerProbes> {
    this.#opened ??= this.#world.openProbes();
    return this.#opened.probes;
  }

  #open(probe: ProbeConfig, timing: ServerCheckConfig["timing"], key: string, name: string): Look {
    const { outlet } = this.#world;
    switch (probe.kind) {
      case "refused":
        return refusedLook(probe.reason);
      case "file":
        return fileLook(probe, outlet);
      case "policy":
        return policyLook(probe, outlet);
      case "bfd":
        return bfdLook(probe, outlet);
      default: {
        const run = this.#runOf(probe, timing.timeout, key);
        if (run === undefined) return refusedLook(`this agent has no probe of kind ${probe.kind}`);
        const say = (text: string): void => outlet.log("warn", `${name}: ${probe.kind} ${text}`);
        const world = {
          ...this.#world,
          failed: (reason: string) => say(`check failed: ${reason}`),
          warn: (warning: string) => say(`check: ${warning}`),
        };
        return new TimedLook(world, timing, run, seedOf(`${this.node} ${key}`));
      }
    }
  }

  #runOf(probe: TimedProbe, timeout: Micros, key: string): RunLook | undefined {
    // The kind of the one is the kind of the other.
    const run = this.#probes()[probe.kind] as RunProbe<TimedProbe> | undefined;
    if (run === undefined) return undefined;
    if (!("to" in probe) || probe.to.dataPath === undefined) {
      return (signal) => run(probe, signal, timeout);
    }
    const path = this.#world.dataPaths.open(probe.to, probe.to.dataPath);
    this.#paths.set(key, path);
    const marked = { ...probe, to: path.to };
    return async (signal) => ((await path.isUsable()) ? run(marked, signal, timeout) : undefined);
  }
}
