import type { NetlinkMessage } from "../../wire/netlink/message.ts";
import { decodeMessages } from "../../wire/netlink/message.ts";
import type { NetlinkSocket, ReceiveBufferSize } from "./netlink-socket.ts";
import { openNetlinkSocket, throwLater } from "./netlink-socket.ts";

/** An overrun that no further message betrays is seen after this long at the latest. */
const WATCH_MS = 1000;
/** The addon reads 32 messages a turn: far more than a full receive buffer holds. */
const DRAIN_TURNS = 20_000;

/** Hears the kernel's announcements, and notices when some were lost. */
export class Monitor {
  readonly #socket: NetlinkSocket;
  readonly #overrun: () => void;
  readonly #watch: NodeJS.Timeout;
  readonly #groups = new Set<number>();
  #check: NodeJS.Immediate | undefined;
  #dropped = 0;

  /** `heard` gets every message in the kernel's order, `overrun` is told of losses. */
  constructor(
    buffer: ReceiveBufferSize,
    heard: (message: NetlinkMessage) => void,
    overrun: () => void,
  ) {
    this.#overrun = overrun;
    this.#socket = openNetlinkSocket(buffer, (bytes) => {
      this.#check ??= setImmediate(() => this.#look());
      for (const message of decodeMessages(bytes)) {
        try {
          heard(message);
        } catch (error) {
          throwLater(error);
        }
      }
    });
    this.#watch = setInterval(() => this.#look(), WATCH_MS).unref();
  }

  join(groups: readonly number[]): void {
    for (const group of groups) {
      if (this.#groups.has(group)) continue;
      this.#socket.join(group);
      this.#groups.add(group);
    }
  }

  /** Resolves when everything that the kernel had announced by now was heard. */
  async drained(): Promise<void> {
    for (let turn = 0; turn < DRAIN_TURNS && this.#socket.pressure().queued > 0; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  close(): void {
    clearInterval(this.#watch);
    clearImmediate(this.#check);
    this.#socket.close();
  }

  #look(): void {
    this.#check = undefined;
    const { dropped } = this.#socket.pressure();
    if (dropped === this.#dropped) return;
    this.#dropped = dropped;
    this.#overrun();
  }
}
