import type { Fault } from "../vrrp/fault.ts";

/** One line of track_interface. */
export interface InterfaceTracker {
  readonly interface: string;
  /** −254–254. 0: the wrong condition is a fault; else a change of the priority. */
  readonly weight: number;
  /** Turns a fault's condition round, or the sign of the change. */
  readonly reverse: boolean;
}

/** One named part of an effective priority, as it is now. */
export interface Contribution {
  readonly source: string;
  readonly weight: number;
}

export interface InterfaceTracking {
  readonly faults: readonly Fault[];
  readonly contributions: readonly Contribution[];
}

/**
 * What tracked interfaces do to a router. As in keepalived: without a weight the interface must be up
 * (`reverse`: down). A positive weight counts while it is up, a negative one while it is down, and
 * `reverse` turns the sign.
 *
 * @param isUp whether an interface is there, up and carrying
 * @param weighted `false`: only faults count; so in sync groups without weighted tracking
 */
export function trackInterfaces(
  trackers: readonly InterfaceTracker[],
  isUp: (name: string) => boolean,
  weighted: boolean,
): InterfaceTracking {
  const faults: Fault[] = [];
  const contributions: Contribution[] = [];
  for (const { interface: name, weight, reverse } of trackers) {
    const up = isUp(name);
    if (weight === 0) {
      if (up === reverse) faults.push({ cause: "tracked-interface-down", subject: name });
    } else if (weighted) {
      const counts = weight > 0 === up;
      const signed = reverse ? -weight : weight;
      contributions.push({ source: `track_interface ${name}`, weight: counts ? signed : 0 });
    }
  }
  return { faults, contributions };
}
