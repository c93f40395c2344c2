import type { Instant } from "../core/time.ts";
import { seconds, since } from "../core/time.ts";

const SPAN = seconds(10);

/** So many of a crowd are told apart within the span. */
export const TOLD_APART = 8;

/** Crowds themselves are few: routers times kinds. The bound is for what an attacker may name. */
const REMEMBERED = 1_024;

interface Crowd {
  readonly at: Instant;
  members: number;
}

/**
 * Limits how many different things of a kind are told. Whoever sends may choose the address that it
 * sends from: telling each sender once is as much as telling every packet.
 */
export class Crowds {
  readonly #crowds = new Map<string, Crowd>();

  /** Whether one more of this kind is told; `last`: it is, and no more for a while. */
  admit(kind: string, now: Instant): "told" | "last" | "untold" {
    const known = this.#crowds.get(kind);
    const crowd =
      known !== undefined && since(known.at, now) < SPAN ? known : { at: now, members: 0 };
    crowd.members += 1;
    if (crowd !== known) this.#remember(kind, crowd);
    if (crowd.members > TOLD_APART) return "untold";
    return crowd.members === TOLD_APART ? "last" : "told";
  }

  #remember(kind: string, crowd: Crowd): void {
    this.#crowds.delete(kind);
    this.#crowds.set(kind, crowd);
    if (this.#crowds.size <= REMEMBERED) return;
    const [oldest] = this.#crowds.keys();
    if (oldest !== undefined) this.#crowds.delete(oldest);
  }
}
