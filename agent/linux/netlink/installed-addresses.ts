import type { IpAddress } from "../../core/address.ts";
import type { AddressRequest, RequestOutcome } from "../../ports/network.ts";
import type { Grants } from "./address-lifetimes.ts";
import { AddressLifetimes, isPrimary, sameSubnet } from "./address-lifetimes.ts";
import type { AddressRecord } from "./address-message.ts";
import {
  encodeAddressInstall,
  encodeAddressRefresh,
  encodeAddressRemoval,
  encodeRecordRemoval,
  keyOfRequest,
} from "./address-message.ts";
import { inBatch } from "./batch.ts";
import type { Answer, Channel } from "./channel.ts";
import type { HostView } from "./host-view.ts";
import { DONE, FOREIGN, outcomeOf, refused } from "./outcome.ts";
import { Promotion } from "./promotion.ts";

/** An address that an earlier run left, for a kernel that keeps no marks. */
export interface RememberedAddress {
  readonly interface: string;
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/** Who added an address: the kernel's IFA_PROTO says it, or only memory. */
export type AddressMarks =
  | { readonly by: "kernel"; readonly mark: number }
  | {
      readonly by: "memory";
      readonly mark: number;
      readonly remembered: readonly RememberedAddress[];
    };

const CARRIED_OUT: Answer = { errno: undefined, text: undefined };
/** The kernel may need half a millisecond for each, where there are many of IPv6. */
const REFRESHED_AT_ONCE = 32;
const GONE = ["EADDRNOTAVAIL", "ENODEV"];

/** Adds and removes addresses, and never touches one that somebody else added. */
export class InstalledAddresses {
  readonly #channel: Channel;
  readonly #view: HostView;
  readonly #refresh: () => Promise<unknown>;
  readonly #marks: AddressMarks;
  readonly #promotion = new Promotion();
  /** Keys of what this run added and nobody was asked to remove. */
  readonly #own = new Set<string>();
  /** Keys of what is being removed, however long that takes: nothing may bring it back. */
  readonly #leaving = new Set<string>();
  readonly #lifetimes: AddressLifetimes;
  readonly #refreshes = new WeakMap<AddressRequest, Uint8Array>();

  constructor(
    channel: Channel,
    view: HostView,
    refresh: () => Promise<unknown>,
    marks: AddressMarks,
  ) {
    this.#channel = channel;
    this.#view = view;
    this.#refresh = refresh;
    this.#marks = marks;
    this.#lifetimes = new AddressLifetimes(view);
  }

  isOurs(record: AddressRecord): boolean {
    if (this.#marks.by === "kernel") return record.protocol === this.#marks.mark;
    if (this.#own.has(record.key)) return true;
    const { address, prefixLength, interfaceIndex } = record.host;
    const name = this.#view.links.get(interfaceIndex)?.name;
    return this.#marks.remembered.some(
      (one) =>
        one.interface === name && one.address === address && one.prefixLength === prefixLength,
    );
  }

  async install(requests: readonly AddressRequest[]): Promise<readonly RequestOutcome[]> {
    const outcomes = await this.#installOnce(requests, false);
    // The view did not know it: look, and then either refresh ours or leave theirs alone.
    const surprised = requests.filter((_, at) => isExisting(outcomes[at]));
    if (surprised.length === 0) return outcomes;
    await this.#refresh();
    const again = await this.#installOnce(surprised, true);
    return requests.map((request, at) => again[surprised.indexOf(request)] ?? outcomes[at] ?? DONE);
  }

  /** A request for an address that is not there would add it: only what is shown as ours is refreshed. */
  async refresh(requests: readonly AddressRequest[]): Promise<readonly RequestOutcome[]> {
    if (this.#lifetimes.someMayHaveEnded(requests.map(keyOfRequest))) await this.#refresh();
    const grants = this.#lifetimes.batch();
    const outcomes: RequestOutcome[] = [];
    // Bit by bit: who gives an address up waits for no more than a few milliseconds.
    for (let at = 0; at < requests.length; at += REFRESHED_AT_ONCE) {
      const some = requests.slice(at, at + REFRESHED_AT_ONCE);
      outcomes.push(...(await this.#refreshSome(some, grants)));
    }
    return outcomes;
  }

  #refreshSome(
    requests: readonly AddressRequest[],
    grants: Grants,
  ): Promise<readonly RequestOutcome[]> {
    const words = (request: AddressRequest) => this.#words("refresh", "on", request);
    return inBatch(
      requests,
      (request) => {
        const shown = this.#shown(request);
        if (shown === undefined || this.#leaving.has(keyOfRequest(request))) {
          return refused("EADDRNOTAVAIL", words(request));
        }
        if (!shown.ours) return FOREIGN;
        return this.#refreshing(grants.grant(request, shown));
      },
      async (messages) => {
        const refusals = await this.#channel.carryOut(messages);
        return messages.map((_, at) => refusals.get(at) ?? CARRIED_OUT);
      },
      (request, answer) => grants.conclude(request, outcomeOf(answer, words(request), [])),
    );
  }

  /** Made once, as it is sent every second. */
  #refreshing(request: AddressRequest): Uint8Array {
    const made = this.#refreshes.get(request) ?? encodeAddressRefresh(request, this.#marks.mark);
    this.#refreshes.set(request, made);
    return made;
  }

  async remove(requests: readonly AddressRequest[]): Promise<readonly RequestOutcome[]> {
    const leaving = requests.map(keyOfRequest);
    for (const key of leaving) this.#leaving.add(key);
    try {
      return await this.#removeAll(requests);
    } finally {
      for (const key of leaving) this.#leaving.delete(key);
    }
  }

  async #removeAll(requests: readonly AddressRequest[]): Promise<readonly RequestOutcome[]> {
    // Memory and view disagree while announcements are on their way.
    const unsure = requests.some(
      (request) => this.#own.has(keyOfRequest(request)) !== (this.#shown(request)?.ours ?? true),
    );
    if (unsure) await this.#refresh();
    // Whoever was added first is primary in its subnet. Gone last, it makes no other move up.
    const order = requests.toReversed().toSorted((a, b) => this.#rank(a) - this.#rank(b));
    const outcomes = await this.#removeInOrder(order);
    const byRequest = new Map(order.map((request, at) => [request, outcomes[at]]));
    return requests.map((request) => byRequest.get(request) ?? DONE);
  }

  #removeInOrder(requests: readonly AddressRequest[]): Promise<readonly RequestOutcome[]> {
    return inBatch(
      requests,
      (request) => {
        const shown = this.#shown(request);
        if (shown?.ours === false) return FOREIGN;
        const known = shown !== undefined || this.#own.has(keyOfRequest(request));
        return known ? encodeAddressRemoval(request) : DONE;
      },
      (messages) =>
        this.#promotion.during(this.#endangered(requests.map(keyOfRequest)), () =>
          this.#channel.request(messages),
        ),
      (request, answer) => {
        const outcome = outcomeOf(answer, this.#words("remove", "from", request), GONE);
        if (!outcome.ok) return outcome;
        this.#own.delete(keyOfRequest(request));
        this.#lifetimes.forget(keyOfRequest(request));
        return outcome;
      },
    );
  }

  /** Removes whatever carries our mark; answers how many went, and whether others may be left. */
  async removeLeftovers(): Promise<{ readonly removed: number; readonly left: boolean }> {
    await this.#refresh();
    const records = this.#view
      .allAddresses()
      .flatMap(({ record, host }) => (host.ours ? [record] : []));
    const answers = await this.#promotion.during(
      this.#endangered(records.map(({ key }) => key)),
      () => this.#channel.request(records.map(encodeRecordRemoval)),
    );
    this.#own.clear();
    const kept = answers.some(({ errno }) => errno !== undefined && !GONE.includes(errno));
    return {
      removed: answers.filter(({ errno }) => errno === undefined).length,
      left: kept || this.#marks.by === "memory",
    };
  }

