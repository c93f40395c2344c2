import type { BalancingConfig, VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { DirectorStatus, ServiceStatus } from "../../control/protocol.ts";
import type { ServiceKey } from "../../core/ipvs/service.ts";
import { serviceKey } from "../../core/ipvs/service.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import type { PoolEffect, PoolState } from "../../core/virtual-server/pool.ts";
import type { RouterSnapshot } from "../../core/vrrp/snapshot.ts";
import { KernelError } from "../../ports/error.ts";
import type { IpvsPicture } from "../../ports/ipvs.ts";
import type { DirectorPart, Outlet } from "../director/part.ts";
import type { DirectorSettings, EventReport } from "../ipc.ts";
import { Schedule } from "../schedule.ts";
import { startOf } from "./adoption.ts";
import { BalancingStore, NOTHING_KEPT } from "./balancing-store.ts";
import { Care } from "./care.ts";
import { DataPaths } from "./data-paths.ts";
import { reportOf } from "./facts.ts";
import { KEPT, keptOf } from "./kept.ts";
import { KernelAdvice } from "./kernel-advice.ts";
import { IP_VS, KernelTable } from "./kernel-table.ts";
import { answersReport, driftReport, troubleReport } from "./kernel-trouble.ts";
import { Looks } from "./looks.ts";
import { isNeeded } from "./need.ts";
import { Operator } from "./operator.ts";
import { PolicyServices } from "./policy-services.ts";
import type { BalancingPorts } from "./ports.ts";
import { Retiring } from "./retiring.ts";
import type { ServedWorld } from "./served.ts";
import { Served } from "./served.ts";
import { serviceSeries } from "./service-series.ts";
import { statusOf } from "./service-status.ts";
import { serviceKeysOf } from "./service-targets.ts";
import { SyncFollower } from "./sync-follower.ts";
import { shutdownTellings, tellingsOf } from "./tellings.ts";
import { TimeoutsFollower } from "./timeouts-follower.ts";
import { Turn } from "./turn.ts";

const POSITIONS: ReadonlySet<string> = new Set(["position"]);
const SYNC = "lvs_sync_daemon";

/**
 * Load balancing: virtual servers, the checks of their real servers, and the kernel's table that follows
 * from them. Without virtual servers it touches nothing.
 */
export class Balancing implements DirectorPart {
  readonly name = "balancing";
  readonly begun = (): Promise<void> | undefined => this.#begun;
  readonly commands: NonNullable<DirectorPart["commands"]> = {
    services: async () => {
      await this.#care.look();
      return this.#services();
    },
    drain: (_, order) => this.#operator.obey("drain", order),
    undrain: (_, order) => this.#operator.obey("undrain", order),
    disable: (_, order) => this.#operator.obey("disable", order),
    weight: (_, order) => this.#operator.obey("weight", order),
    add: (_, order) => this.#operator.obey("add", order),
    remove: (_, order) => this.#operator.obey("remove", order),
  };
  readonly #outlet: Outlet;
  readonly #ports: BalancingPorts;
  readonly #schedule: Schedule;
  readonly #looks: Looks;
  readonly #table: KernelTable;
  readonly #dataPaths: DataPaths;
  readonly #timeouts: TimeoutsFollower;
  readonly #advice: KernelAdvice;
  readonly #sync: SyncFollower;
  readonly #care: Care;
  /** What policies see of it, and do to it. */
  readonly policies: PolicyServices;
  /** By name. */
  readonly #served = new Map<string, Served>();
  readonly #retiring: Retiring;
  readonly #operator: Operator;
  readonly #keys = new Map<Served, ReadonlySet<ServiceKey>>();
  readonly #stirred: Turn<Served>;
  readonly #saving: Turn<"kept">;
  #settings: DirectorSettings | undefined;
  #store: BalancingStore | undefined;
  #kept = NOTHING_KEPT;
  /** Why the last time failed; said once. */
  #notSaved: string | undefined;
  #begun: Promise<void> | undefined;
  /** The kernel was asked, and virtual servers are at work. */
  #running = false;
  #stopped: Promise<void> | undefined;

  constructor(outlet: Outlet, ports: BalancingPorts) {
    this.#outlet = outlet;
    this.#ports = ports;
    const { clock, openIpvs, openProbes } = ports;
    // Nothing here waits in a socket that a late deadline would have to see first.
    const schedule = new Schedule(clock, ports.openTimer, () => undefined);
    this.#schedule = schedule;
    this.#stirred = new Turn(clock, schedule, (all) => {
      for (const served of all) served.flush();
    });
    this.#saving = new Turn(clock, schedule, () => this.#save());
    const trouble = (subject: string, error: KernelError | undefined): void =>
      outlet.event(troubleReport(subject, error, clock.wallClock()));
    this.#table = new KernelTable({
      clock,
      schedule,
      openIpvs: () => openIpvs(this.#settings?.balancing.ipvsNamespace),
      opened: () => this.#opened(),
      released: () => this.#saving.add("kept"),
      trouble,
      drifted: (key, commands) => outlet.event(driftReport(key, commands, clock.wallClock())),
    });
    this.#dataPaths = new DataPaths(this.#table, {
      clock,
      openHost: ports.openDataPathHost,
      syncs: () => this.#settings?.balancing.syncDaemon !== undefined,
      remember: () => this.#save(),
      trouble: (...told) => outlet.event(answersReport(...told, clock.wallClock())),
    });
    const dataPaths = this.#dataPaths;
    this.#looks = new Looks({ clock, schedule, openProbes, dataPaths, outlet });
    this.#timeouts = new TimeoutsFollower(this.#table);
    this.#advice = new KernelAdvice({
      clock,
      read: ports.kernelSettings,
      event: (report) => outlet.event(report),
    });
    this.#sync = new SyncFollower(
      () => this.#table.ipvs,
      (error) => this.#table.trouble(SYNC, error),
    );
    this.#retiring = new Retiring({
      clock,
      open: (config) => this.#open(config),
      over: (served) => this.#forget(served),
    });
    this.#operator = new Operator({
      clock,
      served: () => this.#served.values(),
      event: (report) => outlet.event(report),
      save: () => this.#save(),
    });
    this.#care = new Care(schedule, ports, this.#table, {
      all: () => [...this.#all()],
      audited: () => this.#sync.check(),
    });
    this.policies = new PolicyServices({
      served: this.#served,
      connections: this.#care.connections,
      count: (targets) => this.#care.count(targets),
      wallClock: () => clock.wallClock(),
    });
  }

  configure(settings: DirectorSettings): void {
    const namespace = this.#settings?.balancing.ipvsNamespace;
    if (this.#begun !== undefined && namespace !== settings.balancing.ipvsNamespace) {
      const when = "takes effect when the agent is started again";
      this.#outlet.log("warn", `net_namespace_ipvs ${when}`);
    }
    this.#settings = settings;
    this.#looks.node = settings.routerId;
    if (this.#begun === undefined) {
      this.#store = new BalancingStore(settings.stateDirectory);
      this.#kept = this.#store.load();
      this.#operator.changed.resume(this.#kept.changes);
      if (!isNeeded(settings.balancing, this.#kept)) return;
      this.#begun = this.#begin();
    } else if (this.#running) this.#apply(settings.balancing);
  }

  event(report: EventReport): void {
    if (!this.#running || report.kind !== "transition") return;
    this.#sync.router(report.subject, report.detail["to"] === "active");
    this.#care.addressesMoved();
  }

  snapshot(routers: readonly RouterSnapshot[]): void {
    for (const { name, state } of routers) this.#sync.router(name, state === "active");
  }

  status(): Pick<DirectorStatus, "services" | "ipvs"> {
    return { services: this.#services(), ipvs: this.#table.refused.get(IP_VS) ?? null };
  }

  async metrics(): Promise<string> {
    await this.#care.look();
    const { traffic } = this.#care;
    return serviceSeries([...this.#all()], { traffic, mended: (key) => this.#table.mended(key) });
  }

  /** Resolves when the kernel has all that it can have. */
  async settled(): Promise<void> {
    await this.#begun;
    this.#stirred.flush();
    await this.#table.settled();
    await this.#sync.settled();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #begin(): Promise<void> {
    const opened = await this.#table.open();
    if (this.#stopped !== undefined || this.#settings === undefined) return;
    const picture = opened instanceof KernelError ? undefined : opened;
    const { balancing } = this.#settings;
    this.#running = true;
    this.#table.adopt(this.#kept.targets);
    this.#dataPaths.adopt(this.#kept.localSources);
    this.#apply(balancing, picture);
    const configured = [...this.#served.values()].flatMap(({ config }) => serviceKeysOf(config));
    this.#retiring.resume(this.#kept.retiring, new Set(configured));
    this.#save();
    if (balancing.flushAtStart && !this.#kept.running && picture !== undefined) {
      this.#table.adopt([...picture.table.values()].map(({ service }) => service.target));
    }
    // What comes later begins anew.
    this.#kept = NOTHING_KEPT;
  }

  /** What was configured while ip_vs could not be had. */
  #opened(): void {
    if (!this.#running) return;
    this.#timeouts.opened();
    this.#sync.check();
    this.#advise();
    this.#save();
  }

  #apply(balancing: BalancingConfig, picture?: IpvsPicture): void {
    const wanted = new Map<string, VirtualServerConfig>();
    for (const one of balancing.virtualServers) {
      if (!wanted.has(one.name)) wanted.set(one.name, this.#operator.changed.configured(one));
    }
    for (const [name, served] of [...this.#served]) {
      if (wanted.has(name)) continue;
      this.#served.delete(name);
      this.#operator.changed.forget(name);
      this.#retiring.add(served);
    }
    for (const [name, config] of wanted) {
      const known = this.#served.get(name);
      const leaving = this.#retiring.giveUp(new Set(serviceKeysOf(config)));
      if (known === undefined) this.#serve(config, picture, leaving);
      else if (!plainEqual(known.config, config, POSITIONS)) {
        this.#retiring.part(known, config);
        known.configure(config);
        this.policies.resume(known);
      }
    }
    this.#timeouts.configure(balancing.timeouts);
    this.#sync.configure(balancing.syncDaemon);
    if (balancing.syncDaemon?.instance !== undefined) this.#outlet.requestSnapshot();
    this.#care.arm();
    this.#advise();
    // Before the kernel has them: what it has is to be known as ours whatever happens.
    this.#save();
  }

  #serve(
    config: VirtualServerConfig,
    picture: IpvsPicture | undefined,
    leaving: PoolState["leaving"],
  ): void {
    const served = this.#open(config);
    this.#served.set(config.name, served);
    const { clock } = this.#ports;
    const time = { now: clock.now(), wallMs: clock.wallClock() };
    const start = startOf(config, picture?.table, this.#kept.servers[config.name], time);
    served.start({ ...start, leaving: { ...start.leaving, ...leaving } });
    this.policies.resume(served);
  }

  #open(config: VirtualServerConfig): Served {
    const world: ServedWorld = {
      clock: this.#ports.clock,
      schedule: this.#schedule,
      looks: this.#looks,
      stirred: (served) => this.#stirred.add(served),
      changed: (served) => this.#changed(served),
      happened: (served, effect, before) => this.#happened(served, effect, before),
    };
    return new Served(world, config);
  }

  #changed(served: Served): void {
    if (this.#stopped !== undefined) return;
    const leaves = Object.keys(served.state.leaving).length > 0;
    if (this.#retiring.has(served) && !leaves) {
      this.#retiring.forget(served);
      return;
    }
    const entries = served.entries();
    const before = this.#keys.get(served);
    const keys = new Set(entries.map(({ service }) => serviceKey(service.target)));
    this.#keys.set(served, keys);
    const gone = [...(before ?? [])].filter((key) => !keys.has(key) && !this.#retiring.holds(key));
    this.#table.drop(gone);
    this.#table.want(entries);
    if (leaves) this.#care.arm();
  }

  #forget(served: Served): void {
    this.#table.drop(this.#keys.get(served) ?? []);
    this.#keys.delete(served);
    this.#saving.add("kept");
  }

  #happened(served: Served, effect: PoolEffect, before: VirtualServerConfig): void {
    const { balancing, routerId } = this.#settings ?? {};
    const at = this.#ports.clock.wallClock();
    // What is up from the start is no news, of thousands of real servers.
    const told = effect.kind !== "server" || !effect.start || balancing?.notifyAtStart === true;
    if (told) this.#outlet.event(reportOf(served, effect, before, at));
    // Without quorum the kernel may have nothing of it that could be seen.
    if (KEPT.has(effect.kind) || !served.state.quorum) this.#saving.add("kept");
    if (balancing === undefined || routerId === undefined) return;
    const { notifyAtStart } = balancing;
    const telling = tellingsOf(served, effect, before, { routerId, notifyAtStart });
    if (telling !== undefined) this.#ports.tell(telling.subject, telling.tellings, at);
  }

  /** Of settings of the kernel that go against the configuration. */
  #advise(): void {
    const { balancing, failover } = this.#settings ?? {};
    if (this.#table.ipvs === undefined || balancing === undefined) return;
    this.#advice.look({ balancing, failsOver: false, directors: [], ...failover });
  }

  #services(): readonly ServiceStatus[] {
    return [...this.#all()].map((served) =>
      statusOf(served, this.#table, this.#care.connections, {
        retiring: this.#retiring.has(served),
        claimsOf: (name) => this.policies.claimsOf(name),
        changes: this.#operator.changed.of(served).changes,
        removed: this.#operator.changed.removedOf(served),
      }),
    );
  }

  *#all(): Iterable<Served> {
    yield* this.#served.values();
    yield* this.#retiring;
  }

  /** Answers why what is to outlive this director could not be written. */
  #save(running = true): string | undefined {
    if (!this.#running) return undefined;
    const { toKeep } = this.#operator.changed;
    const hold = { running, held: this.#table.held, clock: this.#ports.clock };
    const kept = keptOf([...this.#served.values()], [...this.#retiring], toKeep, hold);
    const { localSources } = this.#dataPaths;
    const failed = this.#store?.save({ ...kept, localSources });
    const said = this.#notSaved;
    this.#notSaved = failed;
    if (failed !== undefined && failed !== said) {
      const lost = "overrides and services would not be known after a restart";
      this.#outlet.log("error", `balancing.json could not be written (${failed}): ${lost}`);
    }
    return failed;
  }

  async #stop(): Promise<void> {
    this.#care.close();
    const { balancing, routerId = "", leaveServices = false } = this.#settings ?? {};
    const at = this.#ports.clock.wallClock();
    for (const served of this.#all()) {
      served.close();
      for (const { subject, tellings } of shutdownTellings(served, routerId)) {
        this.#ports.tell(subject, tellings, at);
      }
    }
    await this.#begun;
    if (this.#running && !leaveServices) await this.#leave(balancing?.flushAtStop === true);
    this.#dataPaths.close(leaveServices);
    // What stays in the kernel is the next one's.
    this.#save(leaveServices);
    this.#looks.close();
    this.#table.close();
    this.#schedule.close();
  }

  /** The kernel's table is as it was without us. */
  async #leave(flush: boolean): Promise<void> {
    await this.#sync.stop();
    if (flush) {
      const picture = await this.#table.ipvs?.read();
      if (picture !== undefined && !(picture instanceof KernelError)) {
        this.#table.adopt([...picture.table.values()].map(({ service }) => service.target));
      }
    }
    this.#table.drop([...this.#table.ours.keys()]);
    await this.#table.settled();
  }
}
