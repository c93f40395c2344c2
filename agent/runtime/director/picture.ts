import type { Claim, Reading, TrackerId } from "../../core/track/tracking.ts";
import type { TrackingMessage } from "../ipc.ts";
import { parts } from "../ipc.ts";

type Item =
  | { readonly kind: "reading"; readonly tracker: TrackerId; readonly reading?: Reading }
  | { readonly kind: "claim"; readonly claim: Claim }
  | { readonly kind: "withdrawn"; readonly router: string; readonly source: string };

/**
 * All that the director has found, and what of it the vrrp process has not heard yet. Changes of one
 * turn of the event loop travel together, the last one of each thing.
 */
export class Picture {
  readonly #send: (message: TrackingMessage) => void;
  readonly #readings = new Map<TrackerId, Reading>();
  readonly #claims = new Map<string, Claim>();
  readonly #changes = new Map<string, Item>();
  /** The whole picture was painted once, and somebody looks at it. */
  #painted = false;
  #wanted = false;
  #flushing = false;

  constructor(send: (message: TrackingMessage) => void) {
    this.#send = send;
  }

  reading(tracker: TrackerId, reading: Reading): void {
    this.#readings.set(tracker, reading);
    this.#change(tracker, { kind: "reading", tracker, reading });
  }

  forget(tracker: TrackerId): void {
    if (this.#readings.delete(tracker)) this.#change(tracker, { kind: "reading", tracker });
  }

  claim(claim: Claim): void {
    const key = claimKey(claim);
    this.#claims.set(key, claim);
    this.#change(key, { kind: "claim", claim });
  }

  withdraw(router: string, source: string): void {
    const key = claimKey({ router, source });
    if (!this.#claims.delete(key)) return;
    this.#change(key, { kind: "withdrawn", router, source });
  }

  /** Every part has said what it has to say. */
  painted(): void {
    this.#painted = true;
    if (this.#wanted) this.#sendAll();
  }

  /** Somebody looks who has seen nothing of it yet. */
  wanted(): void {
    this.#wanted = true;
    if (this.#painted) this.#sendAll();
  }

  #change(key: string, item: Item): void {
    if (!this.#painted || !this.#wanted) return;
    this.#changes.set(key, item);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      for (const items of parts([...this.#changes.values()])) this.#send(message("no", items));
      this.#changes.clear();
    });
  }

  #sendAll(): void {
    this.#changes.clear();
    const items: readonly Item[] = [
      ...[...this.#readings].map(
        ([tracker, reading]) => ({ kind: "reading", tracker, reading }) as const,
      ),
      ...[...this.#claims.values()].map((claim) => ({ kind: "claim", claim }) as const),
    ];
    for (const part of parts(items)) this.#send(message("part", part));
    this.#send(message("last", []));
  }
}

const claimKey = ({ router, source }: Pick<Claim, "router" | "source">): string =>
  `${router}\n${source}`;

const readingOf = ({
  tracker,
  reading,
}: Extract<Item, { readonly kind: "reading" }>): TrackingMessage["readings"][number] =>
  reading === undefined ? { tracker } : { tracker, reading };

function message(complete: TrackingMessage["complete"], items: readonly Item[]): TrackingMessage {
  return {
    kind: "tracking",
    complete,
    readings: items.flatMap((item) => (item.kind === "reading" ? [readingOf(item)] : [])),
    claims: items.flatMap((item) => (item.kind === "claim" ? [item.claim] : [])),
    withdrawn: items.flatMap((item) =>
      item.kind === "withdrawn" ? [{ router: item.router, source: item.source }] : [],
    ),
  };
}
