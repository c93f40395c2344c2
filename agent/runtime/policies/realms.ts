import type {
  RealmCall,
  RealmEffect,
  RealmId,
  SandboxFailure,
  SandboxListener,
} from "../../sandbox/sandbox.ts";

/** Who owns a realm, and hears what happens in it. */
export interface RealmOwner {
  call(call: RealmCall): void;
  effect(effect: RealmEffect): void;
  struck(failure: SandboxFailure): void;
  recovered(): void;
}

/** Leads what the sandbox says to the policy that it is about. Of a realm that is gone, nobody hears. */
export class Realms implements SandboxListener {
  readonly #owners = new Map<RealmId, RealmOwner>();

  get size(): number {
    return this.#owners.size;
  }

  add(realm: RealmId, owner: RealmOwner): void {
    this.#owners.set(realm, owner);
  }

  remove(realm: RealmId): void {
    this.#owners.delete(realm);
  }

  call(call: RealmCall): void {
    this.#owners.get(call.realm)?.call(call);
  }

  effect(effect: RealmEffect): void {
    this.#owners.get(effect.realm)?.effect(effect);
  }

  struck(realm: RealmId, failure: SandboxFailure): void {
    this.#owners.get(realm)?.struck(failure);
  }

  recovered(realm: RealmId): void {
    this.#owners.get(realm)?.recovered();
  }
}
