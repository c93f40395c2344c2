import type { Config, InstanceConfig } from "../config/config.ts";
import type { ReloadPlan } from "../control/target.ts";
import type { PlanStep } from "../core/reload/plan.ts";
import { isUnchanged, plan } from "../core/reload/plan.ts";
import type { Micros } from "../core/time.ts";
import type { RouterSnapshot } from "../core/vrrp/snapshot.ts";
import { virtualRouter } from "../core/vrrp/step.ts";
import { credentialsOf } from "../wire/authentication.ts";
import { Acceptance } from "./acceptance.ts";
import { Announcer } from "./announcer.ts";
import type { BfdSessions } from "./bfd/bfd-sessions.ts";
import { nodeSessions } from "./bfd/node-sessions.ts";
import { Bindings } from "./bindings.ts";
import { DirectorWord } from "./director-word.ts";
import { Driver } from "./driver.ts";
import { routerEffects } from "./effects.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import type { NodeFencing } from "./fencing/node-fencing.ts";
import { nodeFencing } from "./fencing/node-fencing.ts";
import { possibleDirectors } from "./fencing/possible-directors.ts";
import type { Holdings } from "./holdings.ts";
import { HostSettings } from "./host-settings.ts";
import { HostWatch } from "./host-watch.ts";
import { inTurns } from "./in-turns.ts";
import type { GroupSnapshot, MandateWish, TrackingMessage } from "./ipc.ts";
import { Journal } from "./journal.ts";
import { Links } from "./links.ts";
import { Losses } from "./losses.ts";
import type { Mandates } from "./mandates/mandates.ts";
import type { NodeGroups } from "./mandates/node-groups.ts";
import { nodeGroups } from "./mandates/node-groups.ts";
import { newcomers } from "./newcomers.ts";
import { nodeHoldings } from "./node-holdings.ts";
import { keptBy, retiredBy } from "./plan-parts.ts";
import { Possessions } from "./possessions.ts";
import type { Kept } from "./provision.ts";
import { provision } from "./provision.ts";
import { summary } from "./reload-summary.ts";
import { Reports } from "./reports.ts";
import type { Router } from "./router.ts";
import { newRouter, retire } from "./router.ts";
import { routerPool } from "./router-pool.ts";
import { Schedule } from "./schedule.ts";
import { Sender } from "./sender.ts";
import { snapshotsOf } from "./snapshot.ts";
import { delayed } from "./startup-delay.ts";
import { Statics } from "./statics.ts";
import type { SyncGroups } from "./sync-groups.ts";
import { Sysctls } from "./sysctls.ts";
import { Touched } from "./touched.ts";
import { VirtualLinks } from "./virtual-links.ts";
import { NO_NOTARY } from "./wills.ts";
import type { World } from "./world.ts";

type Step = PlanStep<InstanceConfig>;

/** Steps that the journal keeps: at 2,000 routers and one advertisement a second, eight seconds. */
const JOURNAL_STEPS = 16_384;

