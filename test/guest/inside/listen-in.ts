import { once } from "node:events";
import type { Server } from "node:net";
import type { IpAddress } from "../../../agent/core/address.ts";
import { familyOf } from "../../../agent/core/address.ts";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { lastErrno, libc } from "../../../agent/linux/libc.ts";
import { ipSocketAddress } from "../../../agent/linux/socket-address.ts";
import * as option from "../../../agent/linux/socket-option.ts";

/** Has a server of this process listen on an address of a node: Node itself would bind it when it is back outside. */
export async function listenIn(
  node: LabNode,
  server: Server,
  address: IpAddress,
  port: number,
): Promise<void> {
  const fd = node.run(() => bound(address, port));
  await once(server.listen({ fd }), "listening");
}

function bound(address: IpAddress, port: number): number {
  const domain = familyOf(address) === "ipv4" ? option.AF_INET : option.AF_INET6;
  const fd = libc().socket(domain, option.SOCK_STREAM | option.SOCK_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error(`no socket: ${lastErrno()}`);
  option.setOption(fd, option.SO_REUSEADDR, 1);
  const place = ipSocketAddress(address, 0, port);
  if (libc().bind(fd, place, place.length) !== 0) throw new Error(`${address}: ${lastErrno()}`);
  return fd;
}
