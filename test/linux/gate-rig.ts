import { execFileSync, spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { Instant, Micros } from "../../agent/core/time.ts";
import { after, milliseconds, seconds } from "../../agent/core/time.ts";
import { systemClock } from "../../agent/linux/clock.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../agent/linux/lab.ts";
import { openPacketFilter } from "../../agent/linux/netlink/packet-filter.ts";
import type { FilterEvent } from "../../agent/ports/filter-event.ts";
import type { Gate, GatedAddress, Opening } from "../../agent/ports/gate.ts";
import { Asker } from "./asker.ts";
import { address, enterNamespace, ip, skip } from "./network-rig.ts";

const hasNft = spawnSync("nft", ["--version"]).status === 0;
export const needsNft = skip === false && !hasNft ? "needs the program nft" : skip;

export const nft = (words: string): string =>
  execFileSync("nft", words.split(" "), { encoding: "utf8" }).trim();
export const ruleset = (): string => nft("list ruleset");

export const VIP = "192.0.2.100";
export const VIP6 = "2001:db8::100";
export const VIP_LINK = "fe80::100";
export const CLIENT = "192.0.2.1";
export const CLIENT6 = "2001:db8::1";
export const KEEP = seconds(60);
const MARGIN = seconds(1);
/** A link's index, as `ip -j link show` has it. */
export const indexOf = (name: string): number => JSON.parse(ip(`-j link show ${name}`))[0].ifindex;

export const now = (): Instant => systemClock.now();

/**
 * This process is the host, in a namespace of its own, with the addresses on v0; the client is on the
 * other end of that.
 */
export class GateRig {
  readonly lab: Lab;
  readonly client: LabNode;
  readonly asker: Asker;
  readonly v0: number;
  readonly #opened: { close(): Promise<void> }[] = [];

  constructor() {
    enterNamespace();
    this.lab = new Lab();
    this.client = this.lab.node("client");
    for (const end of ["v0", "v1"]) ip(`link set ${end} addrgenmode none`);
    ip(`link set v1 netns ${this.client.path}`);
    for (const one of [`${CLIENT}/24`, "192.0.2.2/24", `${CLIENT6}/64`, "fe80::1/64"]) {
      this.inClient(`ip address add ${one} dev v1${one.includes(":") ? " nodad" : ""}`);
    }
    this.inClient("ip link set v1 up");
    ip("address add 192.0.2.200/24 dev v0");
    ip(`address add ${VIP}/32 dev v0`);
    for (const one of ["2001:db8::200", VIP6, VIP_LINK]) ip(`address add ${one}/64 dev v0 nodad`);
    this.v0 = indexOf("v0");
    this.asker = new Asker(this.client, "v1");
  }

  /** Takes down what a test has left. */
  async tidy(): Promise<void> {
    for (const one of this.#opened.splice(0)) await one.close();
    nft("flush ruleset");
    this.inClient("ip neigh flush dev v1");
    ip("neigh flush dev v0");
  }

  dispose(): void {
    this.asker.close();
    this.lab.dispose();
  }

  openFilter() {
    const filter = openPacketFilter();
    this.#opened.push(filter.gate, filter.acceptFilter);
    return filter;
  }

  open = (): Gate => this.openFilter().gate;

  at = (text: string, interfaceIndex = this.v0): GatedAddress => ({
    interfaceIndex,
    address: address(text),
  });

  inClient(words: string): string {
    const [program = "", ...args] = words.split(" ");
    return this.client.exec(program, args).stdout;
  }

  /** Whether the client gets an answer about the address. */
  asks = (text: string, patienceMs?: number): boolean => this.asker.asks(address(text), patienceMs);

  pings = (words: string): boolean =>
    this.client.exec("ping", ["-c", "1", "-W", "0.2", ...words.split(" ")]).status === 0;

  /** When the last question was asked that was answered; asked from just before the deadline on. */
  async lastAnswer(target: string, deadline: Instant): Promise<number> {
    const ahead = (deadline - now()) / 1000 - 300;
    if (ahead > 0) await delay(ahead);
    let last = Number.NEGATIVE_INFINITY;
    for (;;) {
      const askedAt = now();
      if (this.asks(target)) last = askedAt;
      if (askedAt > after(deadline, milliseconds(60))) return last;
    }
  }
}

export const opening = (
  addresses: readonly GatedAddress[],
  length: Micros,
  margin = MARGIN,
): Opening => ({ addresses, deadline: after(now(), length), margin });

export const nextEvent = (gate: Gate): Promise<FilterEvent> =>
  new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error("nothing was heard")), 10_000);
    const unsubscribe = gate.subscribe((event) => {
      clearTimeout(limit);
      unsubscribe();
      resolve(event);
    });
  });
