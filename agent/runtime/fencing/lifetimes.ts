import type { InstanceConfig } from "../../config/config.ts";
import { familyOf } from "../../core/address.ts";
import type { Instant, Micros } from "../../core/time.ts";
import { after, earliest, micros, milliseconds, seconds, since, sooner } from "../../core/time.ts";
import type { Lifetime } from "../../core/vrrp/lifetime.ts";
import { EARLY_END, lifetimeAlone, lifetimeOf } from "../../core/vrrp/lifetime.ts";
import { OWNER_PRIORITY } from "../../core/vrrp/virtual-router.ts";
import type { Clock } from "../../ports/clock.ts";
import type { AddressRequest, Network, RequestOutcome } from "../../ports/network.ts";
import type { AddressHolding } from "../holding.ts";
import { configuredKey } from "../holding.ts";
import type { Guard } from "../holdings.ts";
import type { LogLevel } from "../ipc.ts";
import type { Schedule, Slot } from "../schedule.ts";

/** What the lifetimes need, and whom they tell. */
export interface LifetimesParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** What is on the host by our doing under this key, and is to stay there. */
  readonly kept: (key: string) => AddressHolding | undefined;
  readonly tell: (level: LogLevel, message: string) => void;
}

/** An address that the kernel removes unless it hears of it again. */
interface Life {
  readonly key: string;
  /** Counted from each refresh. */
  readonly length: Micros;
  readonly heldSince: Instant;
  /** Just before the kernel was asked. */
  refreshedAt: Instant;
  /** The kernel was asked, and has not answered. */
  asked: boolean;
  unlimited: boolean;
}

/** An address whose turn it is. */
interface Due {
  readonly life: Life;
  readonly request: AddressRequest;
}

/** What is due within this part of its refresh interval goes along now, so that all go together. */
const TOGETHER = 1 / 4;
/** When an address that is not there, or was refused, is looked at again. */
const AGAIN = milliseconds(400);

/** How long the kernel is to keep this instance's addresses without us; `undefined`: for ever. */
export function lifetimeOfInstance({ fencing, router }: InstanceConfig): Lifetime | undefined {
  // Its addresses are this machine's own.
  if (fencing === "off" || router.priority === OWNER_PRIORITY) return undefined;
  const { advertisementInterval: interval, downTimerAdverts } = router;
  const alone = fencing === "lifetime" ? lifetimeAlone(interval, downTimerAdverts) : undefined;
  return alone ?? lifetimeOf(interval, downTimerAdverts);
}

/** How long addresses of these may be on the host without us, where the kernel removes them by itself. */
export const longestLifetime = (instances: readonly InstanceConfig[] = []): Micros =>
  seconds(Math.max(0, ...instances.map((one) => lifetimeOfInstance(one)?.seconds ?? 0)) + 1);

/**
 * Keeps addresses alive in the kernel, which removes by itself what a dead or hanging agent left. All of
 * them in one batch.
 */
export class Lifetimes implements Guard {
  readonly ofOthers = false;
  readonly #parts: LifetimesParts;
  readonly #lives = new Map<string, Life>();
  readonly #slot: Slot;
  readonly #resumed: Slot;
  readonly #ended: (() => void)[] = [];
  /** Said, and not over yet. */
  readonly #troubles = new Set<"late" | "refused">();