  #installOnce(
    requests: readonly AddressRequest[],
    looked: boolean,
  ): Promise<readonly RequestOutcome[]> {
    const grants = this.#lifetimes.batch();
    return inBatch(
      requests,
      (request) => {
        const shown = this.#shown(request);
        // What was removed just now may be shown still.
        const known = this.#own.has(keyOfRequest(request)) ? shown : undefined;
        // Before the kernel tells of it: on a kernel without marks this is what makes it ours.
        if (shown === undefined) this.#own.add(keyOfRequest(request));
        // What is not known to be ours is never refreshed: that would make it ours.
        const mode = shown?.ours ? "refresh" : "new";
        return encodeAddressInstall(grants.grant(request, known), mode, this.#marks.mark);
      },
      (messages) => this.#channel.request(messages),
      (request, answer) => grants.conclude(request, this.#installed(request, answer, looked)),
    );
  }

  #installed(request: AddressRequest, answer: Answer, looked: boolean): RequestOutcome {
    const known = looked || this.#shown(request)?.ours === false;
    if (answer.errno === undefined) this.#own.add(keyOfRequest(request));
    else this.#own.delete(keyOfRequest(request));
    if (answer.errno === "EEXIST" && known) return FOREIGN;
    return outcomeOf(answer, this.#words("add", "to", request), []);
  }

  /** Interfaces where the loss of one of these may take along an address that is to stay. */
  #endangered(keys: readonly string[]): ReadonlySet<string> {
    const leaving = new Set(keys);
    const shown = this.#view.allAddresses();
    const losing = shown
      .filter(({ record, host }) => leaving.has(record.key) && isPrimary(host))
      .map(({ host }) => host);
    const names = shown
      .filter(({ record, host }) => host.secondary && !leaving.has(record.key))
      .filter(({ host }) => losing.some((primary) => sameSubnet(primary, host)))
      .map(({ host }) => this.#view.links.get(host.interfaceIndex)?.name);
    return new Set(names.filter((name) => name !== undefined));
  }

  #rank(request: AddressRequest): number {
    return this.#shown(request)?.secondary === false ? 1 : 0;
  }

  #shown(request: AddressRequest) {
    return this.#view.address(request.interfaceIndex, keyOfRequest(request));
  }

  #words(verb: string, preposition: string, { address, interfaceIndex }: AddressRequest): string {
    const name = this.#view.links.get(interfaceIndex)?.name ?? `interface ${interfaceIndex}`;
    return `${verb} ${address.address}/${address.prefixLength} ${preposition} ${name}`;
  }
}

const isExisting = (outcome: RequestOutcome | undefined): boolean =>
  outcome?.ok === false && outcome.errno === "EEXIST";
