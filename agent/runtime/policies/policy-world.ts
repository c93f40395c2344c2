import type { Sandbox } from "../../sandbox/sandbox.ts";
import type { Outlet } from "../director/part.ts";
import type { DirectorSettings } from "../ipc.ts";
import type { Schedule } from "../schedule.ts";
import type { BalanceSeats } from "./balance-seats.ts";
import type { Capabilities } from "./capabilities.ts";
import type { PolicyHostPorts, PolicyMemory } from "./ports.ts";
import type { Realms } from "./realms.ts";
import type { WorldView } from "./world-view.ts";

/** What all policies of a director share. */
export interface PolicyWorld {
  readonly ports: PolicyHostPorts;
  readonly outlet: Outlet;
  readonly schedule: Schedule;
  readonly capabilities: Capabilities;
  readonly memory: PolicyMemory;
  readonly view: WorldView;
  readonly realms: Realms;
  readonly seats: BalanceSeats;
  readonly settings: () => DirectorSettings;
  readonly sandbox: () => Promise<Sandbox>;
  /** The policies of the start have judged: routers go by what is told from now on. */
  readonly started: () => boolean;
  /** The first runs of checks are spread over this many microseconds. */
  readonly startSpan: () => number;
}
