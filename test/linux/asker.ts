import type { IpAddress } from "../../agent/core/address.ts";
import { familyOf } from "../../agent/core/address.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { lastErrno, libc } from "../../agent/linux/libc.ts";
import { answerIn, linkAddress, openFrameSocket } from "../../agent/linux/neighbour-probes.ts";
import { MSG_DONTWAIT } from "../../agent/linux/socket-option.ts";
import { arpRequest } from "../../agent/wire/arp.ts";
import { neighborSolicitation } from "../../agent/wire/ndisc.ts";
import { address } from "./network-rig.ts";

/** Frames to a neighbour over a veth are answered before the call that sends them returns; or soon. */
const PATIENCE_MS = 1;

/** Asks who has an address, on one link of a node, and answers at once: from the middle of anything. */
export class Asker {
  readonly #fds = new Map<string, number>();
  readonly #node: LabNode;
  readonly #index: number;
  readonly mac: Uint8Array;

  constructor(node: LabNode, name: string) {
    this.#node = node;
    const [link] = JSON.parse(node.exec("ip", ["-j", "link", "show", name]).stdout);
    this.#index = link.ifindex;
    this.mac = Uint8Array.from(Buffer.from(link.address.replaceAll(":", ""), "hex"));
  }

  /** Whether anybody says that it has the address. */
  asks(target: IpAddress, patienceMs = PATIENCE_MS): boolean {
    const family = familyOf(target);
    const fd = this.#fds.get(family) ?? this.#open(family);
    this.#fds.set(family, fd);
    const frame =
      family === "ipv4"
        ? arpRequest(target, address("192.0.2.1"), this.mac)
        : neighborSolicitation(target, address("2001:db8::1"), this.mac);
    const place = linkAddress(family, this.#index);
    const heard = new Uint8Array(1514);
    // Answers to others, and to earlier questions.
    while (libc().recv(fd, heard, heard.length, MSG_DONTWAIT) >= 0);
    if (libc().sendto(fd, frame, frame.length, 0, place, place.length) < 0) {
      throw new Error(`asking: ${lastErrno()}`);
    }
    const end = performance.now() + patienceMs;
    for (;;) {
      const length = libc().recv(fd, heard, heard.length, MSG_DONTWAIT);
      if (length > 0 && answerIn(heard.subarray(0, length), target) !== undefined) return true;
      if (length < 0 && performance.now() > end) return false;
    }
  }

  close(): void {
    for (const fd of this.#fds.values()) libc().close(fd);
    this.#fds.clear();
  }

  #open(family: "ipv4" | "ipv6"): number {
    const fd = this.#node.run(() => openFrameSocket(family));
    const place = linkAddress(family, this.#index);
    if (libc().bind(fd, place, place.length) !== 0) throw new Error(`asking: ${lastErrno()}`);
    return fd;
  }
}
