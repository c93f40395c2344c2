import type { MandateConfig } from "../../config/mandates.ts";
import { earliest } from "../../core/time.ts";
import type { MandateEvent } from "../../core/witness/mandate.ts";
import type { MandateNews } from "../../core/witness/mandate-news.ts";
import type { Timer } from "../../ports/clock.ts";
import { KernelError } from "../../ports/error.ts";
import type { ParentChannel } from "../../ports/processes.ts";
import type {
  FromWitness,
  LogLevel,
  MandateWish,
  ToWitness,
  WitnessProcessSettings,
} from "../ipc.ts";
import { IPC_VERSION } from "../ipc.ts";
import { FenceRequests } from "./fence-requests.ts";
import type { LeasedMandate } from "./lookout.ts";
import { Lookout } from "./lookout.ts";
import { MandateDriver } from "./mandate-driver.ts";
import { FORMER, HANDED_OVER, isOtherStore, OTHER_LEASE, OTHER_STORE } from "./other-store.ts";
import type { WitnessPorts } from "./ports.ts";
import { Store } from "./store.ts";

type Wanted = Extract<MandateWish, { readonly kind: "mandate-wanted" }>;

/**
 * Asks the store for leases and has nodes fenced, for groups that may not become active without. Apart
 * from the vrrp process, which waits for nothing, and from the director, where policies may take their
 * time. When it ends without being told to, it gives nothing back: gates may still be open.
 */
export class WitnessProcess {
  readonly #channel: ParentChannel;
  readonly #ports: WitnessPorts;
  readonly #timer: Timer;
  readonly #fences: FenceRequests;
  readonly #drivers = new Map<string, MandateDriver>();
  /** Of an earlier configuration, with something to give back. */
  readonly #retired = new Set<MandateDriver>();
  /** Of mandates that the configuration here does not have yet. */
  readonly #early = new Map<string, Wanted>();
  #settings: WitnessProcessSettings | undefined;
  #store: Store | undefined;
  /** Of the store that the settings name now. */
  #lookout: Lookout | undefined;
  #stopping = false;
  #ending = false;
  #opened = 0;

  constructor(channel: ParentChannel, ports: WitnessPorts) {
    this.#channel = channel;
    this.#ports = ports;
    this.#timer = ports.openTimer(() => this.#tick());
    this.#fences = new FenceRequests(ports.seed, (request) => this.#send(request));
    channel.listen(
      (message) => this.#hear(message as ToWitness),
      // The vrrp process sees it too, and needs its time.
      () => ports.exit(0),
    );
    this.#send({ kind: "ready", version: IPC_VERSION });
  }

  #hear(message: ToWitness): void {
    switch (message.kind) {
      case "ping":
        // Time may have passed unseen, while the machine was suspended.
        this.#tick();
        this.#send({ kind: "pong", id: message.id });
        break;
      case "stop":
        this.#stopping = true;
        this.#lookout?.retire();
        this.#nobodyWants();
        this.#endAtRest();
        break;
      case "configure":
        this.#configure(message.settings);
        break;
      case "mandate-wanted":
        if (!this.#stopping) this.#want(message);
        break;
      case "mandate-unwanted":
        if (this.#early.get(message.mandate)?.serial === message.serial) {
          this.#early.delete(message.mandate);
        }
        this.#deliver(message.mandate, { kind: "unwanted", serial: message.serial });
        break;
      case "fenced":
        this.#fences.hear(message);
        break;
      case "nobody-wants":
        this.#nobodyWants();
        break;
    }
  }

  #configure(settings: WitnessProcessSettings): void {
    if (this.#stopping || !this.#prepare(settings)) return;
    const before = this.#settings;
    this.#settings = settings;
    const sameStore = before !== undefined && essence(before.store) === essence(settings.store);
    if (!sameStore) this.#openStore(settings.store);
    if (isOtherStore(before?.store, settings.store)) this.#log("warn", OTHER_STORE);
    this.#dropStrangers(settings.mandates);
    const keys = new Map(before?.mandates.map(({ name, lease }) => [name, lease?.key]));
    for (const mandate of settings.mandates) {
      this.#configureMandate(mandate, settings, { key: keys.get(mandate.name), sameStore });
    }
    if (settings.mandates.some(({ lease }) => lease !== undefined)) this.#store?.open();
    this.#settle();
    this.#lookOut();
    if (before === undefined) this.#send({ kind: "witness-ready" });
  }

