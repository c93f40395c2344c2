import type { Json, NodeView, PeerView, RouterView, ServiceView } from "../../../sdk/index.ts";
import type { HearingChange, HearingState } from "../../core/policy/hearing.ts";
import { hear, isHeard } from "../../core/policy/hearing.ts";
import { micros } from "../../core/time.ts";
import type { RouterSnapshot } from "../../core/vrrp/snapshot.ts";
import type { Clock } from "../../ports/clock.ts";

/** What a policy sees, without what is its own. */
interface Shared {
  readonly node: string;
  readonly routers: Readonly<Record<string, RouterView>>;
  readonly peers: readonly PeerView[];
  readonly nodes: readonly NodeView[];
  readonly services: readonly ServiceView[];
}

/** JSON for one policy. */
export const viewText = (shared: string, processes: Json): string =>
  `${shared},"processes":${JSON.stringify(processes)}}`;

/** Whether a policy made of this code may look at what changes each second. */
export const looksFast = (code: string): boolean => code.includes(FAST);

const EMPTY: Shared = { node: "", routers: {}, peers: [], nodes: [], services: [] };

/** What changes each second, and what few policies look at. */
const FAST = "lastHeardAt";

/**
 * `ctx.routers` and the like, as JSON. Texts are made once for all policies. Those whose code never
 * says `lastHeardAt` are shown 0 in its place: with many policies and routers, telling each of them
 * anew every second would be most of the work.
 */
export class WorldView {
  readonly #clock: Clock;
  readonly #services: () => readonly ServiceView[];
  #shared: Shared = EMPTY;
  #hearing: HearingState;
  #text: string | undefined;
  #servicesStale = true;
  #slowText = "";
  #slowFresh = false;

  constructor(clock: Clock, services: () => readonly ServiceView[] = () => []) {
    this.#clock = clock;
    this.#services = services;
  }

  set node(node: string) {
    if (node !== this.#shared.node) this.#change({ ...this.#shared, node });
  }

  /** Answers which peers came or fell silent. */
  snapshot(routers: readonly RouterSnapshot[]): readonly HearingChange[] {
    const wall = this.#clock.wallClock();
    const found = routers.flatMap(({ name, peers }) =>
      peers.map(({ address, priority, advertisementInterval, advertisements, lastHeardAt }) => ({
        router: name,
        address,
        priority,
        interval: micros(advertisementInterval),
        advertisements,
        quietMs: wall - lastHeardAt,
        lastHeardAt,
      })),
    );
    const { state, changes } = hear(this.#hearing, found, this.#clock.now());
    this.#hearing = state;
    // Connections, too, come and go.
    this.#servicesStale = true;
    const peers: PeerView[] = found
      .filter(({ router, address }) => isHeard(state, router, address))
      .map(({ router, address, priority, lastHeardAt }) => ({
        router,
        address,
        priority,
        lastHeardAt,
      }));
    this.#change({
      ...this.#shared,
      routers: Object.fromEntries(routers.map((router) => [router.name, routerView(router)])),
      peers,
      nodes: nodesOf(peers),
    });
    return changes;
  }

  /** Something that was told before a snapshot shows it. */
  patch(router: string, part: Partial<RouterView>): void {
    const routers = new Map(Object.entries(this.#shared.routers));
    const known = routers.get(router);
    if (known === undefined) return;
    routers.set(router, { ...known, ...part });
    this.#change({ ...this.#shared, routers: Object.fromEntries(routers) });
  }

  /** Of real servers: asked for when somebody looks. */
  servicesChanged(): void {
    this.#servicesStale = true;
  }

  /** What all policies see: JSON without its end. The same text until it changes. */
  shared(fast: boolean): string {
    if (this.#servicesStale) {
      this.#servicesStale = false;
      this.#change({ ...this.#shared, services: this.#services() });
    }
    return fast ? this.#fast() : this.#slow();
  }

  #change(shared: Shared): void {
    this.#shared = shared;
    this.#text = undefined;
    this.#slowFresh = false;
  }

  #fast(): string {
    this.#text ??= JSON.stringify(this.#shared).slice(0, -1);
    return this.#text;
  }

  #slow(): string {
    if (this.#slowFresh) return this.#slowText;
    const text = JSON.stringify(this.#shared, (name, value: unknown) =>
      name === FAST ? 0 : value,
    ).slice(0, -1);
    if (text !== this.#slowText) this.#slowText = text;
    this.#slowFresh = true;
    return this.#slowText;
  }
}

const routerView = ({
  name,
  state,
  priority,
  addresses,
  interface: link,
}: RouterSnapshot): RouterView => ({
  name,
  state,
  priority: priority.effective,
  base: priority.base,
  contributions: priority.contributions,
  addresses: addresses.map(({ address }) => address),
  interface: link,
});

function nodesOf(peers: readonly PeerView[]): readonly NodeView[] {
  const nodes = new Map<string, NodeView>();
  for (const { address, router, lastHeardAt } of peers) {
    const known = nodes.get(address);
    nodes.set(address, {
      address,
      routers: [...(known?.routers ?? []), router],
      lastHeardAt: Math.max(lastHeardAt, known?.lastHeardAt ?? 0),
    });
  }
  return [...nodes.values()];
}
