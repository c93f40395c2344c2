import type { EndpointSpec } from "../ports/advertisement-sockets.ts";
import { KernelError } from "../ports/error.ts";
import type {
  ReadyPacket,
  WillOutcome,
  WillRequest,
  Withdrawn,
  WithdrawOutcome,
  WithdrawRequest,
} from "../ports/last-will.ts";
import { lastErrno, libc } from "./libc.ts";
import { insideNamedNamespace } from "./namespace.ts";
import { deleteOurTables } from "./netlink/filter-tables.ts";
import { keepsMarks } from "./netlink/mark.ts";
import { SideSocket } from "./netlink/side-socket.ts";
import type { Inside } from "./netlink/withdrawal.ts";
import {
  countAddresses,
  withdrawAddresses,
  withdrawLinks,
  withdrawRoutes,
  withdrawRules,
} from "./netlink/withdrawal.ts";
import { openSendSocket } from "./send-socket.ts";
import { ipSocketAddress } from "./socket-address.ts";

/** Of `withdraw`, which nobody waits for as for a will. */
const WITHDRAW_LIMIT_MS = 10_000;

/**
 * See LastWill.
 *
 * @param marked the kernel tells our addresses from others
 */
export const executeWill = (request: WillRequest, marked = keepsMarks()): Promise<WillOutcome> =>
  new Execution(request, marked).run();

/**
 * Goes the way of a will as far as nothing changes: what a process does for the first time takes it many
 * times as long, and here milliseconds count. Never rejects.
 */
export async function rehearse(): Promise<void> {
  try {
    const socket = new SideSocket();
    await countAddresses(socket);
    socket.close();
    const spec = { family: "ipv4", protocol: 112, group: undefined, ttl: 255 } as const;
    libc().close(openSendSocket({ ...spec, interfaceIndex: undefined }));
  } catch (error) {
    // Whatever it is, it is said when it matters.
    if (!(error instanceof KernelError)) throw error;
  }
}

/** Removes everything that carries our mark. Nothing here rejects. */
export function withdraw(request: WithdrawRequest): Promise<WithdrawOutcome> {
  return executeWill({ ...request, packets: [], limitMs: WITHDRAW_LIMIT_MS });
}

type Counted = Exclude<keyof Withdrawn, "filter">;

class Execution {
  readonly #request: WillRequest;
  readonly #marked: boolean;
  readonly #problems: KernelError[] = [];
  readonly #withdrawn: Record<Counted, number> = { addresses: 0, routes: 0, rules: 0, links: 0 };
  #filter = false;
  #sent = 0;
  /** What is under way stays so, but nothing more is begun. */
  #over = false;

  constructor(request: WillRequest, marked: boolean) {
    this.#request = request;
    this.#marked = marked;
  }

  async run(): Promise<WillOutcome> {
    const { limitMs } = this.#request;
    let cancel: () => void = () => undefined;
    const limit = new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#over = true;
        this.#problems.push(late(limitMs));
        resolve();
      }, limitMs);
      cancel = () => clearTimeout(timer);
    });
    await Promise.race([this.#work().finally(cancel), limit]);
    const withdrawn = { ...this.#withdrawn, filter: this.#filter };
    return { withdrawn, sent: this.#sent, problems: [...this.#problems] };
  }

  async #work(): Promise<void> {
    const route = this.#open();
    if (route === undefined) return;
    let gone = false;
    try {
      gone = await this.#step("addresses", () =>
        withdrawAddresses(route, this.#inside, this.#marked),
      );
      // A peer that heard of it would answer for addresses that are here still.
      if (gone) this.#send();
      await this.#step("rules", () => withdrawRules(route));
      await this.#step("routes", () => withdrawRoutes(route));
      if (this.#request.links) await this.#step("links", () => withdrawLinks(route));
    } finally {
      route.close();
    }
    // Addresses that are here still stay behind the gate: its rules outlive them, and end by themselves.
    if (gone) await this.#tables();
  }

  /** Last: without the addresses they keep nothing from anybody. */
  async #tables(): Promise<void> {
    if (this.#over) return;
    const { removed, problem } = await this.#inside(deleteOurTables);
    this.#filter = removed;
    if (problem !== undefined) this.#problems.push(problem);
  }

  #open(): SideSocket | undefined {
    try {
      return this.#inside(() => new SideSocket());
    } catch (error) {
      this.#note(error);
      return undefined;
    }
  }

  /** Answers whether all of it went. */
  async #step(what: Counted, work: () => Promise<number>): Promise<boolean> {
    if (this.#over) return false;
    try {
      this.#withdrawn[what] += await work();
      return !this.#over;
    } catch (error) {
      this.#note(error);
      return false;
    }
  }

  #send(): void {
    const bySpec = new Map<string, ReadyPacket[]>();
    for (const packet of this.#request.packets) {
      const key = JSON.stringify(packet.spec);
      const others = bySpec.get(key);
      if (others === undefined) bySpec.set(key, [packet]);
      else others.push(packet);
    }
    const failures = new Map<string, KernelError>();
    for (const packets of bySpec.values()) {
      const [first] = packets;
      if (first === undefined) continue;
      try {
        this.#sent += this.#sendAll(first.spec, packets);
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        failures.set(error.message, error);
      }
    }
    this.#problems.push(...failures.values());
  }

  #sendAll(spec: EndpointSpec, packets: readonly ReadyPacket[]): number {
    const fd = this.#inside(() => openSendSocket(spec));
    let sent = 0;
    let errno: string | undefined;
    for (const { destination, packet } of packets) {
      const bytes = Buffer.from(packet, "base64");
      const to = ipSocketAddress(destination, spec.interfaceIndex ?? 0);
      const length = libc().sendto(fd, bytes, bytes.length, 0, to, to.length);
      if (length === bytes.length) sent += 1;
      else errno = lastErrno();
    }
    libc().close(fd);
    if (errno === undefined) return sent;
    this.#sent += sent;
    throw new KernelError(errno, `a resignation could not be sent: ${errno}`, UNHEARD);
  }

  readonly #inside: Inside = (work) => {
    const { namespace } = this.#request;
    return namespace === undefined ? work() : insideNamedNamespace(namespace, work);
  };

  #note(error: unknown): void {
    const known = error instanceof KernelError;
    this.#problems.push(known ? error : unexpected(error));
  }
}

const UNHEARD = "peers take over when they have heard nothing for a while";

/** Also a defect of ours is not to end the process that starts the next one. */
const unexpected = (error: unknown): KernelError =>
  new KernelError(
    "will-failed",
    error instanceof Error ? error.message : String(error),
    "the next vrrp process removes what is left",
  );

const late = (limitMs: number): KernelError =>
  new KernelError(
    "will-late",
    `the kernel did not let go of everything within ${limitMs} ms`,
    "see what holds its locks (another program's large change of the network or the packet filter)",
  );