  #configureMandate(
    mandate: MandateConfig,
    settings: WitnessProcessSettings,
    former: { readonly key: string | undefined; readonly sameStore: boolean },
  ): void {
    const { name, lease } = mandate;
    const driver = this.#drivers.get(name);
    const sameName = former.key === lease?.key;
    if (!sameName && driver?.key !== undefined && lease !== undefined) {
      this.#log("warn", `${name}: ${OTHER_LEASE}`);
    }
    if (driver !== undefined && sameName && (former.sameStore || lease === undefined)) {
      driver.change(mandate);
    } else if (driver?.key !== undefined) this.#handOver(mandate, settings);
    else this.#replace(mandate, settings);
  }

  /** Nobody asks for leave any more, so nobody says that it goes back. */
  #dropStrangers(mandates: readonly MandateConfig[]): void {
    const known = new Set(mandates.map(({ name }) => name));
    for (const driver of this.#all().filter(({ name }) => !known.has(name))) {
      driver.deliver({ kind: "nobody-wants" });
      this.#retire(driver.name);
    }
  }

  /** `false`: it cannot work here, and ends. */
  #prepare(settings: WitnessProcessSettings): boolean {
    try {
      for (const message of this.#ports.prepare(settings)) this.#log("warn", message);
      return true;
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#log("error", `${error.message}; ${error.remedy}`);
      this.#ports.exit(1);
      return false;
    }
  }

  /** What is heard of one that it replaces is still told. */
  #openStore(settings: WitnessProcessSettings["store"]): void {
    const isMending = this.#lookout?.isTrouble === true;
    this.#lookout?.retire();
    this.#store = undefined;
    this.#lookout = undefined;
    if (settings === undefined) return;
    const { readStore, clock, seed } = this.#ports;
    const log = (level: LogLevel, message: string) =>
      this.#log(level, store === this.#store ? message : `${message}${FORMER}`);
    const store = new Store(`${settings.store} ${settings.endpoints.join(", ")}`, {
      clock,
      read: () => readStore(settings, this.#settings?.secrets ?? {}),
      heard: (name, answer) => lookout.note(name, answer),
      log,
    });
    const lookout = new Lookout(store, settings, {
      clock,
      seed,
      isMending,
      mandates: () => this.#leased(),
      log,
      report: (report) => this.#send({ kind: "store", report }),
      stepped: () => this.#setTimer(),
    });
    this.#store = store;
    this.#lookout = lookout;
  }

  /** After a configuration: what it says of the store may be wrong. */
  #lookOut(): void {
    if (this.#lookout !== undefined && this.#leased().length > 0) {
      this.#lookout.deliver({ kind: "opened" });
    } else this.#send({ kind: "store", report: null });
  }

  #leased(): readonly LeasedMandate[] {
    return [...this.#drivers.values()].flatMap(({ name, key, atRest: idle }) =>
      key === undefined ? [] : [{ name, key, idle }],
    );
  }

  #replace(mandate: MandateConfig, settings: WitnessProcessSettings): void {
    const { name } = mandate;
    const wanted = this.#drivers.get(name)?.wanted;
    this.#retire(name);
    const driver = this.#open(mandate, settings);
    const wish = this.#early.get(name) ?? wanted;
    this.#early.delete(name);
    if (wish === undefined) return;
    const { serial, fence } = wish;
    driver.deliver({ kind: "wanted", serial, fence });
  }

  /**
   * The same lease in another store, another lease, or none. Whoever is active stays so by the lease that it has,
   * until the store has said what it says of the other one; and keeps it after that too, as other nodes may
   * still ask for it.
   */
  #handOver(mandate: MandateConfig, settings: WitnessProcessSettings): void {
    const { name } = mandate;
    const speaker = this.#speaker(name);
    const serial = speaker?.speaksFor;
    if (speaker === undefined || serial === undefined) {
      this.#replace(mandate, settings);
      return;
    }
    if (this.#drivers.get(name) === speaker) this.#retired.add(speaker);
    else this.#retire(name);
    this.#open(mandate, settings).deliver({ kind: "wanted", serial, fence: false });
  }

  #speaker(name: string, but?: MandateDriver): MandateDriver | undefined {
    const all = this.#all().filter((one) => one.name === name && one !== but);
    return all.find(({ speaksFor }) => speaksFor !== undefined);
  }

  #open(mandate: MandateConfig, settings: WitnessProcessSettings): MandateDriver {
    const { name, lease } = mandate;
    const { holder, store: witness } = settings;
    this.#opened += 1;
    const store = lease === undefined ? undefined : this.#store;
    const driver = new MandateDriver(
      { mandate, store, witness, holder },
      {
        ...this.#ports,
        seed: this.#ports.seed + this.#opened,
        tell: (serial, news) => this.#tell(driver, serial, news),
        fence: (devices) => this.#fences.run(devices),
        report: (report) => this.#send({ kind: "event", report }),
        stepped: () => this.#settle(),
      },
    );
    this.#drivers.set(name, driver);
    return driver;
  }

  #tell(driver: MandateDriver, serial: number, news: MandateNews): void {
    const { name } = driver;
    const speaker = this.#speaker(name, driver);
    if (speaker?.speaksFor === serial) {
      if (driver.key !== undefined && !isDecisive(news)) return;
      speaker.silence();
      if (driver.key !== undefined && news.kind === "granted")
        this.#log("info", `${name}: ${HANDED_OVER}`);
    }
    this.#send({ kind: "mandate", mandate: name, serial, news });
  }

  #retire(name: string): void {
    const driver = this.#drivers.get(name);
    if (driver === undefined) return;
    this.#drivers.delete(name);
    this.#retired.add(driver);
    driver.retire();
  }

  #want(wish: Wanted): void {
    const { mandate, serial, fence } = wish;
    if (!this.#drivers.has(mandate)) this.#early.set(mandate, wish);
    // Who wants it anew has let go of what it had.
    for (const driver of this.#retired) {
      const anew = driver.name === mandate && driver.speaksFor !== serial;
      if (anew) driver.deliver({ kind: "nobody-wants" });
    }
    this.#drivers.get(mandate)?.deliver({ kind: "wanted", serial, fence });
  }

  #nobodyWants(): void {
    this.#early.clear();
    for (const driver of this.#all()) driver.deliver({ kind: "nobody-wants" });
  }

  #deliver(mandate: string, event: MandateEvent): void {
    for (const driver of this.#all()) {
      if (driver.name === mandate) driver.deliver(event);
    }
  }

  #tick(): void {
    const now = this.#ports.clock.now();
    for (const driver of this.#all()) {
      const { deadline } = driver;
      if (deadline !== undefined && deadline <= now) driver.deliver({ kind: "tick" });
    }
    const lookAt = this.#lookout?.deadline;
    if (lookAt !== undefined && lookAt <= now) this.#lookout?.deliver({ kind: "tick" });
    this.#settle();
  }

  /** After whatever happened. */
  #settle(): void {
    for (const driver of this.#retired) {
      if (driver.atRest) this.#dismiss(driver);
    }
    this.#lookout?.settle();
    this.#setTimer();
    if (this.#stopping) this.#endAtRest();
  }

  #setTimer(): void {
    if (this.#ending) return;
    const deadlines = this.#all().map(({ deadline }) => deadline);
    const next = earliest(...deadlines, this.#lookout?.deadline);
    this.#timer.set(next === undefined ? undefined : this.#ports.clock.onHost(next));
  }

  #dismiss(driver: MandateDriver): void {
    this.#retired.delete(driver);
    const { store } = driver;
    const used = store === this.#store || this.#all().some((other) => other.store === store);
    if (!used) void store?.close();
  }

  /** Fence agents that run are let finish. */
  #endAtRest(): void {
    if (this.#ending || this.#all().some((driver) => !driver.atRest)) return;
    this.#ending = true;
    this.#timer.close();
    void Promise.resolve(this.#store?.close()).then(() => {
      this.#send({ kind: "stopped" });
      this.#ports.exit(0);
    });
  }

  #all(): readonly MandateDriver[] {
    return [...this.#drivers.values(), ...this.#retired];
  }

  #log(level: LogLevel, message: string): void {
    this.#send({ kind: "log", level, message });
  }

  #send(message: FromWitness): void {
    this.#channel.send(message);
  }
}

/** The store has said whose the lease is: it is not out of reach, nor does it wait for another one of ours. */
const isDecisive = (news: MandateNews): boolean =>
  news.kind === "taken" || (news.kind === "granted" && news.deadlineAt !== null);

/** To compare by: without what it is called and where it stands. */
const essence = (value: object | undefined): string =>
  JSON.stringify(value, (key, part: unknown) => (key === "position" ? undefined : part)) ?? "";
