import type { CommandConfig } from "../../config/trackers.ts";
import type { ProbeConfig } from "../../config/virtual-servers.ts";
import type { Telling } from "../../core/notify/tell.ts";
import type { Clock, OpenTimer } from "../../ports/clock.ts";
import type { DataPathHost } from "../../ports/data-path-host.ts";
import type { OpenIpvs } from "../../ports/ipvs.ts";
import type { ReadKernelSettings } from "../../ports/kernel-settings.ts";
import type { ProbeOf, RunProbe } from "../../ports/server-probes.ts";

/** Probes that look at something when it is their turn. */
export type TimedProbe = Exclude<
  ProbeConfig,
  { readonly kind: "file" | "bfd" | "policy" | "refused" }
>;

/** How each kind is carried out. */
export type ServerProbes = { readonly [Kind in TimedProbe["kind"]]: RunProbe<ProbeOf<Kind>> };

/** Probes, and how to be rid of their sockets. */
export interface OpenedProbes {
  /** Those that are missing are said to be so, and what needs them is down. */
  readonly probes: Partial<ServerProbes>;
  close(): void;
}

/** What load balancing needs of the world. */
export interface BalancingPorts {
  readonly clock: Clock;
  readonly openTimer: OpenTimer;
  /** Called when there is something to balance, or something left of an earlier run. */
  readonly openIpvs: OpenIpvs;
  /** Called when there is the first check. */
  readonly openProbes: () => OpenedProbes;
  /** Called when there is the first check by a data path. */
  readonly openDataPathHost: () => DataPathHost;
  readonly kernelSettings: ReadKernelSettings;
  /** Addresses that are on this host now, in canonical text; for ha_suspend. */
  readonly hostAddresses: () => ReadonlySet<string>;
  /** What keepalived would tell of this: scripts, lines of FIFOs, mail. Nobody waits for it. */
  readonly tell: (subject: string, tellings: readonly Telling<CommandConfig>[], at: number) => void;
}
