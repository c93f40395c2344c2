import { basename, dirname, resolve } from "node:path";
import type { BalancedService, Duration, Json, RouterState, RouterView } from "../../sdk/index.ts";
import type {
  PeerStart,
  ReloadOutcome,
  RouterMoment,
  ServerChange,
  SimulatedCheck,
  Simulation,
  World,
} from "../../sdk/testing.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { CheckStatus } from "../control/protocol.ts";
import { after } from "../core/time.ts";
import type { BuildOutcome, BuiltPolicy } from "../policy/build-policy.ts";
import { buildPolicy } from "../policy/build-policy.ts";
import { problemText } from "../runtime/policies/refusal.ts";
import type { Engine } from "../sandbox/engine.ts";
import { openEngine } from "../sandbox/setup.ts";
import { Chronicle } from "./chronicle.ts";
import { ScriptedWorld } from "./scripted-world.ts";
import type { Scripting } from "./scripting.ts";
import { durationOf, scriptingOf } from "./scripting.ts";
import { VirtualAgent } from "./virtual-agent.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** A policy cannot be simulated as it cannot be loaded. */
export class PolicyRefused extends Error {
  override readonly name = "PolicyRefused";
  readonly code = "policy-refused";
  readonly remedy = "correct the policy; holdfast policy check says more";
  /** Where they are known by their place. */
  readonly diagnostics: readonly Diagnostic[];

  constructor(file: string, problems: readonly string[], diagnostics: readonly Diagnostic[] = []) {
    super(`${basename(file)} cannot be loaded:\n  ${problems.join("\n  ")}`);
    this.diagnostics = diagnostics;
  }
}

/** Noon of 1 January 2025, UTC. */
const START = Date.UTC(2025, 0, 1, 12);

let engine: Engine | undefined;
let opened: (simulation: Simulation) => void = () => undefined;

/** Hears of each simulation from now on. */
export function onSimulation(listener: (simulation: Simulation) => void): void {
  opened = listener;
}

/** Simulates the policy in this file, an absolute path. Rejects with a PolicyRefused. */
export async function simulate(path: string, world: World): Promise<Simulation> {
  const built = await build(path);
  if (!built.ok) throw new PolicyRefused(path, built.problems.map(problemText), built.problems);
  engine ??= openEngine();
  const { module: openModule } = engine;
  const simulation = new VirtualSimulation(path, built.policy, world, openModule);
  await simulation.begin();
  const whole = Object.assign(simulation, simulation.scripting);
  opened(whole);
  return whole;
}

const build = (file: string): Promise<BuildOutcome> =>
  buildPolicy({ directory: dirname(file), file, trust: "anyone" });

/** All but what scripts calls. */
class VirtualSimulation implements Omit<Simulation, keyof Scripting> {
  readonly #file: string;
  readonly #clock: VirtualClock;
  readonly #chronicle: Chronicle;
  readonly #scripted: ScriptedWorld;
  readonly #agent: VirtualAgent;
  readonly scripting: Scripting;
  /** What the test has to await first. */
  #underWay: string | undefined;

  constructor(
    file: string,
    policy: BuiltPolicy,
    world: World,
    openModule: ConstructorParameters<typeof VirtualAgent>[0]["openModule"],
  ) {
    this.#file = file;
    const clock = new VirtualClock(world.start ?? START);
    const chronicle = new Chronicle(clock);
    const scripted = new ScriptedWorld(world, clock, (message) =>
      chronicle.mistake("call", message),
    );
    this.#clock = clock;
    this.#chronicle = chronicle;
    this.#scripted = scripted;
    this.#agent = new VirtualAgent({ policy, world, clock, scripted, chronicle, openModule });
    this.scripting = scriptingOf(scripted, clock);
    const { routers, services } = this.#agent;
    for (const name of controlledBy(policy)) routers.add(name, {});
    for (const [name, start] of Object.entries(world.routers ?? {})) routers.add(name, start);
    for (const [name, start] of Object.entries(world.services ?? {})) services.add(name, start);
  }

