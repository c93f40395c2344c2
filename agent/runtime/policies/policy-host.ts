import type { DirectorStatus } from "../../control/protocol.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import { after, milliseconds, seconds } from "../../core/time.ts";
import type { RouterSnapshot } from "../../core/vrrp/snapshot.ts";
import type { PolicyFile } from "../../policy/discover.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import type { DirectorPart, Outlet } from "../director/part.ts";
import type { DirectorSettings, EventReport } from "../ipc.ts";
import { Schedule } from "../schedule.ts";
import { BalanceSeats } from "./balance-seats.ts";
import { Capabilities } from "./capabilities.ts";
import { hookEvent, movedService } from "./hook-event.ts";
import { Policy } from "./policy.ts";
import { PolicyFolder } from "./policy-folder.ts";
import type { PolicyWorld } from "./policy-world.ts";
import type { PolicyHostPorts, PolicyMemory } from "./ports.ts";
import { Realms } from "./realms.ts";
import { timeLimit } from "./time-limit.ts";
import { Turnstile } from "./turnstile.ts";
import { WorldView } from "./world-view.ts";

/** Builds and loads at once: more gain nothing. */
const LOADS_AT_ONCE = 64;
/** Routers wait for the first word of a director; not for a check that takes its time. */
const FIRST_VERDICTS = milliseconds(4_000);
const SNAPSHOT_INTERVAL = seconds(1);
/** With many routers a snapshot is work for the vrrp process. */
const MANY_ROUTERS = 200;
const MANY_SNAPSHOT_INTERVAL = seconds(10);
/** First runs of many checks: one policy each millisecond. */
const START_STEP = milliseconds(1);

/** The policies of a director: loaded, reloaded when they change, scheduled, and held to their limits. */
export class PolicyHost implements DirectorPart {
  readonly name = "policies";
  readonly #ports: PolicyHostPorts;
  readonly #outlet: Outlet;
  readonly #schedule: Schedule;
  readonly #world: PolicyWorld;
  readonly #realms = new Realms();
  readonly #view: WorldView;
  readonly #capabilities: Capabilities;
  readonly #loads = new Turnstile(LOADS_AT_ONCE);
  readonly #policies = new Map<string, Policy>();
  readonly #snapshots;
  #folder: PolicyFolder | undefined;
  #settings: DirectorSettings | undefined;
  #memory: { readonly directory: string; readonly memory: PolicyMemory } | undefined;
  #sandbox: Promise<Sandbox> | undefined;
  #configured: Promise<void> = Promise.resolve();
  #routers = 0;
  #started = false;
  /** Policies that are being loaded now. */
  readonly #loading = new Set<Promise<void>>();
  /** They are to be loaded anew even where their files are what runs. */
  #anew = false;
  #stopped: Promise<void> | undefined;

