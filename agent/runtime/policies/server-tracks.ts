import type { Verdict } from "../../core/check/checker.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import type { ServerTrack } from "../../core/policy/server-track.ts";
import { trackClaim } from "../../core/policy/server-track.ts";
import type { ServerClaim } from "../../core/virtual-server/pool.ts";
import type { ServicePorts } from "./ports.ts";

const NONE: ReadonlySet<string> = new Set();

/** What one check of a policy does to real servers. */
export class ServerTracks {
  readonly #services: ServicePorts | undefined;
  readonly #source: string;
  readonly #claims = new Map<string, ServerClaim>();

  constructor(services: ServicePorts | undefined, source: string) {
    this.#services = services;
    this.#source = source;
  }

  /** `weight`: what the last good answer said. */
  tell(
    tracks: ReadonlyMap<string, ServerTrack>,
    standing: Verdict,
    reason: string,
    weight: number | undefined,
  ): void {
    for (const server of this.#claims.keys()) {
      if (!tracks.has(server)) this.#claim(server, undefined);
    }
    for (const [server, track] of tracks) {
      this.#claim(server, trackClaim(track, standing, reason, weight));
    }
  }

  clear(): void {
    for (const server of [...this.#claims.keys()]) this.#claim(server, undefined);
  }

  #claim(server: string, claim: ServerClaim | undefined): void {
    if (plainEqual(claim, this.#claims.get(server), NONE)) return;
    if (claim === undefined) this.#claims.delete(server);
    else this.#claims.set(server, claim);
    this.#services?.claim(server, this.#source, claim);
  }
}