  /** Rejects with a PolicyRefused. */
  async begin(): Promise<void> {
    const problems = await this.#agent.start();
    if (problems.length > 0) throw new PolicyRefused(this.#file, problems);
  }

  get now(): number {
    return this.#clock.wallClock();
  }

  advance(time: Duration): Promise<void> {
    const span = durationOf(time);
    return this.#alone("advance", () => this.#agent.run(after(this.#clock.now(), span)));
  }

  get routers(): readonly string[] {
    return this.#settled().routers.names;
  }

  router(name: string): RouterView {
    return this.#settled().routers.view(name);
  }

  history(router: string): readonly RouterMoment[] {
    return this.#settled().routers.history(router);
  }

  transition(router: string, to: RouterState, reason?: string): Promise<void> {
    return this.#alone("transition", () => {
      this.#agent.routers.transition(router, to, reason);
      return this.#agent.settle();
    });
  }

  peer(router: string, { address, priority = 100, heard = true }: PeerStart): Promise<void> {
    return this.#alone("peer", () => {
      this.#agent.routers.peer(router, { address, priority, heard });
      return this.#agent.settle();
    });
  }

  service(name: string): BalancedService {
    return this.#settled().services.view(name);
  }

  realServer(name: string, change: ServerChange): Promise<void> {
    return this.#alone("realServer", () => {
      this.#agent.services.change(name, change);
      return this.#agent.settle();
    });
  }

  check(name: string): SimulatedCheck {
    const checks = this.#settled().checks();
    const found = checks.find((check) => check.name.endsWith(`/${name}`));
    if (found !== undefined) return checkView(found);
    const there = checks.map((check) => check.name.split("/").at(-1)).join(", ");
    throw new TypeError(`the policy has no check ${name}; it has ${there || "none"}`);
  }

  get mails(): Simulation["mails"] {
    return this.#told().mails;
  }

  get webhooks(): Simulation["webhooks"] {
    return this.#told().webhooks;
  }

  get syslog(): Simulation["syslog"] {
    return this.#told().syslogs;
  }

  get logs(): Simulation["logs"] {
    return this.#told().logs;
  }

  get errors(): Simulation["errors"] {
    return this.#told().errors;
  }

  get timeline(): Simulation["timeline"] {
    return this.#told().timeline;
  }

  get metrics(): Simulation["metrics"] {
    return Object.fromEntries(this.#told().metrics);
  }

  get kv(): Simulation["kv"] {
    return Object.fromEntries(this.#scripted.kv);
  }

  get state(): Json | undefined {
    const text = this.#settled().state;
    if (text === undefined) return undefined;
    return (JSON.parse(text) as { readonly value: Json }).value;
  }

  reload(file = this.#file): Promise<ReloadOutcome> {
    return this.#alone("reload", async () => {
      const built = await build(resolve(dirname(this.#file), file));
      const problems = await this.#agent.reload(built);
      return problems.length === 0 ? { accepted: true } : { accepted: false, problems };
    });
  }

  kill(): void {
    this.#settled().kill();
  }

  stop(): Promise<void> {
    return this.#alone("stop", () => this.#agent.stop());
  }

  #settled(): VirtualAgent {
    if (this.#underWay !== undefined) {
      throw new TypeError(`time is passing; write: await sim.${this.#underWay}(…)`);
    }
    return this.#agent;
  }

  #told(): Chronicle {
    this.#settled();
    return this.#chronicle;
  }

  /** One thing at a time; what a test does not await it would look at too early. */
  async #alone<Answer>(what: string, act: () => Promise<Answer>): Promise<Answer> {
    this.#settled();
    this.#underWay = what;
    try {
      return await act();
    } finally {
      this.#underWay = undefined;
    }
  }
}

const checkView = ({ verdict, stale, reason, runs, failures }: CheckStatus): SimulatedCheck => ({
  up: verdict === "up",
  verdict,
  stale,
  reason,
  runs,
  failures,
});

/** Names of the virtual routers that it asks to control. */
function controlledBy({ manifest }: BuiltPolicy): readonly string[] {
  const control = manifest.permissions["control"];
  if (typeof control !== "object" || control === null || !("routers" in control)) return [];
  const { routers } = control;
  return Array.isArray(routers) ? (routers as readonly string[]) : [];
}
