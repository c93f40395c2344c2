import { RELEASE_PRIORITY } from "../core/vrrp/virtual-router.ts";
import type { EndpointSpec } from "../ports/advertisement-sockets.ts";
import type { Clock } from "../ports/clock.ts";
import type { ReadyPacket } from "../ports/last-will.ts";
import type { SequenceState } from "../wire/authentication.ts";
import type { Hmac } from "../wire/hmac.ts";
import type { PacketTemplate } from "../wire/outgoing-packet.ts";
import { encodePacket } from "../wire/outgoing-packet.ts";
import type { Router } from "./router.ts";

/**
 * AH: numbers that a will is ahead of the last packet. Peers drop what is not beyond what they heard, so
 * it is written anew before half of them are used up.
 */
const AH_GAP = 1_000;

/** auth_hmac: the part of its head start for which a will counts, as advertisements may be late. */
const SAFE = 15 / 16;

/** What a router's packets are not to fall behind, in this process or the next. */
export type Reserved = Pick<SequenceState, "ah" | "hmacSent">;

/** By name of the router. */
export type ReservedEntry = readonly [name: string, reserved: Reserved];

/** What is to be sent for a router when this process dies; without packets: nothing any more. */
export interface WillEntry {
  /** Tells two routers of one name apart. */
  readonly id: string;
  readonly name: string;
  readonly packets: readonly ReadyPacket[];
  /** Where packets carry numbers. */
  readonly reserved?: Reserved;
}

/** Where wills are kept. */
export interface Notary {
  keep(entries: readonly WillEntry[]): void;
  /** What an earlier process had reserved for the router of this name. */
  reserved(name: string): Reserved | undefined;
}

export const NO_NOTARY: Notary = { keep: () => undefined, reserved: () => undefined };

/** A will as it was kept, and until when it is good. */
interface Will {
  readonly templates: readonly PacketTemplate[];
  readonly spec: EndpointSpec;
  /** Not to be reached by the router's own packets. */
  readonly lastAh: number;
  /** Wall-clock milliseconds. */
  readonly untilMs: number;
}

/**
 * Keeps with the supervisor what each active router would send last. Nothing is said while nothing
 * changes: it costs an advertisement a few comparisons.
 */
export class Wills {
  readonly #clock: Clock;
  readonly #hmac: Hmac;
  readonly #notary: Notary;
  readonly #wills = new Map<Router, Will>();
  readonly #known = new WeakSet<Router>();
  #changed: WillEntry[] = [];

  constructor(clock: Clock, hmac: Hmac, notary: Notary) {
    this.#clock = clock;
    this.#hmac = hmac;
    this.#notary = notary;
  }

  /** Before a packet of this router is numbered: it goes on behind what was reserved for it. */
  sending(router: Router): void {
    if (this.#known.has(router)) return;
    this.#known.add(router);
    const reserved = this.#notary.reserved(router.name);
    if (reserved === undefined) return;
    const { sequences } = router;
    const ah = Math.max(sequences.ah, reserved.ah);
    router.sequences = { ...sequences, ah, hmacSent: sequences.hmacSent ?? reserved.hmacSent };
  }

  /** After an advertisement of an active router. */
  sent(router: Router, templates: readonly PacketTemplate[], spec: EndpointSpec): void {
    const will = this.#wills.get(router);
    const good =
      will?.templates === templates &&
      will.spec === spec &&
      will.lastAh > router.sequences.ah &&
      (will.untilMs === Number.POSITIVE_INFINITY || will.untilMs > this.#clock.wallClock());
    if (!good) this.#write(router, templates, spec);
  }

  /** It is not active any more: its peers wait for nothing. */
  drop(router: Router): void {
    if (this.#wills.delete(router)) this.#tell({ id: router.id, name: router.name, packets: [] });
  }

  #write(router: Router, templates: readonly PacketTemplate[], spec: EndpointSpec): void {
    const { credentials } = router;
    const ahead = headStart(router);
    const { ah } = router.sequences;
    let sequences: SequenceState = { ...router.sequences, ah: ah + AH_GAP };
    const now = this.#clock.wallClock();
    const packets = templates.map((template) => {
      const encoded = encodePacket(template, RELEASE_PRIORITY, sequences, now + ahead, this.#hmac);
      ({ sequences } = encoded);
      const packet = Buffer.from(encoded.packet).toString("base64");
      return { spec, destination: template.settings.destination, packet };
    });
    const numbered = credentials.kind === "ah" || credentials.kind === "hmac";
    this.#wills.set(router, {
      templates,
      spec,
      lastAh: credentials.kind === "ah" ? ah + AH_GAP / 2 : Number.POSITIVE_INFINITY,
      untilMs: ahead > 0 ? now + ahead * SAFE - intervalMs(router) : Number.POSITIVE_INFINITY,
    });
    const reserved = numbered ? { ah: sequences.ah, hmacSent: sequences.hmacSent } : undefined;
    const { id, name } = router;
    this.#tell({ id, name, packets, ...(reserved === undefined ? {} : { reserved }) });
  }

  /** What comes in one turn travels together. */
  #tell(entry: WillEntry): void {
    if (this.#changed.length === 0) queueMicrotask(() => this.#keep());
    this.#changed.push(entry);
  }

  #keep(): void {
    const changed = this.#changed;
    this.#changed = [];
    this.#notary.keep(changed);
  }
}

/**
 * auth_hmac: how far a will is dated ahead, in milliseconds. A receiver takes what is after the last
 * packet that it heard and at most a window from its own clock: half of it is left for that clock.
 */
function headStart({ credentials }: Router): number {
  if (credentials.kind !== "hmac" || credentials.mode === "receive-only") return 0;
  return Math.floor((credentials.timeWindow * 1_000) / 2);
}

const intervalMs = ({ effective }: Router): number => effective.advertisementInterval / 1_000;
