import type { Family, IpAddress } from "../core/address.ts";
import { familyOf } from "../core/address.ts";
import type { Instant, Micros } from "../core/time.ts";
import { after, seconds } from "../core/time.ts";
import { KernelError } from "../ports/error.ts";
import type { HolderAnswer, HolderProbes } from "../ports/holder-probes.ts";
import type { Link } from "../ports/network.ts";
import { arpRequest } from "../wire/arp.ts";
import { addressProbe } from "../wire/ndisc.ts";
import { RTM } from "../wire/netlink/rtnetlink.ts";
import { systemClock } from "./clock.ts";
import { closeApart, lastErrno, libc } from "./libc.ts";
import { answerIn, linkAddress, openFrameSocket } from "./neighbour-probes.ts";
import { Channel } from "./netlink/channel.ts";
import { decodeLink, linkDumpBody } from "./netlink/link-message.ts";
import { pollDescriptor } from "./polled-descriptor.ts";

const LONGEST_FRAME = 1_514;
/** Questions come in rows: a socket stays open this long after the last. */
const IDLE_MS = 2_000;
/** Links are asked for once in this time at most, unless one is missing. */
const LINKS_AGE: Micros = seconds(1);
const UNSPECIFIED = "0.0.0.0" as IpAddress;
/** That of the loopback interface. */
const NO_MAC = "00:00:00:00:00:00";
/** MACs that go from host to host with their addresses (RFC 9568 §7.3): they are nobody's own. */
const VIRTUAL_MAC = /^00:00:5e:00:0[12]:/;

/** Asks by packet sockets, one for each interface and family; namespace of the main thread. */
export const openHolderProbes = (): HolderProbes => new PacketHolderProbes();

class PacketHolderProbes implements HolderProbes {
  readonly #ears = new Map<string, Ear>();
  #channel: Channel | undefined;
  #links: ReadonlyMap<number, Link> = new Map();
  #linksAt: Instant | undefined;
  #closed = false;

  async ask(interfaceIndex: number, address: IpAddress, limit: Micros): Promise<HolderAnswer> {
    try {
      return await this.#ask(interfaceIndex, address, limit);
    } catch (error) {
      if (error instanceof KernelError) return refused(error.code);
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const ear of this.#ears.values()) ear.close();
    this.#ears.clear();
    this.#channel?.close();
  }

  /** Throws a KernelError. */
  async #ask(interfaceIndex: number, address: IpAddress, limit: Micros): Promise<HolderAnswer> {
    const link = await this.#linkAt(interfaceIndex);
    if (this.#closed) return refused("ECANCELED");
    if (link === undefined) return refused("ENODEV");
    // Loopback, tunnels and the like: nobody is asked there.
    if (!link.arp || link.mac === undefined || link.mac === NO_MAC) {
      return refused("EPROTONOSUPPORT");
    }
    const ear = this.#earFor(interfaceIndex, familyOf(address));
    const own = (mac: string): boolean =>
      !VIRTUAL_MAC.test(mac) && [...this.#links.values()].some((one) => one.mac === mac);
    return ear.ask(address, questionFrame(address, macBytes(link.mac)), limit, own);
  }

  #earFor(interfaceIndex: number, family: Family): Ear {
    const name = `${interfaceIndex} ${family}`;
    const known = this.#ears.get(name);
    if (known !== undefined) return known;
    const ear = new Ear(interfaceIndex, family, () => this.#ears.delete(name));
    this.#ears.set(name, ear);
    return ear;
  }

  async #linkAt(index: number): Promise<Link | undefined> {
    const now = systemClock.now();
    const fresh = this.#linksAt !== undefined && now < after(this.#linksAt, LINKS_AGE);
    if (fresh && this.#links.has(index)) return this.#links.get(index);
    this.#channel ??= new Channel();
    const { messages } = await this.#channel.dump(RTM.getLink, linkDumpBody());
    const links = messages.flatMap(({ body }) => decodeLink(body) ?? []);
    this.#links = new Map(links.map((link) => [link.index, link]));
    this.#linksAt = now;
    return this.#links.get(index);
  }
}

type Question = (frame: Uint8Array) => void;

/** Hears answers on one interface. */
class Ear {
  readonly #fd: number;
  readonly #place: Uint8Array;
  readonly #poll: { close(): void };
  readonly #questions = new Map<Question, () => void>();
  readonly #forgotten: () => void;
  #idle: NodeJS.Timeout | undefined;

  /** Throws a KernelError. */
  constructor(interfaceIndex: number, family: Family, forgotten: () => void) {
    this.#fd = openFrameSocket(family);
    this.#forgotten = forgotten;
    this.#place = linkAddress(family, interfaceIndex);
    if (libc().bind(this.#fd, this.#place, this.#place.length) !== 0) {
      const errno = lastErrno();
      libc().close(this.#fd);
      throw new KernelError(
        errno,
        `interface ${interfaceIndex} cannot be listened to`,
        "look at it",
      );
    }
    const hear = (frame: Uint8Array): void => {
      for (const question of [...this.#questions.keys()]) question(frame);
    };
    this.#poll = pollDescriptor(this.#fd, LONGEST_FRAME, hear, closeApart);
  }

  ask(
    address: IpAddress,
    frame: Uint8Array,
    limit: Micros,
    own: (mac: string) => boolean,
  ): Promise<HolderAnswer> {
    clearTimeout(this.#idle);
    return new Promise((resolve) => {
      const finish = (answer: HolderAnswer): void => {
        clearTimeout(timer);
        if (!this.#questions.delete(question)) return;
        if (this.#questions.size === 0) this.#rest();
        resolve(answer);
      };
      const question = (heard: Uint8Array): void => {
        const mac = answerIn(heard, address);
        if (mac !== undefined && !own(mac)) finish({ kind: "answered", mac });
      };
      // After a stall the timer runs before the socket is read: look once more behind the reading.
      const silent = (): void => finish({ kind: "silent" });
      const timer = setTimeout(() => setImmediate(() => setImmediate(silent)), limit / 1000);
      this.#questions.set(question, () => finish(refused("ECANCELED")));
      // A link that was down meanwhile is told of at the first call, though it is up again.
      if (!this.#send(frame) && !this.#send(frame)) finish(refused(lastErrno()));
    });
  }

  close(): void {
    for (const cancel of [...this.#questions.values()]) cancel();
    clearTimeout(this.#idle);
    this.#forgotten();
    this.#poll.close();
  }

  #send(frame: Uint8Array): boolean {
    const place = this.#place;
    return libc().sendto(this.#fd, frame, frame.length, 0, place, place.length) >= 0;
  }

  #rest(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), IDLE_MS).unref();
  }
}

const refused = (errno: string): HolderAnswer => ({ kind: "refused", errno });

const questionFrame = (address: IpAddress, mac: Uint8Array): Uint8Array =>
  familyOf(address) === "ipv4" ? arpRequest(address, UNSPECIFIED, mac) : addressProbe(address, mac);

const macBytes = (mac: string): Uint8Array =>
  Uint8Array.from(mac.split(":"), (octet) => Number.parseInt(octet, 16));
