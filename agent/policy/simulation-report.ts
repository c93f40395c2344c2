import type { Happening, PolicyError, RouterMoment } from "../../sdk/testing.ts";

/** What a policy would have done over a scenario: `holdfast policy simulate --json`. */
export interface SimulationReport {
  readonly policy: string;
  readonly scenario: string;
  /** Milliseconds that were simulated. */
  readonly lasted: number;
  readonly routers: readonly { readonly name: string; readonly history: readonly RouterMoment[] }[];
  readonly timeline: readonly {
    /** Milliseconds since the start. */
    readonly after: number;
    /** `scenario`: what the scenario had happen. */
    readonly kind: Happening["kind"] | "scenario";
    readonly subject: string;
    readonly message: string;
  }[];
  readonly errors: readonly PolicyError[];
}
