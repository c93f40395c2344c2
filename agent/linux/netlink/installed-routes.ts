import type { RouteConfig, RuleConfig } from "../../config/config.ts";
import type { Family } from "../../core/address.ts";
import type { NetworkEvent, RequestOutcome } from "../../ports/network.ts";
import type { NetlinkMessage } from "../../wire/netlink/message.ts";
import { FLAG } from "../../wire/netlink/message.ts";
import { RTM } from "../../wire/netlink/rtnetlink.ts";
import { inBatch } from "./batch.ts";
import type { Channel } from "./channel.ts";
import { outcomeOf, refused } from "./outcome.ts";
import type { RouteIdentity, RouteInterfaces } from "./route-message.ts";
import {
  decodeRoute,
  encodeRouteInstall,
  encodeRouteRemoval,
  encodeShownRouteRemoval,
  identityOfRoute,
  missingInterfaces,
  ROUTE_MARK,
  routeDumpBody,
  sameRoute,
} from "./route-message.ts";
import { Tracked } from "./tracked.ts";

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];
const GONE = ["ESRCH", "ENODEV", "ENETDOWN"];

/** The routes that this agent holds, and notice of those that somebody else took away. */
export class InstalledRoutes {
  readonly #requests: Channel;
  readonly #dumps: Channel;
  readonly #indexOf: (name: string) => number | undefined;
  readonly #tracked: Tracked<RouteConfig, RouteIdentity>;

  constructor(
    requests: Channel,
    dumps: Channel,
    indexOf: (name: string) => number | undefined,
    tell: (event: NetworkEvent) => void,
  ) {
    this.#requests = requests;
    this.#dumps = dumps;
    this.#indexOf = indexOf;
    this.#tracked = new Tracked(
      {
        same: sameRoute,
        bucketOf: ({ family, table, destination }) => `${family} ${table} ${destination}`,
      },
      () => this.#shown(),
      (route) => tell({ kind: "route-removed", route }),
    );
  }

  install(
    routes: readonly RouteConfig[],
    fallback: number | undefined,
  ): Promise<readonly RequestOutcome[]> {
    const interfaces = this.#interfaces(fallback);
    return inBatch(
      routes,
      (route) => this.#lacking(route, interfaces) ?? encodeRouteInstall(route, interfaces),
      (messages) => this.#requests.request(messages),
      (route, answer) => {
        // Beside others, the very route may be there from an earlier run.
        const outcome = outcomeOf(
          answer,
          `add ${routeWords(route)}`,
          route.mode === "replace" ? [] : ["EEXIST"],
        );
        if (outcome.ok) this.#tracked.add(route, identityOfRoute(route, interfaces));
        return outcome;
      },
    );
  }

  remove(
    routes: readonly RouteConfig[],
    fallback: number | undefined,
  ): Promise<readonly RequestOutcome[]> {
    const interfaces = this.#interfaces(fallback);
    return inBatch(
      routes,
      (route) => {
        this.#tracked.forget(identityOfRoute(route, interfaces));
        // An interface that is gone took its routes along.
        if (missingInterfaces(route, interfaces).length > 0) return { ok: true, foreign: false };
        return encodeRouteRemoval(route, interfaces);
      },
      (messages) => this.#requests.request(messages),
      (route, answer) => outcomeOf(answer, `remove ${routeWords(route)}`, GONE),
    );
  }

  async removeLeftovers(): Promise<void> {
    const shown = await Promise.all(
      FAMILIES.map((family) => this.#dumps.dump(RTM.getRoute, routeDumpBody(family, ROUTE_MARK))),
    );
    const bodies = shown.flatMap(({ messages }) => messages.map(({ body }) => body));
    const ours = bodies.filter((body) => decodeRoute(body)?.protocol === ROUTE_MARK);
    await this.#requests.request(ours.map(encodeShownRouteRemoval));
  }

  /** Whether a message may mean that a route of ours went: then `look` is due. */
  concerns({ type, body, flags }: NetlinkMessage): boolean {
    const replaced = type === RTM.newRoute && (flags & FLAG.replace) !== 0;
    if ((type !== RTM.deleteRoute && !replaced) || this.#tracked.empty) return false;
    const route = decodeRoute(body);
    return route !== undefined && this.#tracked.mayHold(route);
  }

  look(): Promise<void> {
    return this.#tracked.look();
  }

  async #shown(): Promise<readonly RouteIdentity[] | undefined> {
    const kinds = new Map<string, Uint8Array>();
    for (const { family, protocol } of this.#tracked.identities()) {
      kinds.set(`${family} ${protocol}`, routeDumpBody(family, protocol));
    }
    const dumps = await Promise.all(
      Array.from(kinds.values(), (body) => this.#dumps.dump(RTM.getRoute, body)),
    );
    // ENOENT: a table that the filter names does not exist, so it holds no route.
    if (dumps.some(({ errno }) => errno !== undefined && errno !== "ENOENT")) return undefined;
    return dumps.flatMap(({ messages }) => messages.flatMap(({ body }) => decodeRoute(body) ?? []));
  }

  #lacking(route: RouteConfig, interfaces: RouteInterfaces): RequestOutcome | undefined {
    const [missing] = missingInterfaces(route, interfaces);
    if (missing === undefined) return undefined;
    return refused("ENODEV", `add ${routeWords(route)} by ${missing}`);
  }

  #interfaces(fallback: number | undefined): RouteInterfaces {
    return { indexOf: this.#indexOf, fallback };
  }
}

function routeWords({ type, destination, gateway, table, family }: RouteConfig): string {
  const to = destination === undefined ? "default" : `${destination.address}/${destination.length}`;
  const by = gateway === undefined ? "" : ` via ${gateway}`;
  const where = table === undefined ? "" : ` in table ${table}`;
  return `the ${family} ${type} route to ${to}${by}${where}`;
}

/** Words for a rule in messages to people. */
export function ruleWords({ family, from, to, priority, table }: RuleConfig): string {
  const source = from === undefined ? "all" : `${from.address}/${from.length}`;
  const destination = to === undefined ? "" : ` to ${to.address}/${to.length}`;
  const order = priority === undefined ? "" : ` with priority ${priority}`;
  const where = table === undefined ? "" : ` for table ${table}`;
  return `the ${family} rule from ${source}${destination}${order}${where}`;
}
