import { setTimeout as delay } from "node:timers/promises";
import type { Family, IpAddress } from "../core/address.ts";
import { addressFromBytes, parseAddress } from "../core/address.ts";
import { KernelError } from "../ports/error.ts";
import type { HeardRouter } from "../ports/host-facts.ts";
import type { Link } from "../ports/network.ts";
import { decodeIpv4 } from "../wire/ipv4.ts";
import { VRRP_HEADER_LENGTH, VRRP_PROTOCOL } from "../wire/vrrp.ts";
import { createAdvertisementSockets } from "./advertisement-sockets.ts";

const GROUPS = { ipv4: "224.0.0.18", ipv6: "ff02::12" } as const;

/** Which routers advertise on these interfaces, each once. A refused socket hears nothing. */
export async function listenForRouters(
  links: readonly Link[],
  listenMs: number,
): Promise<readonly HeardRouter[]> {
  const heard = new Map<string, HeardRouter>();
  const sockets = createAdvertisementSockets();
  const open = ({ name, index }: Link, family: Family): (() => void) => {
    const spec = {
      family,
      protocol: VRRP_PROTOCOL,
      interfaceIndex: index,
      group: parseAddress(GROUPS[family]),
      ttl: 255,
      receiveBuffer: undefined,
    } as const;
    const endpoint = sockets.open(
      spec,
      ({ source, bytes }) => {
        const router = readRouter(bytes, family, source, name);
        if (router !== undefined) heard.set(`${name} ${source} ${router.vrid}`, router);
      },
      () => undefined,
    );
    return () => endpoint.close();
  };
  const closing = links.flatMap((link) =>
    (["ipv4", "ipv6"] as const).flatMap((family) => openOrNot(() => open(link, family))),
  );
  if (closing.length > 0) await delay(listenMs);
  for (const close of closing) close();
  return [...heard.values()];
}

function openOrNot(open: () => () => void): readonly (() => void)[] {
  try {
    return [open()];
  } catch (error) {
    if (error instanceof KernelError) return [];
    throw error;
  }
}

/** What an advertisement says of its sender, as far as it is there; checksum and secrets aside. */
export function readRouter(
  packet: Uint8Array,
  family: Family,
  source: IpAddress,
  name: string,
): HeardRouter | undefined {
  const message = family === "ipv4" ? payloadOf(packet) : packet;
  if (message === undefined || message.length < VRRP_HEADER_LENGTH) return undefined;
  const [first = 0, vrid = 0, priority = 0, count = 0] = message;
  const size = family === "ipv4" ? 4 : 16;
  const addresses: IpAddress[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = VRRP_HEADER_LENGTH + index * size;
    if (at + size > message.length) break;
    addresses.push(addressFromBytes(message.subarray(at, at + size)));
  }
  return { interface: name, family, source, version: first >> 4, vrid, priority, addresses };
}

function payloadOf(packet: Uint8Array): Uint8Array | undefined {
  const decoded = decodeIpv4(packet);
  return decoded.ok ? decoded.value.payload : undefined;
}
