import type { Config } from "../../config/config.ts";
import type { IpAddress } from "../../core/address.ts";
import type { Router } from "../router.ts";
import type { PossibleDirector } from "./director-macs.ts";

/**
 * Who may direct traffic to this host: who was heard as a router, who is a peer by configuration, and
 * the real servers behind direct routing, as directors often are real servers too.
 */
export function possibleDirectors(
  routers: Iterable<Router>,
  config: Config | undefined,
): readonly PossibleDirector[] {
  const found = new Map<IpAddress, PossibleDirector>();
  const add = (address: IpAddress, interfaceIndex?: number): void => {
    if (!found.has(address)) found.set(address, { address, interfaceIndex });
  };
  for (const {
    peers,
    binding,
    config: { transport },
  } of routers) {
    const onLink = transport.mode === "multicast" ? binding.base?.index : undefined;
    for (const { address } of peers) add(address, onLink);
    if (transport.mode === "unicast") for (const { address } of transport.peers) add(address);
  }
  for (const address of config?.directServers ?? []) add(address);
  return [...found.values()];
}
