import type { AddressConfig, InstanceConfig } from "../config/config.ts";
import { familyOf } from "../core/address.ts";
import { after } from "../core/time.ts";
import type { Announcement } from "../core/vrrp/announcement-pace.ts";
import type { AddressSnapshot } from "../core/vrrp/snapshot.ts";
import type { Clock } from "../ports/clock.ts";
import type { GatedAddress } from "../ports/gate.ts";
import type { Network } from "../ports/network.ts";
import { refusesPackets } from "./acceptance.ts";
import type { Announcer } from "./announcer.ts";
import { foreignInterfaces } from "./assess.ts";
import { lifetimeOfInstance } from "./fencing/lifetimes.ts";
import type { Holding } from "./holding.ts";
import { configuredKey } from "./holding.ts";
import type { Holdings } from "./holdings.ts";
import type { Router } from "./router.ts";
import type { Schedule, Slot } from "./schedule.ts";

/** What active routers hold on the host, and what they announce about it. */
export class Possessions {
  readonly #network: Network;
  readonly #holdings: Holdings;
  readonly #announcer: Announcer;
  readonly #schedule: Schedule;
  readonly #clock: Clock;
  readonly #extra = new Map<Router, Slot>();
  readonly #places = new Map<Router, string>();

  constructor(
    network: Network,
    holdings: Holdings,
    announcer: Announcer,
    schedule: Schedule,
    clock: Clock,
  ) {
    this.#network = network;
    this.#holdings = holdings;
    this.#announcer = announcer;
    this.#schedule = schedule;
    this.#clock = clock;
  }

  /** Idempotent; after a change of the configuration only the differences reach the host. */
  take(router: Router): void {
    this.#hold(router);
    this.#startExtra(router);
  }

  /**
   * Interfaces may be others than when the addresses were taken: one came back under another index,
   * or is there only now. Does nothing when they are the same.
   */
  follow(router: Router): void {
    if (router.state.kind !== "active") return;
    if (this.#places.get(router) === this.#placesOf(router)) return;
    this.#hold(router);
    this.announce(router, router.effective.announcement.repeat);
  }

  #hold(router: Router): void {
    this.#places.set(router, this.#placesOf(router));
    this.#holdings.hold(router.id, this.#wanted(router));
  }

  /** The indexes of all interfaces on which this router's addresses are to be. */
  #placesOf(router: Router): string {
    const places = [router.binding.home?.index];
    for (const [name] of foreignInterfaces(router.config)) {
      places.push(this.#network.linkByName(name)?.index);
    }
    return places.join();
  }

  give(router: Router): void {
    this.#stopExtra(router);
    this.#places.delete(router);
    this.#announcer.withdraw(router.id);
    this.#holdings.hold(router.id, []);
  }

  /** Once the addresses are there, and only those: else it would draw hosts to nobody. */
  announce(router: Router, repeat: number): void {
    this.#holdings.whenSettled(router.id, () => {
      if (router.state.kind !== "active") return;
      this.#announcer.announce(this.#announcements(router, repeat, () => true));
    });
  }

  /** Where its addresses are, or will be. */
  places(router: Router): readonly GatedAddress[] {
    const { addresses, excludedAddresses } = router.config;
    return [...addresses, ...excludedAddresses].flatMap((one) => {
      const link = this.#linkOf(router, one);
      return link === undefined ? [] : { interfaceIndex: link.index, address: one.address };
    });
  }

  /** Calls `none` if it is active and the host, when it has answered, has not one of its addresses. */
  unlessHeld(router: Router, none: (router: Router) => void): void {
    this.#holdings.whenSettled(router.id, () => {
      const wanted = router.state.kind === "active" ? this.snapshot(router) : [];
      if (wanted.length > 0 && wanted.every(({ installed }) => !installed)) none(router);
    });
  }

  /** Those of its addresses that a segment can be asked for, one of each family. */
  askable(router: Router): readonly GatedAddress[] {
    const links = this.#network.links();
    const heard = this.places(router).filter(
      ({ interfaceIndex }) => links.get(interfaceIndex)?.arp,
    );
    return [...new Map(heard.map((place) => [familyOf(place.address), place])).values()];
  }

  snapshot(router: Router): readonly AddressSnapshot[] {
    const { addresses, excludedAddresses } = router.config;
    const active = router.state.kind === "active";
    const show = (address: AddressConfig, advertised: boolean): AddressSnapshot => {
      const link = this.#linkOf(router, address);
      const key = link === undefined ? undefined : configuredKey(link.index, address);
      return {
        address: address.address,
        prefixLength: address.prefixLength,
        interface: address.interface ?? link?.name ?? nameOfHome(router.config),
        installed: active && key !== undefined && this.#holdings.isHeld(key),
        advertised,
      };
    };
    return [
      ...addresses.map((address) => show(address, true)),
      ...excludedAddresses.map((address) => show(address, false)),
    ];
  }

  #wanted(router: Router): readonly Holding[] {
    const { addresses, excludedAddresses, routes, rules } = router.config;
    const holdings: Holding[] = [];
    const refuse = refusesPackets(router.config);
    const gated = router.effective.fenced;
    const lifetime = lifetimeOfInstance(router.config);
    for (const address of [...addresses, ...excludedAddresses]) {
      const link = this.#linkOf(router, address);
      if (link === undefined) continue;
      const request = { interfaceIndex: link.index, address, lifetime: lifetime?.seconds };
      holdings.push({ kind: "address", request, refuse, gated, lifetime });
    }
    const interfaceIndex = router.binding.home?.index;
    for (const route of routes) holdings.push({ kind: "route", route, interfaceIndex });
    for (const rule of rules) holdings.push({ kind: "rule", rule });
    return holdings;
  }

  #linkOf({ binding, config }: Router, address: AddressConfig) {
    const { interface: name, useVirtualMac } = address;
    const below = name ?? config.interface;
    const own = useVirtualMac
      ? config.addressLinks.find((one) => one.interface === below)
      : undefined;
    if (own !== undefined) return this.#network.linkByName(own.link.name);
    // On the instance's own interface, an address moves to the virtual link with it.
    if (name === undefined || name === config.interface) return binding.home;
    return this.#network.linkByName(name);
  }

  #announcements(
    router: Router,
    repeat: number,
    on: (interfaceName: string) => boolean,
  ): readonly Announcement[] {
    const { addresses, excludedAddresses } = router.config;
    return [...addresses, ...excludedAddresses].flatMap((one) => {
      const link = this.#linkOf(router, one);
      if (link === undefined || !on(link.name)) return [];
      if (!this.#holdings.isHeld(configuredKey(link.index, one))) return [];
      return { owner: router.id, interface: link.name, address: one.address, repeat };
    });
  }

  /** Periodic announcements where no advertisements keep switches aware of us. */
  #startExtra(router: Router): void {
    const { extraInterfaceAnnouncements: extra, virtualLink, addressLinks } = router.config;
    this.#stopExtra(router);
    if (extra === undefined) return;
    if (!extra.all && virtualLink === undefined && addressLinks.length === 0) return;
    const slot = this.#schedule.slot((now) => {
      const own = router.binding.transmit?.name;
      this.#announcer.announce(this.#announcements(router, 1, (name) => name !== own));
      slot.set(after(now, extra.interval));
    });
    slot.set(after(this.#clock.now(), extra.interval));
    this.#extra.set(router, slot);
  }

  #stopExtra(router: Router): void {
    this.#extra.get(router)?.set(undefined);
    this.#extra.delete(router);
  }
}

const nameOfHome = (config: InstanceConfig): string =>
  config.virtualLink?.name ?? config.interface ?? "";
