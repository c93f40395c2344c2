import type { AnnouncementPace } from "../config/config.ts";
import type { IpAddress } from "../core/address.ts";
import { familyOf } from "../core/address.ts";
import { micros } from "../core/time.ts";
import type {
  Announcement,
  Pace,
  PaceEffect,
  PaceEvent,
  PaceState,
} from "../core/vrrp/announcement-pace.ts";
import { announcementPace } from "../core/vrrp/announcement-pace.ts";
import type { FrameSender } from "../ports/advertisement-sockets.ts";
import type { Clock } from "../ports/clock.ts";
import type { Link, Network } from "../ports/network.ts";
import { gratuitousArp } from "../wire/arp.ts";
import { unsolicitedNeighborAdvertisement } from "../wire/ndisc.ts";
import { parseMac } from "../wire/virtual-mac.ts";
import type { Schedule, Slot } from "./schedule.ts";

/** Interfaces that share a pace, and what waits to leave on them. */
interface Lanes {
  pace: Pace;
  state: PaceState;
  readonly slot: Slot;
}

const REMEMBERED_FRAMES = 8_192;

const AT_ONCE: Pace = { arpInterval: micros(0), naInterval: micros(0) };

export interface AnnouncerListener {
  /** Hosts may be drawn to this owner's addresses now. */
  mayAnnounce(owner: string): boolean;
  failed(owner: string, errno: string): void;
}

/** Tells the segments where addresses are now, at the pace that was configured. */
export class Announcer {
  readonly #frames: FrameSender;
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #schedule: Schedule;
  readonly #listener: AnnouncerListener;
  readonly #lanes = new Map<string, Lanes>();
  readonly #made = new Map<string, Uint8Array>();
  readonly #forwarding = new Map<string, boolean>();
  #paces: readonly AnnouncementPace[] = [];

  constructor(
    frames: FrameSender,
    network: Network,
    clock: Clock,
    schedule: Schedule,
    listener: AnnouncerListener,
  ) {
    this.#frames = frames;
    this.#network = network;
    this.#clock = clock;
    this.#schedule = schedule;
    this.#listener = listener;
  }

  configure(paces: readonly AnnouncementPace[]): void {
    this.#paces = paces;
    this.#forwarding.clear();
    this.#made.clear();
    for (const [key, lanes] of this.#lanes) lanes.pace = this.#paceOf(key);
  }

  announce(announcements: readonly Announcement[]): void {
    const byLanes = new Map<string, Announcement[]>();
    for (const announcement of announcements) {
      const key = this.#keyOf(announcement.interface);
      const group = byLanes.get(key);
      if (group === undefined) byLanes.set(key, [announcement]);
      else group.push(announcement);
    }
    for (const [key, group] of byLanes) {
      this.#step(this.#lanesOf(key), { kind: "announce", announcements: group });
    }
  }

  /** Nothing of this owner leaves any more. */
  withdraw(owner: string): void {
    for (const lanes of this.#lanes.values()) this.#step(lanes, { kind: "withdraw", owner });
  }

  /** Interfaces of one garp_group have one key; every other has its own. */
  #keyOf(name: string): string {
    const group = this.#paces.find(
      ({ interfaces }) => interfaces !== "*" && interfaces.includes(name),
    );
    return group === undefined || group.interfaces === "*" ? name : group.interfaces.join(" ");
  }

  #paceOf(key: string): Pace {
    const [name = ""] = key.split(" ");
    const named = this.#paces.find((p) => p.interfaces !== "*" && p.interfaces.includes(name));
    return named ?? this.#paces.find((p) => p.interfaces === "*") ?? AT_ONCE;
  }

  #lanesOf(key: string): Lanes {
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const lanes: Lanes = {
      pace: this.#paceOf(key),
      state: announcementPace.initial,
      slot: this.#schedule.slot(() => this.#step(lanes, { kind: "tick" })),
    };
    this.#lanes.set(key, lanes);
    return lanes;
  }

  #step(lanes: Lanes, event: PaceEvent): void {
    const { state, effects } = announcementPace.step(
      lanes.pace,
      lanes.state,
      event,
      this.#clock.now(),
    );
    lanes.state = state;
    lanes.slot.set(announcementPace.deadline(state));
    for (const effect of effects) this.#send(effect);
  }

  #send({ owner, interface: name, address }: PaceEffect): void {
    const link = this.#network.linkByName(name);
    // Frames of this kind pass by the gate: looked at just before each of them.
    if (!this.#listener.mayAnnounce(owner)) return;
    // Links without ARP (NOARP, tunnels) have nobody who would listen.
    if (link === undefined || !link.arp) return;
    const frame = this.#frame(address, link);
    const errno = frame === undefined ? undefined : this.#frames.send(link.index, frame);
    if (errno !== undefined) this.#listener.failed(owner, errno);
  }

  /** Each address is announced several times, and again: its frame is made once. */
  #frame(address: IpAddress, link: Link): Uint8Array | undefined {
    const key = `${link.mac} ${address}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const mac = parseMac(link.mac);
    if (mac === undefined) return undefined;
    const frame =
      familyOf(address) === "ipv4"
        ? gratuitousArp(address, mac)
        : unsolicitedNeighborAdvertisement(address, mac, this.#forwards(link));
    if (this.#made.size >= REMEMBERED_FRAMES) this.#made.clear();
    this.#made.set(key, frame);
    return frame;
  }

  /** Only a router may call itself one. Looked up once per interface and configuration. */
  #forwards(link: Link): boolean {
    const known = this.#forwarding.get(link.name);
    if (known !== undefined) return known;
    const value = this.#network.readSysctl(`net/ipv6/conf/${link.name}/forwarding`);
    this.#forwarding.set(link.name, value === "1");
    return value === "1";
  }
}
