import { checker } from "../../../agent/core/check/checker.ts";
import type { IpvsCommand } from "../../../agent/core/ipvs/reconcile.ts";
import type { ServiceEntry, ServiceTable } from "../../../agent/core/ipvs/service.ts";
import { virtualServer } from "../../../agent/core/virtual-server/virtual-server.ts";
import type { Kept } from "../../../agent/runtime/balancing/balancing-store.ts";
import { BalancingStore, NOTHING_KEPT } from "../../../agent/runtime/balancing/balancing-store.ts";
import { KernelTable } from "../../../agent/runtime/balancing/kernel-table.ts";
import { Served } from "../../../agent/runtime/balancing/served.ts";
import type { World } from "./world.ts";

/** The parts of a director where a mistake may be put in. */
export interface SimulatedServices {
  readonly step: typeof virtualServer.step;
  readonly check: typeof checker.step;
  /** What the kernel is to have of a virtual server. */
  readonly entries: (served: Served, honest: readonly ServiceEntry[]) => readonly ServiceEntry[];
  /** What the kernel is told to do. */
  readonly commands: (
    honest: readonly IpvsCommand[],
    table: ServiceTable,
  ) => readonly IpvsCommand[];
  /** What the director before has kept. */
  readonly load: (honest: Kept) => Kept;
  readonly audits: boolean;
}

export const production: SimulatedServices = {
  step: virtualServer.step,
  check: checker.step,
  entries: (_, honest) => honest,
  commands: (honest) => honest,
  load: (honest) => honest,
  audits: true,
};

/** Puts the parts of `machine` in the place of the director's own; answers how to undo it. */
export function install(machine: SimulatedServices, world: () => World): () => void {
  const { entries } = Served.prototype;
  const undo = [
    replace(virtualServer, "step", (config, state, event, now) => {
      const answer = machine.step(config, state, event, now);
      // Of a virtual server; the machine's own view of it has no name.
      if ("name" in config) world().stepped(String(config.name), answer.state, answer.effects);
      return answer;
    }),
    replace(checker, "step", machine.check),
    replace(Served.prototype, "entries", function (this: Served) {
      return machine.entries(this, entries.call(this));
    }),
    // What a disk does with it is a test's of its own.
    replace(BalancingStore.prototype, "load", () =>
      machine.load({ ...NOTHING_KEPT, ...(JSON.parse(world().kept) as Partial<Kept>) }),
    ),
    replace(BalancingStore.prototype, "save", (kept) => {
      world().keep(JSON.stringify(kept));
      return undefined;
    }),
  ];
  if (!machine.audits) {
    undo.push(replace(KernelTable.prototype, "audit", () => Promise.resolve(undefined)));
  }
  return () => {
    for (const one of undo.reverse()) one();
  };
}

function replace<Owner extends object, Name extends keyof Owner>(
  owner: Owner,
  name: Name,
  value: Owner[Name],
): () => void {
  const before = owner[name];
  Reflect.set(owner, name, value);
  return () => Reflect.set(owner, name, before);
}
