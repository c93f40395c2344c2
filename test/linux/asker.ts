import type { IpAddress } from "../../agent/core/address.ts";
import { familyOf } from "../../agent/core/address.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { lastErrno, libc } from "../../agent/linux/libc.ts";
import { linkAddress, openFrameSocket } from "../../agent/linux/neighbour-probes.ts";
import { MSG_DONTWAIT } from "../../agent/linux/socket-option.ts";
import { arpRequest, decodeArp } from "../../agent/wire/arp.ts";
import { decodeNeighborAdvertisement, neighborSolicitation } from "../../agent/wire/ndisc.ts";
import { address } from "./network-rig.ts";

/** Frames to a neighbour over a veth are answered before the call that sends them returns; or soon. */
const PATIENCE_MS = 1;

/** They are neighbours for the one who is asked, which knows so many at most. */
const SENDERS = 64;

/** Asks who has an address, on one link of a node, and answers at once: from the middle of anything. */
export class Asker {
  readonly #fds = new Map<string, number>();
  readonly #node: LabNode;
  readonly #index: number;
  readonly mac: Uint8Array;
  #questions = 0;

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
    // Each question has another sender, and so its own answer: an earlier one may come late.
    this.#questions += 1;
    const number = this.#questions % SENDERS;
    const sender = address(family === "ipv4" ? `192.0.2.${10 + number}` : `2001:db8::1:${number}`);
    const frame =
      family === "ipv4"
        ? arpRequest(target, sender, this.mac)
        : neighborSolicitation(target, sender, this.mac);
    const place = linkAddress(family, this.#index);
    const heard = new Uint8Array(1514);
    if (libc().sendto(fd, frame, frame.length, 0, place, place.length) < 0) {
      throw new Error(`asking: ${lastErrno()}`);
    }
    const end = performance.now() + patienceMs;
    for (;;) {
      const length = libc().recv(fd, heard, heard.length, MSG_DONTWAIT);
      if (length > 0 && answers(heard.subarray(0, length), target, sender)) return true;
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

function answers(frame: Uint8Array, target: IpAddress, sender: IpAddress): boolean {
  if (familyOf(target) === "ipv4") {
    const arp = decodeArp(frame);
    return arp.ok && arp.value.sender === target && arp.value.target === sender;
  }
  const advertisement = decodeNeighborAdvertisement(frame);
  if (!advertisement.ok) return false;
  const { target: about, destination } = advertisement.value;
  return about === target && destination === sender;
}
