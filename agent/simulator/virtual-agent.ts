import type { Json } from "../../sdk/index.ts";
import type { World } from "../../sdk/testing.ts";
import type { PolicyGrant } from "../config/settings.ts";
import { noSettings } from "../config/settings.ts";
import type { CheckStatus, PolicyStatus } from "../control/protocol.ts";
import type { Instant } from "../core/time.ts";
import { after, milliseconds, seconds } from "../core/time.ts";
import type { BuildOutcome, BuiltPolicy } from "../policy/build-policy.ts";
import { fileStart } from "../policy/problem.ts";
import type { DirectorSettings, EventReport } from "../runtime/ipc.ts";
import { PolicyHost } from "../runtime/policies/policy-host.ts";
import type { PolicyHostPorts } from "../runtime/policies/ports.ts";
import type { EngineModule } from "../sandbox/engine.ts";
import type { EntryOutcome, SandboxListener, SavedState } from "../sandbox/sandbox.ts";
import type { Chronicle } from "./chronicle.ts";
import { hostSettings } from "./host-settings.ts";
import { LocalSandbox } from "./local-sandbox.ts";
import { scriptedOwnPlugin, scriptedPlugins } from "./scripted-plugins.ts";
import type { ScriptedWorld } from "./scripted-world.ts";
import { Told } from "./told.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import { VirtualRouters } from "./virtual-routers.ts";
import { VirtualServices } from "./virtual-services.ts";

export interface VirtualAgentParts {
  readonly policy: BuiltPolicy;
  readonly world: World;
  readonly clock: VirtualClock;
  readonly scripted: ScriptedWorld;
  readonly chronicle: Chronicle;
  readonly openModule: () => Promise<EngineModule>;
}

const SETTINGS_FILE = "/etc/holdfast/holdfast.conf";
const DIRECTORY = "/etc/holdfast/policies";
/** An editor is done, and a file that is what runs already has been found to be. */
const LOOK = milliseconds(250);
/** More than a first run can take. */
const LONGEST_TRY = seconds(700);

/** The agent's own host of policies, with one policy, on a virtual clock. */
export class VirtualAgent {
  readonly routers: VirtualRouters;
  readonly services: VirtualServices;
  readonly #parts: VirtualAgentParts;
  readonly #name: string;
  readonly #host: PolicyHost;
  readonly #told: Told;
  /** All that was asked for so far; the host looks into it whenever it loads a version. */
  readonly #grants: PolicyGrant[] = [];
  #running: BuiltPolicy;
  #built: BuildOutcome;
  #builds = 0;
  #folderChanged: () => void = () => undefined;
  #sandbox: LocalSandbox | undefined;
  #logging = false;
  #state: SavedState;
  #latestState: SavedState;
  /** A promise of the host that failed: a defect of ours. */
  #defect: { readonly error: unknown } | undefined;
  #shown = -1;

  constructor(parts: VirtualAgentParts) {
    const { policy, world, clock, chronicle } = parts;
    this.#parts = parts;
    this.#name = policy.bundle.name;
    this.#running = policy;
    this.#built = { ok: true, policy, inputs: [] };
    this.#state = world.state === undefined ? undefined : JSON.stringify(world.state);
    this.#grant(policy);
    this.routers = new VirtualRouters(clock, (report) => this.#report(report));
    this.services = new VirtualServices(clock, {
      happened: (report) => this.#report(report),
      weighed: (report) => chronicle.report(report),
    });
    this.#told = new Told(clock, chronicle, (preset, url) => this.#webhookName(preset, url));
    this.#host = new PolicyHost(this.#outlet(), this.#ports());
  }

  /** Loads the policy; nothing of it has run. Answers what speaks against it. */
  async start(): Promise<readonly string[]> {
    void this.#host.configure(this.#settings()).then(
      () => this.routers.speak(),
      (error: unknown) => {
        this.#defect = { error };
      },
    );
    await this.settle();
    return this.#policy()?.problems ?? [];
  }

  /** Everything that is due until then happens, in its order, or until it is enough. */
  async run(until: Instant, enough: () => boolean = () => false): Promise<void> {
    const { clock } = this.#parts;
    await this.settle();
    while (!enough() && clock.step(until)) await this.settle();
    if (!enough()) clock.skip(until);
  }

  /** Lets all that needs no time happen. */
  async settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#sandbox?.busy === true);
    if (this.#defect !== undefined) throw this.#defect.error;
  }