  constructor(outlet: Outlet, ports: PolicyHostPorts) {
    this.#ports = ports;
    this.#outlet = outlet;
    // Nothing here waits in a socket that a late deadline would have to see first.
    this.#schedule = new Schedule(ports.clock, ports.openTimer, () => undefined);
    this.#view = new WorldView(ports.clock, ports.services?.views.bind(ports.services));
    this.#capabilities = new Capabilities(ports, (level, text) => outlet.log(level, text));
    this.#snapshots = this.#schedule.slot(() => this.#askForSnapshot());
    this.#world = {
      ports,
      outlet,
      schedule: this.#schedule,
      capabilities: this.#capabilities,
      view: this.#view,
      realms: this.#realms,
      seats: new BalanceSeats(),
      memory: {
        load: (policy) => this.#memory?.memory.load(policy),
        save: (policy, state) => this.#memory?.memory.save(policy, state),
      },
      settings: () => this.#known(),
      sandbox: () => this.#openSandbox(),
      started: () => this.#started,
      startSpan: () => this.#policies.size * START_STEP,
    };
  }

  async configure(settings: DirectorSettings): Promise<void> {
    // One after another, but without waiting for the verdicts of an earlier one.
    const configured = this.#configured.then(() => this.#configure(settings));
    this.#configured = configured.catch(() => undefined);
    await configured;
    await timeLimit(this.#clock(), FIRST_VERDICTS, this.#judged(), () => undefined);
    this.#started = true;
  }

  event(report: EventReport): void {
    const moved = movedService(report);
    if (moved !== undefined)
      for (const policy of this.#policies.values()) policy.balances.hasten(moved);
    const happened = hookEvent(report);
    if (happened === undefined) return;
    if (happened.view === undefined) this.#view.servicesChanged();
    else this.#view.patch(report.subject, happened.view);
    const text = JSON.stringify(happened.event);
    for (const policy of this.#policies.values()) policy.hear(happened.name, text);
  }

  snapshot(routers: readonly RouterSnapshot[]): void {
    this.#routers = routers.length;
    for (const policy of this.#policies.values()) policy.balances.look();
    for (const change of this.#view.snapshot(routers)) {
      const text = JSON.stringify(change);
      for (const policy of this.#policies.values()) policy.hear("peer", text);
    }
  }

  status(): Partial<DirectorStatus> {
    const policies = [...this.#policies.values()];
    return {
      policies: policies.map((policy) => policy.status()),
      checks: policies.flatMap((policy) => policy.checks()),
    };
  }

  metrics(): Promise<string> {
    return this.#ports.metrics.text();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #configure(settings: DirectorSettings): Promise<void> {
    if (this.#stopped !== undefined) return;
    const before = this.#settings;
    this.#settings = settings;
    this.#view.node = settings.routerId;
    if (this.#memory?.directory !== settings.stateDirectory) {
      const directory = settings.stateDirectory;
      this.#memory = { directory, memory: this.#ports.memory(directory) };
    }
    const plugins = await this.#capabilities.configure(settings.settings);
    if (before?.policiesDirectory !== settings.policiesDirectory) {
      await this.#open(settings.policiesDirectory);
    } else if (plugins || !plainEqual(before?.settings, settings.settings, POSITIONS)) {
      for (const policy of this.#policies.values()) policy.regrant();
      this.#anew = plugins;
      this.#folder?.renew();
      this.#anew = false;
    }
  }

  /** Resolves when all that is being loaded runs and has judged once. */
  async #judged(): Promise<void> {
    await Promise.all(this.#loading);
    await Promise.all([...this.#policies.values()].map((policy) => policy.judged()));
  }

  async #open(directory: string | undefined): Promise<void> {
    await this.#folder?.close();
    this.#folder = undefined;
    for (const name of [...this.#policies.keys()]) this.#remove(name);
    if (directory === undefined || this.#stopped !== undefined) return;
    const clock = this.#clock();
    const { source, watchFolder } = this.#ports;
    this.#folder = new PolicyFolder(
      directory,
      { ...clock, source, watchFolder },
      {
        changed: (found) => this.#load(directory, found),
        gone: (name) => this.#remove(name),
        problem: (message) => this.#outlet.log("warn", message),
      },
    );
    this.#folder.look();
  }

  #load(directory: string, found: PolicyFile): void {
    const { name, file } = found;
    const known = this.#policies.get(name);
    const policy = known ?? new Policy(this.#world, found);
    this.#policies.set(name, policy);
    const folder = this.#folder;
    const anew = this.#anew;
    const loading = this.#loads.pass(() =>
      policy.load(
        directory,
        file,
        (inputs, startedAt, ok) => folder?.built(name, inputs, startedAt, ok),
        anew,
      ),
    );
    this.#loading.add(loading);
    void loading.finally(() => this.#loading.delete(loading));
  }

  #remove(name: string): void {
    const policy = this.#policies.get(name);
    this.#policies.delete(name);
    policy?.remove();
  }

  #openSandbox(): Promise<Sandbox> {
    this.#sandbox ??= (async () => await this.#ports.openSandbox(this.#realms))();
    if (this.#snapshots.at === undefined) this.#askForSnapshot();
    return this.#sandbox;
  }

  /** While any policy is loaded, its view is kept up. */
  #askForSnapshot(): void {
    this.#outlet.requestSnapshot();
    const many = this.#routers > MANY_ROUTERS;
    const interval = many ? MANY_SNAPSHOT_INTERVAL : SNAPSHOT_INTERVAL;
    const wanted = this.#realms.size > 0 || this.#loading.size > 0;
    this.#snapshots.set(wanted ? after(this.#ports.clock.now(), interval) : undefined);
  }

  async #stop(): Promise<void> {
    const folder = this.#folder;
    this.#folder = undefined;
    const policies = [...this.#policies.values()];
    await Promise.all([folder?.close(), ...policies.map((policy) => policy.stop())]);
    this.#snapshots.set(undefined);
    await Promise.all([
      this.#capabilities.close(),
      this.#sandbox?.then(
        (sandbox) => sandbox.close(),
        () => undefined,
      ),
    ]);
    this.#schedule.close();
  }

  #clock(): Pick<PolicyWorld, "schedule"> & Pick<PolicyHostPorts, "clock"> {
    return { clock: this.#ports.clock, schedule: this.#schedule };
  }

  #known(): DirectorSettings {
    if (this.#settings === undefined) throw new TypeError("a policy before any configuration");
    return this.#settings;
  }
}

const POSITIONS: ReadonlySet<string> = new Set(["position"]);
