import type { PingSource, Pings } from "../../agent/ports/probes.ts";
import type { ProbeOf, ProbeOutcome, RunProbe } from "../../agent/ports/server-probes.ts";
import { wordsOf } from "../call/failure.ts";
import { since } from "../network/milliseconds.ts";
import { inWords } from "./conversation.ts";

type OpenPings = (source: PingSource) => Pings;

/** PING_CHECK: one echo request is answered. Probes from one source share a socket. */
export class PingProbes {
  readonly #openPings: OpenPings;
  readonly #pings = new Map<string, Pings>();

  constructor(openPings: OpenPings) {
    this.#openPings = openPings;
  }

  readonly run: RunProbe<ProbeOf<"ping">> = ({ to }, signal) =>
    new Promise((resolve) => {
      const begun = performance.now();
      let forget: (() => void) | undefined;
      const settle = (ok: boolean, reason: string): void => {
        signal.removeEventListener("abort", aborted);
        forget?.();
        resolve({ ok, reason, ms: since(begun) } satisfies ProbeOutcome);
      };
      const aborted = (): void => settle(false, "timeout waiting for the echo reply");
      if (signal.aborted) {
        aborted();
        return;
      }
      try {
        const sent = this.#from(to).send(to.address, () => settle(true, "echo reply"));
        forget = sent.forget;
        if (sent.errno === undefined) signal.addEventListener("abort", aborted);
        else settle(false, wordsOf(sent.errno));
      } catch (error) {
        settle(false, inWords(error));
      }
    });

  close(): void {
    for (const pings of this.#pings.values()) pings.close();
    this.#pings.clear();
  }

  #from({ sourceAddress, interface: name, fwmark }: PingSource): Pings {
    const key = `${sourceAddress ?? ""} ${name ?? ""} ${fwmark}`;
    const known = this.#pings.get(key);
    if (known !== undefined) return known;
    const pings = this.#openPings({ sourceAddress, interface: name, fwmark });
    this.#pings.set(key, pings);
    return pings;
  }
}
