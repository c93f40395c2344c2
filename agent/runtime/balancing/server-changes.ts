import type { RealServerConfig, VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { DestinationKey } from "../../core/ipvs/service.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import { newcomerLike } from "./newcomer.ts";

// What operators add to a virtual server beside the file, and take away from it.

interface Said {
  /** Who, as the control socket knows it, and wall-clock milliseconds. */
  readonly who: string;
  readonly at: number;
}

export interface AddedServer extends Said {
  /** Whose method and checks it has while the file has that one, and as they were last after that. */
  readonly like: DestinationKey | undefined;
  /** `undefined`: as its model. */
  readonly weight: number | undefined;
  readonly server: RealServerConfig;
}

export interface ServerChanges {
  readonly added: Readonly<Record<DestinationKey, AddedServer>>;
  /** Of the file's. */
  readonly removed: Readonly<Record<DestinationKey, Said>>;
}

export const NO_CHANGES: ServerChanges = { added: {}, removed: {} };

export const isEmpty = ({ added, removed }: ServerChanges): boolean =>
  Object.keys(added).length + Object.keys(removed).length === 0;

/** The virtual server as the file has it, with what operators changed. */
export function withChanges(
  config: VirtualServerConfig,
  { added, removed }: ServerChanges,
): VirtualServerConfig {
  const left = config.realServers.filter((real) => removed[destinationKey(real)] === undefined);
  const more = Object.values(added).map(({ server }) => server);
  return { ...config, realServers: [...left, ...more] };
}

/** An order that the file has carried out. */
export interface OrderOver extends Said {
  readonly kind: "added" | "removed";
  readonly server: DestinationKey;
}

/** What still holds of the changes beside this file, and what is over. */
export function held(
  { realServers }: VirtualServerConfig,
  changes: ServerChanges,
): { readonly changes: ServerChanges; readonly over: readonly OrderOver[] } {
  const file = new Map(realServers.map((real) => [destinationKey(real), real]));
  const over: OrderOver[] = [];
  const added: Record<DestinationKey, AddedServer> = {};
  for (const [name, one] of Object.entries(changes.added)) {
    const server = name as DestinationKey;
    const { who, at, like, weight } = one;
    const model = like === undefined ? undefined : file.get(like);
    const { address, port } = one.server;
    if (file.has(server)) over.push({ kind: "added", server, who, at });
    else if (model === undefined) added[server] = one;
    else added[server] = { ...one, server: newcomerLike(model, { address, port, weight }) };
  }
  const removed: Record<DestinationKey, Said> = {};
  for (const [name, said] of Object.entries(changes.removed)) {
    const server = name as DestinationKey;
    if (file.has(server)) removed[server] = said;
    else over.push({ kind: "removed", server, ...said });
  }
  return { changes: { added, removed }, over };
}

export const withAdded = (
  changes: ServerChanges,
  server: DestinationKey,
  added: AddedServer,
): ServerChanges => ({ ...changes, added: { ...changes.added, [server]: added } });

/** One that was added is forgotten, one of the file is left out. */
export function withoutServer(
  { added, removed }: ServerChanges,
  server: DestinationKey,
  { who, at }: Said,
): ServerChanges {
  const { [server]: own, ...others } = added;
  if (own !== undefined) return { added: others, removed };
  return { added, removed: { ...removed, [server]: { who, at } } };
}

/** One of the file that was taken away is there again. */
export function withRestored(changes: ServerChanges, server: DestinationKey): ServerChanges {
  const { [server]: _, ...removed } = changes.removed;
  return { ...changes, removed };
}
