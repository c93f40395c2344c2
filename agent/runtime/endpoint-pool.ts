import type {
  AdvertisementSockets,
  Endpoint,
  EndpointSpec,
  ReceivedPacket,
} from "../ports/advertisement-sockets.ts";

/** Hears what comes in on a socket, or what could not go out. */
export interface EndpointListener<User> {
  /** Users whose VRID the packet may be for come from `users`. */
  packet(packet: ReceivedPacket, shared: SharedEndpoint<User>): void;
  failed(errno: string, shared: SharedEndpoint<User>): void;
  /** It could not join its group again. */
  deaf(errno: string, shared: SharedEndpoint<User>): void;
}

/** One socket, with everybody who uses it, by VRID. */
export interface SharedEndpoint<User> {
  readonly spec: EndpointSpec;
  readonly endpoint: Endpoint;
  users(vrid: number): readonly User[];
  all(): Iterable<User>;
}

/** A user's share of a socket. */
export interface EndpointLease {
  readonly spec: EndpointSpec;
  readonly endpoint: Endpoint;
  /** It does not hear its group: what active routers say is not known. */
  readonly deaf: boolean;
  /** Asks for room for received packets, in bytes; the socket gets the sum of what is asked for. */
  reserve(bytes: number | undefined): void;
  release(): void;
}

class Shared<User> implements SharedEndpoint<User> {
  readonly spec: EndpointSpec;
  readonly endpoint: Endpoint;
  readonly byVrid = new Map<number, User[]>();
  /** Leases that have no user yet: taken before a reload is sure to go through. */
  leases = 0;
  deaf = false;
  #room: number | undefined;

  readonly #wishes = new Map<object, number>();

  constructor(spec: EndpointSpec, open: (shared: Shared<User>) => Endpoint) {
    this.spec = spec;
    this.endpoint = open(this);
  }

  users(vrid: number): readonly User[] {
    return this.byVrid.get(vrid) ?? [];
  }

  reserve(who: object, bytes: number | undefined): void {
    if (this.#wishes.get(who) === bytes) return;
    if (bytes === undefined) this.#wishes.delete(who);
    else this.#wishes.set(who, bytes);
    let sum = 0;
    for (const wish of this.#wishes.values()) sum += wish;
    const room = sum === 0 ? undefined : sum;
    if (room !== this.#room) this.endpoint.setReceiveBuffer(room);
    this.#room = room;
  }

  *all(): Iterable<User> {
    for (const users of this.byVrid.values()) yield* users;
  }
}

/** Sockets by what they serve: routers with an equal spec share one, and the last one closes it. */
export class EndpointPool<User> {
  readonly #sockets: AdvertisementSockets;
  readonly #listener: EndpointListener<User>;
  readonly #shared = new Map<string, Shared<User>>();
  readonly #unfiltered = new Set<Shared<User>>();
  #everyVrid = false;

  constructor(sockets: AdvertisementSockets, listener: EndpointListener<User>) {
    this.#sockets = sockets;
    this.#listener = listener;
  }

  /** Let advertisements of foreign virtual routers through too, to speak of them in the log. */
  set everyVrid(every: boolean) {
    if (every === this.#everyVrid) return;
    this.#everyVrid = every;
    for (const shared of this.#shared.values()) this.#filter(shared);
  }

  /** Throws a KernelError when the socket cannot be had. */
  lease(spec: EndpointSpec, vrid: number, user: User): EndpointLease {
    const key = JSON.stringify(spec);
    const shared = this.#shared.get(key) ?? this.#open(spec);
    this.#shared.set(key, shared);
    shared.leases += 1;
    const users = shared.byVrid.get(vrid);
    if (users === undefined) {
      shared.byVrid.set(vrid, [user]);
      this.#filter(shared);
    } else {
      users.push(user);
    }
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      shared.reserve(release, undefined);
      this.#release(key, shared, vrid, user);
    };
    const reserve = (bytes: number | undefined): void => {
      if (!released) shared.reserve(release, bytes);
    };
    return {
      spec,
      endpoint: shared.endpoint,
      get deaf() {
        return shared.deaf;
      },
      reserve,
      release,
    };
  }

  /** Joins the groups on this interface anew. */
  rejoin(interfaceIndex: number): void {
    for (const shared of this.#shared.values()) {
      const { spec, endpoint } = shared;
      if (spec.interfaceIndex !== interfaceIndex) continue;
      const errno = endpoint.rejoin();
      shared.deaf = errno !== undefined;
      if (errno !== undefined) this.#listener.deaf(errno, shared);
    }
  }

  #open(spec: EndpointSpec): Shared<User> {
    return new Shared<User>(spec, (shared) =>
      this.#sockets.open(
        spec,
        (packet) => this.#listener.packet(packet, shared),
        (errno) => this.#listener.failed(errno, shared),
      ),
    );
  }

  #release(key: string, shared: Shared<User>, vrid: number, user: User): void {
    shared.leases -= 1;
    if (shared.leases === 0) {
      this.#shared.delete(key);
      shared.endpoint.close();
      return;
    }
    const users = shared.byVrid.get(vrid) ?? [];
    const at = users.indexOf(user);
    if (at >= 0) users.splice(at, 1);
    if (users.length > 0) return;
    shared.byVrid.delete(vrid);
    this.#filter(shared);
  }

  /** Once a turn: with hundreds of routers that come or go, one filter instead of hundreds. */
  #filter(shared: Shared<User>): void {
    if (this.#unfiltered.size === 0) queueMicrotask(() => this.#filterAll());
    this.#unfiltered.add(shared);
  }

  #filterAll(): void {
    const unfiltered = [...this.#unfiltered];
    this.#unfiltered.clear();
    for (const shared of unfiltered) if (shared.leases > 0) this.#attach(shared);
  }

  #attach(shared: Shared<User>): void {
    const vrids = this.#everyVrid ? EVERY_VRID : new Set(shared.byVrid.keys());
    shared.endpoint.setVrids(vrids);
  }
}

const EVERY_VRID: ReadonlySet<number> = new Set(Array.from({ length: 255 }, (_, at) => at + 1));
