import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import type { Programs } from "./programs.ts";

/** Of the service that says its node's name. */
export const PORT = 8080;

/** Something came from a host. Times are milliseconds since 1970, by the kernel's stamp. */
export interface Heard {
  readonly at: number;
  /** Lower case with colons. */
  readonly mac: string;
}

/** A connection was answered. */
export interface Connected extends Heard {
  /** When it was begun. */
  readonly asked: number;
}

export interface HeardAdvert extends Heard {
  readonly priority: number;
}

/** Milliseconds since 1970, finer than Date's. */
export const wallClock = (): number => performance.timeOrigin + performance.now();

/**
 * A client in a namespace of its own, who asks for an address every 5 ms, by ARP or neighbour
 * solicitation and by a TCP connection, and notes who answered (client.c).
 */
export class Client {
  /** Answers to the question who has the address. */
  readonly who: Heard[] = [];
  /** Answered connections. */
  readonly tcp: Connected[] = [];
  /** Gratuitous ARP, and neighbour advertisements that nobody asked for. */
  readonly announced: Heard[] = [];
  readonly adverts: HeardAdvert[] = [];
  /** Its own turns that came too late. */
  readonly late: { readonly at: number; readonly ms: number }[] = [];
  readonly #child: ChildProcess;

  constructor(programs: Programs, node: LabNode, link: string, asked: string, own: string) {
    const words = [link, asked, own, String(PORT)];
    const child = node.spawn(programs.file("client"), words, {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (child.stdout === null) throw new TypeError("no output");
    createInterface({ input: child.stdout }).on("line", (line) => this.#hear(line));
    this.#child = child;
  }

  /** Its own worst lateness since then, in milliseconds. */
  lateness(since: number): number {
    return Math.max(0, ...this.late.filter(({ at }) => at >= since).map(({ ms }) => ms));
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }

  #hear(line: string): void {
    const [kind, time, mac = "", more] = line.split(" ");
    const at = Number(time) / 1_000;
    if (kind === "who") this.who.push({ at, mac });
    else if (kind === "tcp") this.tcp.push({ at, mac, asked: Number(more) / 1_000 });
    else if (kind === "announced") this.announced.push({ at, mac });
    else if (kind === "advert") this.adverts.push({ at, mac, priority: Number(more) });
    else if (kind === "late") this.late.push({ at, ms: Number(mac) / 1_000 });
  }
}