  constructor(parts: LifetimesParts) {
    this.#parts = parts;
    this.#slot = parts.schedule.slot((now) => this.#refresh(now));
    this.#resumed = parts.schedule.slot(() => {
      for (const putBack of this.#ended.splice(0)) putBack();
    });
  }

  guards({ lifetime }: AddressHolding): boolean {
    return lifetime !== undefined;
  }

  before(requests: readonly AddressRequest[]) {
    const now = this.#parts.clock.now();
    for (const { interfaceIndex, address, lifetime = 0 } of requests) {
      const key = configuredKey(interfaceIndex, address);
      const heldSince = this.#lives.get(key)?.heldSince ?? now;
      const length = seconds(lifetime);
      const life = { key, length, heldSince, refreshedAt: now, asked: false, unlimited: false };
      this.#lives.set(key, life);
    }
    const soon = after(now, AGAIN);
    const { at } = this.#slot;
    this.#slot.set(at === undefined ? soon : sooner(at, soon));
    return Promise.resolve(undefined);
  }

  release({ interfaceIndex, address }: AddressRequest): void {
    this.#lives.delete(configuredKey(interfaceIndex, address));
  }

  /**
   * It is gone from the host. Answers whether the kernel may have removed it, as it was not refreshed in
   * time. Then `putBack` is called once everything is heard that came meanwhile: another node may have
   * taken the address over.
   */
  ended(key: string, putBack: () => void): boolean {
    const life = this.#lives.get(key);
    const now = this.#parts.clock.now();
    if (life === undefined || !mayHaveEnded(life, now)) return false;
    this.#ended.push(putBack);
    // Packets that wait are drained before a deadline acts that passed while the process stood still.
    this.#resumed.set(now);
    return true;
  }

  close(): void {
    this.#slot.set(undefined);
    this.#resumed.set(undefined);
  }

  #refresh(now: Instant): void {
    const due: Due[] = [];
    let next: Instant | undefined;
    for (const life of this.#lives.values()) {
      const holding = life.asked ? undefined : this.#parts.kept(life.key);
      let at = after(now, AGAIN);
      if (holding?.lifetime !== undefined) {
        const { refresh } = holding.lifetime;
        at = after(life.refreshedAt, refresh);
        if (at <= after(now, micros(refresh * TOGETHER))) {
          at = after(now, refresh);
          due.push({ life, request: stillPreferred(holding.request, since(life.heldSince, now)) });
        }
      }
      next = earliest(next, at);
    }
    this.#slot.set(next);
    if (due.length > 0) this.#ask(due, now);
  }

  #ask(due: readonly Due[], now: Instant): void {
    const late = due.filter(({ life }) => mayHaveEnded(life, now)).length;
    this.#say(
      "late",
      late === 0
        ? undefined
        : `${late} addresses were not refreshed in time, and the kernel may have removed them: is this host overloaded?`,
    );
    for (const { life } of due) life.asked = true;
    void this.#parts.network
      .refreshAddresses(due.map(({ request }) => request))
      .then((outcomes) => {
        const refused: string[] = [];
        for (const [at, { life, request }] of due.entries()) {
          life.asked = false;
          const outcome = outcomes[at];
          if (outcome?.ok === true) this.#granted(life, request, outcome, now);
          // What is gone is heard of otherwise.
          else if (outcome !== undefined && outcome.errno !== GONE) refused.push(outcome.message);
        }
        this.#say("refused", refusal(refused));
      });
  }

  #granted(
    life: Life,
    request: AddressRequest,
    { unlimited = false }: Granted,
    now: Instant,
  ): void {
    life.refreshedAt = now;
    if (unlimited && !life.unlimited) this.#parts.tell("warn", this.#whyUnlimited(request));
    life.unlimited = unlimited;
  }

  #whyUnlimited({ interfaceIndex, address: { address, prefixLength } }: AddressRequest): string {
    const name = this.#parts.network.links().get(interfaceIndex)?.name ?? "its interface";
    const without = `${address}/${prefixLength} on ${name} has no lifetime, and stays if this agent dies`;
    if (familyOf(address) === "ipv6") return `${without}: it was there without one`;
    return `${without}: other addresses of its prefix would go with it; set net.ipv4.conf.${name}.promote_secondaries to 1`;
  }

  /** Once, until it is over. */
  #say(trouble: "late" | "refused", message: string | undefined): void {
    if (message === undefined) this.#troubles.delete(trouble);
    else if (!this.#troubles.has(trouble)) {
      this.#troubles.add(trouble);
      this.#parts.tell("warn", message);
    }
  }
}

type Granted = Extract<RequestOutcome, { readonly ok: true }>;

const GONE = "EADDRNOTAVAIL";

const mayHaveEnded = ({ unlimited, length, refreshedAt }: Life, now: Instant): boolean =>
  !unlimited && since(refreshedAt, now) >= length - EARLY_END;

/** A preferred lifetime counts from when the address was taken, however often it is refreshed. */
function stillPreferred(request: AddressRequest, held: Micros): AddressRequest {
  const { preferredLifetime } = request.address;
  if (preferredLifetime === undefined) return request;
  const left = Math.max(0, preferredLifetime - Math.floor(held / seconds(1)));
  return { ...request, address: { ...request.address, preferredLifetime: left } };
}

function refusal([first, ...more]: readonly string[]): string | undefined {
  if (first === undefined) return undefined;
  const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
  return `${first}${others}; what is not refreshed is removed by the kernel`;
}