/** All virtual routers of this host, driven by one configuration. */
export class Node {
  readonly journal = new Journal(JOURNAL_STEPS);
  readonly mandates: Mandates;
  readonly #world: World;
  readonly #routers = new Map<string, Router>();
  readonly #byId = new Map<string, Router>();
  readonly #schedule: Schedule;
  readonly #reports: Reports;
  readonly #acceptance: Acceptance;
  readonly #fence: NodeFencing;
  readonly #holdings: Holdings;
  readonly #possessions: Possessions;
  readonly #announcer: Announcer;
  readonly #sender: Sender;
  readonly #driver: Driver;
  readonly #pool: EndpointPool<Router>;
  readonly #links: Links;
  readonly #virtualLinks: VirtualLinks;
  readonly #groups: SyncGroups;
  readonly #statics: Statics;
  readonly #losses: Losses;
  readonly #host: HostSettings;
  readonly #bindings: Bindings;
  readonly #watch: HostWatch;
  readonly #word: DirectorWord;
  readonly #bfd: BfdSessions;
  /** Built, and not started: something is unknown that might forbid it, or policies have not spoken. */
  readonly #starting = new Set<Router>();
  readonly #unsubscribe: () => void;
  readonly #touched = new Touched<Router>((router) => {
    // A reload may have taken it away since.
    if (this.#routers.get(router.name) === router) this.#evaluate(router);
  });
  #config: Config | undefined;
  #awaitDirector = false;
  #serial = 0;

  /** `say`: to the witness process. */
  constructor(
    world: World,
    notary = NO_NOTARY,
    say: (wish: MandateWish) => void = () => undefined,
  ) {
    this.#world = world;
    const { clock, network, hmac } = world;
    this.#schedule = new Schedule(
      clock,
      world.openTimer,
      () => this.#drain(),
      (lateness) => this.#late(lateness),
    );
    this.#reports = new Reports(clock, world.report, (one) => this.mandates.epochOf(one));
    this.#acceptance = new Acceptance(world.acceptFilter, clock, this.#schedule, {
      changed: () => this.#touchAll(),
      tell: (level, message) => this.#reports.host(level, "packet filter", message),
    });
    this.#fence = nodeFencing(world, this.#schedule, this.#reports, () => ({
      possessions: this.#possessions,
      holdings: this.#holdings,
      driver: this.#driver,
      mandates: this.mandates,
      routers: () => [...this.#routers.values()],
      others: () => possibleDirectors(this.#routers.values(), this.#config),
      changed: () => this.#touchAll(),
    }));
    this.#holdings = this.#newHoldings();
    this.#announcer = new Announcer(world.frames, network, clock, this.#schedule, {
      mayAnnounce: (owner) => this.#fence.gatekeeper.mayAnnounce(owner),
      failed: (owner, errno) => this.#reports.sendError(this.#byId.get(owner), errno),
    });
    this.#possessions = new Possessions(
      network,
      this.#holdings,
      this.#announcer,
      this.#schedule,
      clock,
    );
    const { gatekeeper } = this.#fence;
    this.#sender = new Sender(clock, hmac, this.#schedule, this.#holdings, gatekeeper, notary);
    this.#driver = new Driver(
      virtualRouter,
      clock,
      this.journal,
      routerEffects(this.#sender, this.#possessions, this.#fence, this.#reports),
      (router, before, transition) => this.#groups.stepped(router, before, transition),
    );
    this.#pool = routerPool(world, this.#driver, this.#sender, this.#reports);
    this.#links = new Links(network, clock, this.#schedule, (name) =>
      this.#watch.interfaceChanged(name),
    );
    this.#virtualLinks = new VirtualLinks(network, {
      made: (link) => this.#watch.interfaceChanged(link.name),
      refused: (name, error) =>
        this.#reports.host("error", name, `${error.message}; ${error.remedy}`),
    });
    ({ groups: this.#groups, mandates: this.mandates } = this.#newGroups(say));
    this.#statics = new Statics(network, this.#holdings, () => this.#touchAll());
    this.#losses = new Losses(clock, this.#schedule, (router) => this.#touched.add(router));
    this.#host = new HostSettings(new Sysctls(network), this.#reports);
    this.#watch = this.#newWatch();
    this.#word = new DirectorWord(clock, this.#schedule, this.#watch);
    this.#bfd = nodeSessions(world, this.#schedule, this.#links, this.#reports, this.#watch);
    this.#bindings = this.#newBindings();
    this.#unsubscribe = network.subscribe((event) => this.#watch.hear(event));
  }

  /**
   * Runs this configuration from now on. What it needs is built first; only then the old gives way.
   * Throws a KernelError when something cannot be had, and everything is as before then. Not to be
   * called again before it has answered.
   */
  async configure(config: Config, awaitDirector = false): Promise<ReloadPlan> {
    this.#awaitDirector = awaitDirector;
    if (this.#config === undefined) this.#word.lost();
    await this.#acceptance.prepare(this.#config?.instances, config.instances);
    await this.#fence.fencing.prepare(config.instances);
    const steps = plan(this.#config?.instances ?? [], config.instances);
    const first = this.#config === undefined;
    const fresh = newcomers(config, steps, first, this.#world.clock.now()).map((one) =>
      this.#newRouter(one),
    );
    const kept = keptBy(steps, this.#routers);
    const needs = { bindings: this.#bindings, virtualLinks: this.#virtualLinks, pool: this.#pool };
    // At the first start a socket that cannot be had is that router's fault, not everybody's.
    const provisional = await provision(needs, fresh, kept, this.#config !== undefined);
    const retired = this.#swap(config, steps, fresh);
    await inTurns(kept, ({ router, step }) => this.#update(router, step));
    await inTurns(fresh, (router) => this.#begin(router));
    for (const lease of provisional) lease.release();
    for (const router of retired) void this.#retire(router);
    return summary(steps);
  }

  /** What the director says of trackers and policies, or that it says nothing any more. */
  heard(message: TrackingMessage | { readonly kind: "director-lost" }): void {
    if (message.kind !== "director-lost") this.#word.hear(message);
    // Before the first configuration nobody waits for it.
    else if (this.#config !== undefined) this.#word.lost();
  }

  snapshot(): Generator<RouterSnapshot> {
    return snapshotsOf([...this.#routers.values()], {
      possessions: this.#possessions,
      gatekeeper: this.#fence.gatekeeper,
      mandates: this.mandates,
      clock: this.#world.clock,
    });
  }

  groups(): readonly GroupSnapshot[] {
    return this.#groups.snapshot();
  }

  get bfd(): Pick<BfdSessions, "snapshot" | "dropped"> {
    return this.#bfd;
  }

  /** Resigns, lets go of everything. `false`: the host keeps addresses, and mandates are not returned. */
  async stop(): Promise<boolean> {
    const routers = [...this.#routers.values()];
    for (const router of routers) this.#driver.deliver(router, { kind: "shutdown" });
    // What goes now is an event on the host: nobody is to want it back.
    this.#routers.clear();
    this.#statics.clear();
    await Promise.all(routers.map((router) => this.#retire(router)));
    const whole = !this.#holdings.leavesAddresses;
    if (whole) await this.mandates.settled();
    this.#bfd.stop();
    this.#host.release();
    this.#unsubscribe();
    this.#acceptance.close();
    this.#fence.close();
    this.#schedule.close();
    return whole;
  }

  #newGroups(say: (wish: MandateWish) => void): NodeGroups {
    const member = (name: string): Router | undefined => this.#routers.get(name);
    const parts = { schedule: this.#schedule, reports: this.#reports, say, member };
    return nodeGroups(this.#world, parts, () => ({
      driver: this.#driver,
      gatekeeper: this.#fence.gatekeeper,
      holdings: this.#holdings,
      bfd: this.#bfd,
    }));
  }

  #newHoldings(): Holdings {
    const guards = [this.#acceptance, ...this.#fence.guards];
    const routerById = (id: string): Router | undefined => this.#byId.get(id);
    return nodeHoldings(this.#world, this.#schedule, guards, routerById, () => ({
      reports: this.#reports,
      possessions: this.#possessions,
      losses: this.#losses,
    }));
  }

  #newBindings(): Bindings {
    return new Bindings({
      network: this.#world.network,
      links: this.#links,
      virtualLinks: this.#virtualLinks,
      pool: this.#pool,
      groups: this.#groups,
      driver: this.#driver,
      reports: this.#reports,
      word: {
        reading: (tracker) => this.#bfd.reading(tracker) ?? this.#word.reading(tracker),
        claims: (router) => this.#word.claims(router),
      },
      wallClock: () => this.#world.clock.wallClock(),
      otherFaults: (router) => [
        ...this.#statics.faultsOf(router.name),
        ...this.#losses.faultsOf(router),
        ...this.#acceptance.faultsOf(router),
        ...this.#fence.fencing.faultsOf(router),
      ],
      gateWorks: () => this.#fence.fencing.works,
    });
  }

  #newWatch(): HostWatch {
    return new HostWatch({
      network: this.#world.network,
      links: this.#links,
      virtualLinks: this.#virtualLinks,
      pool: this.#pool,
      holdings: this.#holdings,
      statics: this.#statics,
      groups: this.#groups,
      losses: this.#losses,
      lifetimes: this.#fence.lifetimes,
      reports: this.#reports,
      routers: () => this.#routers.values(),
      routerById: (id) => this.#byId.get(id),
      awaitsDirector: () => this.#awaitDirector,
      sessionsChanged: () => this.mandates.sessionsChanged(),
      routerNamed: (name) => this.#routers.get(name),
      touch: (router) => this.#touched.add(router),
      announce: (router) => this.#possessions.announce(router, 1),
    });
  }

  #newRouter(config: InstanceConfig): Router {
    this.#serial += 1;
    const slot = this.#schedule.slot((now) => this.#driver.tick(router, now));
    const router: Router = newRouter(config, `${config.router.name}#${this.#serial}`, slot);
    return router;
  }

  /**
   * From the old world to the new, in one turn of the event loop; only what is new about the routers
   * that stay reaches them by and by, as the new ones start by and by. Answers who has to go.
   */
  #swap(config: Config, steps: readonly Step[], fresh: readonly Router[]): readonly Router[] {
    const retired = retiredBy(steps, this.#routers);
    const kept = keptBy(steps, this.#routers);
    this.mandates.configure(config.mandates);
    this.#config = config;
    this.#links.configure(config.interfaceDelays);
    this.#announcer.configure(config.announcementPaces);
    this.#pool.everyVrid = config.global.logUnknownVrids;
    this.#host.configure(config.global);
    this.#routers.clear();
    for (const { router, step } of kept) {
      router.name = step.to.router.name;
      this.#routers.set(router.name, router);
    }
    for (const router of fresh) {
      this.#routers.set(router.name, router);
      this.#byId.set(router.id, router);
      this.#bindings.adopt(router);
    }
    // Groups first: that a member leaves for good is no reason for the others to stop.
    this.#groups.configure(config.syncGroups, config.mandates);
    for (const router of retired) this.#driver.deliver(retire(router), { kind: "shutdown" });
    this.#statics.configure(config);
    this.#bfd.configure(config.bfdInstances);
    return retired;
  }

  #late(lateness: Micros): void {
    const outcome = this.#world.late?.(lateness);
    if (outcome !== undefined) this.#reports.host("warn", "vrrp", outcome);
  }

  #drain(): void {
    this.#world.sockets.drain();
    this.#world.bfd.drain();
  }

  #begin(router: Router): void {
    this.#starting.add(router);
    this.#evaluate(router);
  }

  /** A router that stays: its machine and its host learn what is new. */
  #update(router: Router, { to, changes }: Kept["step"]): void {
    router.config = delayed(to, 0);
    if (isUnchanged(changes)) {
      this.#evaluate(router);
      return;
    }
    router.credentials = credentialsOf(to.authentication);
    router.binding.templates = undefined;
    this.#evaluate(router);
    if (router.state.kind === "active") this.#possessions.take(router);
    this.#holdings.whenSettled(router.id, () => this.#bindings.trim(router));
    if (router.state.kind !== "active" || changes.addresses.added.length === 0) return;
    this.#possessions.announce(router, router.effective.announcement.repeat);
  }

  #evaluate(router: Router): void {
    const known = this.#bindings.evaluate(router);
    this.#possessions.follow(router);
    this.#fence.gatekeeper.follow(router);
    this.#host.promoteSecondaries(router);
    if (!this.#starting.has(router) || !known) return;
    if (this.#awaitDirector && this.#word.claimsExpected) return;
    this.#starting.delete(router);
    this.#driver.deliver(router, { kind: "startup" });
  }

  /** After its addresses are gone and its resignation has left. */
  async #retire(router: Router): Promise<void> {
    await new Promise<void>((resolve) => this.#holdings.whenSettled(router.id, () => resolve()));
    const parting = this.#sender.parting(router);
    if (parting !== undefined) await parting;
    await this.#bindings.release(router);
    this.#host.retire(router);
    this.#starting.delete(router);
    this.#byId.delete(router.id);
  }

  #touchAll(): void {
    for (const router of this.#routers.values()) this.#touched.add(router);
  }
}
