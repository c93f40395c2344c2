import { setImmediate as nextTurn } from "node:timers/promises";
import type { NetworkEvent } from "../../ports/network.ts";
import type { NetlinkMessage } from "../../wire/netlink/message.ts";
import { RTM } from "../../wire/netlink/rtnetlink.ts";
import { addressDumpBody, decodeAddress } from "./address-message.ts";
import type { Channel } from "./channel.ts";
import type { HostView } from "./host-view.ts";
import { decodeLink, linkDumpBody } from "./link-message.ts";
import type { Monitor } from "./monitor.ts";

/** Between two looks at the whole host during a storm that overruns the buffer again and again. */
const PAUSE_MS = 100;

/** What is decoded in a fraction of a millisecond: advertisements do not wait for thousands. */
const MESSAGES_PER_TURN = 128;

type Cause = Extract<NetworkEvent, { kind: "resynchronized" }>["cause"];

/** Compares the view with the kernel: when messages were lost, and every few seconds anyway. */
export class Resynchronization {
  readonly #dumps: Channel;
  readonly #view: HostView;
  readonly #monitor: Monitor;
  readonly #tell: (cause: Cause) => void;
  #running: Promise<string | undefined> | undefined;
  #overrun = false;

  constructor(dumps: Channel, view: HostView, monitor: Monitor, tell: (cause: Cause) => void) {
    this.#dumps = dumps;
    this.#view = view;
    this.#monitor = monitor;
    this.#tell = tell;
  }

  /** Messages were lost: looks at once, and again while more get lost. */
  overrun(): void {
    if (this.#overrun) return;
    this.#overrun = true;
    void this.#repeat();
  }

  /** Looks, and tells when the view was wrong. */
  async audit(): Promise<void> {
    if (this.#running !== undefined) return;
    await this.refresh();
  }

  /**
   * The view is as true afterwards as a dump can make it. Answers the errno name when the kernel
   * refused the dump.
   */
  async refresh(): Promise<string | undefined> {
    // One that began earlier may have missed what the caller wants to see.
    await this.#running;
    this.#running ??= this.#look("audit").finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #repeat(): Promise<void> {
    while (this.#overrun) {
      await this.#running;
      this.#overrun = false;
      this.#running ??= this.#look("overrun").finally(() => {
        this.#running = undefined;
      });
      await this.#running;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS).unref());
    }
  }

  async #look(cause: Cause): Promise<string | undefined> {
    // What waits in the queue is older than the dump and must not overrule it.
    await this.#monitor.drained();
    this.#view.beginDump();
    const links = await this.#dumps.dump(RTM.getLink, linkDumpBody());
    const addresses = await this.#dumps.dump(RTM.getAddress, addressDumpBody());
    const errno = links.errno ?? addresses.errno;
    if (errno !== undefined) {
      this.#view.abandonDump();
      return errno;
    }
    const linksThere = await decodeInTurns(links.messages, decodeLink);
    const addressesThere = await decodeInTurns(addresses.messages, decodeAddress);
    await this.#monitor.drained();
    const differences = this.#view.endDump(linksThere, addressesThere);
    if (cause === "overrun" || differences > 0) this.#tell(cause);
    return undefined;
  }
}

async function decodeInTurns<Value>(
  messages: readonly NetlinkMessage[],
  decode: (body: Uint8Array) => Value | undefined,
): Promise<readonly Value[]> {
  const values: Value[] = [];
  for (let at = 0; at < messages.length; at += MESSAGES_PER_TURN) {
    if (at > 0) await nextTurn();
    for (const { body } of messages.slice(at, at + MESSAGES_PER_TURN)) {
      const value = decode(body);
      if (value !== undefined) values.push(value);
    }
  }
  return values;
}
