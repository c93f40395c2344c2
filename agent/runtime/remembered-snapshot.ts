import type { TransitionSnapshot } from "../core/vrrp/snapshot.ts";
import type { EventReport } from "./ipc.ts";
import type { NodeSnapshot } from "./vrrp-client.ts";

/** What the vrrp process said last, for the time when it says nothing. */
export class RememberedSnapshot {
  #snapshot: NodeSnapshot = {
    routers: [],
    groups: [],
    bfd: { sessions: [], dropped: {} },
  };
  /** Between two snapshots, transitions are what matters. */
  readonly #transitions = new Map<string, TransitionSnapshot>();

  get snapshot(): NodeSnapshot {
    const routers = this.#snapshot.routers.map((router) => {
      const lastTransition = this.#transitions.get(router.name);
      if (lastTransition === undefined) return router;
      const { to: state, faults } = lastTransition;
      return { ...router, state, faults, lastTransition };
    });
    return { ...this.#snapshot, routers };
  }

  replace(snapshot: NodeSnapshot): void {
    this.#snapshot = snapshot;
    this.#transitions.clear();
  }

  note({ kind, subject, detail, at }: EventReport): void {
    if (kind !== "transition") return;
    const { from, to, reason, faults } = detail as unknown as TransitionSnapshot;
    this.#transitions.set(subject, { from, to, reason, faults, at });
  }
}
