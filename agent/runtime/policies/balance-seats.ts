/**
 * Who balances which service: of several policies the first in the alphabet, so that it is the same one
 * on each node and after each start.
 */
export class BalanceSeats {
  /** By service: those who want it, and whom to tell that somebody else came or went. */
  readonly #wanted = new Map<string, Map<string, () => void>>();

  holder(service: string): string | undefined {
    return [...(this.#wanted.get(service)?.keys() ?? [])].sort()[0];
  }

  /** `changed`: the holder is another one. */
  want(service: string, policy: string, changed: () => void): void {
    const wanted = this.#wanted.get(service) ?? new Map<string, () => void>();
    this.#wanted.set(service, wanted);
    const before = this.holder(service);
    wanted.set(policy, changed);
    if (before !== this.holder(service)) this.#tell(service, policy);
  }

  leave(service: string, policy: string): void {
    const wanted = this.#wanted.get(service);
    const before = this.holder(service);
    if (wanted?.delete(policy) !== true) return;
    if (wanted.size === 0) this.#wanted.delete(service);
    else if (before === policy) this.#tell(service, policy);
  }

  /** All but the one whose doing it is. */
  #tell(service: string, except: string): void {
    for (const [policy, changed] of [...(this.#wanted.get(service) ?? [])]) {
      if (policy !== except) changed();
    }
  }
}