  /** This is what the file is now. Answers what speaks against it. */
  async reload(built: BuildOutcome): Promise<readonly string[]> {
    const { clock } = this.#parts;
    const before = this.#policy()?.problems;
    const again = built.ok && before?.length === 0 && sameCode(built.policy, this.#running);
    this.#built = built.ok ? { ...built, policy: named(built.policy, this.#name) } : built;
    this.#builds += 1;
    if (built.ok) this.#grant(built.policy);
    if (this.#sandbox !== undefined) this.#sandbox.dead = false;
    this.#folderChanged();
    const decided = (): boolean => this.#policy()?.problems !== before;
    await this.run(after(clock.now(), again ? LOOK : LONGEST_TRY), decided);
    await this.settle();
    const problems = this.#policy()?.problems ?? [];
    if (problems.length === 0 && built.ok) {
      this.#running = built.policy;
      this.#state = this.#latestState ?? this.#state;
    } else this.#latestState = this.#state;
    return problems;
  }

  kill(): void {
    this.#sandbox?.kill();
  }

  async stop(): Promise<void> {
    const stopped = this.#host.stop();
    let over = false;
    void stopped.then(() => {
      over = true;
    });
    await this.run(after(this.#parts.clock.now(), seconds(10)), () => over);
    await stopped;
  }

  checks(): readonly CheckStatus[] {
    return this.#host.status().checks ?? [];
  }

  get state(): SavedState {
    return this.#latestState ?? this.#state;
  }

  #policy(): PolicyStatus | undefined {
    return this.#host.status().policies?.[0];
  }

  #grant({ manifest }: BuiltPolicy): void {
    const position = fileStart(SETTINGS_FILE);
    this.#grants.push({ position, policy: this.#name, grant: manifest.permissions });
  }

  #settings(): DirectorSettings {
    const { world, policy } = this.#parts;
    const none = noSettings(SETTINGS_FILE);
    const position = fileStart(SETTINGS_FILE);
    const own = Object.keys(policy.manifest.permissions["plugins"] ?? {});
    const plugins = own.map((name) => ({ position, name, package: name, options: null }));
    return hostSettings({
      routerId: world.node ?? "node1",
      policiesDirectory: DIRECTORY,
      subjects: this.routers.subjects(),
      settings: { ...none, grants: this.#grants, plugins },
    });
  }

  #outlet(): ConstructorParameters<typeof PolicyHost>[0] {
    const { chronicle } = this.#parts;
    return {
      reading: () => undefined,
      forget: () => undefined,
      claim: (claim) => this.routers.claim(claim),
      withdraw: (router, source) => this.routers.withdraw(router, source),
      event: (report) => chronicle.report(report),
      log: (level, message) => {
        if (this.#logging || (level !== "warn" && level !== "error")) return;
        chronicle.mistake("policy", message.replace(/^policy \S+: /, ""));
      },
      requestSnapshot: () => queueMicrotask(() => this.#showRouters()),
      policyVerdict: () => undefined,
      onReading: () => () => undefined,
      onPolicyVerdict: () => () => undefined,
    };
  }

  #ports(): PolicyHostPorts {
    const { clock, scripted, chronicle } = this.#parts;
    const file = `${DIRECTORY}/${this.#name}.ts`;
    return {
      clock,
      openTimer: clock.openTimer,
      source: {
        discover: () => ({ policies: [{ name: this.#name, file }], problems: [] }),
        build: () => Promise.resolve({ ...this.#built, inputs: [file] }),
        mark: () => ({ id: String(this.#builds), changedAt: 0 }),
      },
      watchFolder: (_directory, changed) => {
        this.#folderChanged = changed;
        return { close: () => Promise.resolve() };
      },
      openSandbox: (listener) => {
        this.#sandbox = this.#openSandbox(listener);
        return this.#sandbox;
      },
      plugins: scriptedPlugins(scripted),
      loadPlugin: (name) => Promise.resolve(scriptedOwnPlugin(name, scripted)),
      secret: (text) => text,
      memory: () => ({ load: () => this.#state, save: () => undefined }),
      metrics: {
        gauge: (_policy, name, value, labels) => {
          chronicle.gauge(name, value, labels);
          return undefined;
        },
        count: (_policy, name, by, labels) => {
          chronicle.count(name, by, labels);
          return undefined;
        },
        forget: () => undefined,
        text: () => Promise.resolve(""),
      },
      notify: (notice) => this.#told.tell(notice),
      services: this.services,
    };
  }

  #openSandbox(listener: SandboxListener): LocalSandbox {
    const { clock, chronicle, scripted, world, openModule } = this.#parts;
    return new LocalSandbox({
      listener: {
        call: (call) => listener.call(call),
        effect: (effect) => {
          this.#logging = effect.operation.startsWith("log.");
          if (this.#logging) chronicle.log(effect);
          listener.effect(effect);
          this.#logging = false;
        },
        struck: (realm, failure) => {
          chronicle.mistake("policy", failure.message, failure.stack);
          listener.struck(realm, failure);
        },
        recovered: (realm) => listener.recovered(realm),
      },
      openModule,
      wallClock: () => clock.wallClock(),
      now: () => clock.elapsedMs,
      seed: world.seed ?? 1,
      ended: (entry, outcome: EntryOutcome) => {
        if (outcome.ok) this.#latestState = outcome.state ?? this.#latestState;
        chronicle.ended(entry, outcome, scripted.failures);
      },
      loaded: (state) => {
        this.#latestState = state ?? this.#latestState;
      },
    });
  }

  /** What happens to a router is heard of a moment later, as in life. */
  #report(report: EventReport): void {
    this.#parts.chronicle.report(report);
    queueMicrotask(() => this.#host.event(report));
  }

  /** Each second: so it is done only when there is something to see. */
  #showRouters(): void {
    const { changes, observed } = this.routers;
    const shown = changes + this.services.changes;
    if (shown === this.#shown && !observed) return;
    this.#shown = shown;
    this.#host.snapshot(this.routers.snapshots());
  }

  #webhookName(preset: string, url: string): string {
    const hooks = Object.entries(this.#running.manifest.permissions["webhook"] ?? {});
    const found = hooks.find(([, target]: readonly [string, Json]) =>
      typeof target === "string"
        ? target === url
        : JSON.stringify(target) === JSON.stringify({ preset, url }) ||
          JSON.stringify(target) === JSON.stringify({ url, preset }),
    );
    return found?.[0] ?? url;
  }
}

const named = (policy: BuiltPolicy, name: string): BuiltPolicy => ({
  ...policy,
  bundle: { ...policy.bundle, name },
});

const sameCode = (a: BuiltPolicy, b: BuiltPolicy): boolean =>
  a.bundle.code === b.bundle.code && a.bundle.sourceMap === b.bundle.sourceMap;
