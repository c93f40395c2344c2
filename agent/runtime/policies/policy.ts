import type { CheckStatus, PolicyStatus } from "../../control/protocol.ts";
import type { Micros } from "../../core/time.ts";
import { after, seconds } from "../../core/time.ts";
import type { PolicyFile } from "../../policy/discover.ts";
import type { EventName } from "../../policy/shape.ts";
import type { Entry, EntryOutcome } from "../../sandbox/sandbox.ts";
import type { LogLevel } from "../ipc.ts";
import type { Slot } from "../schedule.ts";
import { balanceAnswer } from "./balance-answer.ts";
import { BalanceSet } from "./balance-set.ts";
import { Candidate, grantsOf } from "./candidate.ts";
import { checkAnswer } from "./check-answer.ts";
import { CheckSet } from "./check-set.ts";
import { EarlyEvents } from "./early-events.ts";
import { EffectDesk } from "./effect-desk.ts";
import type { HookCall, HookRun } from "./hook-queue.ts";
import { HOOK_TIMEOUT, HookQueue } from "./hook-queue.ts";
import { KeptState } from "./kept-state.ts";
import type { VersionListener } from "./policy-version.ts";
import { PolicyVersion } from "./policy-version.ts";
import type { PolicyWorld } from "./policy-world.ts";
import { Quarantine } from "./quarantine.ts";
import { failureText, problemText } from "./refusal.ts";
import { strangers } from "./strangers.ts";
import { timeLimit } from "./time-limit.ts";

/** What a build has read, told to the folder. */
export type Built = (inputs: readonly string[], startedAt: number, ok: boolean) => void;

/** After a strike it is made anew within milliseconds; else it is not coming back. */
const RECOVERY_TIME = seconds(5);
/** A version's last words may take this long. */
const STOP_TIMEOUT = seconds(2);

/**
 * One policy by its name: the version that decides, the one that is tried, and all that outlives both.
 * Whatever goes wrong with a new version, the old one goes on.
 */
export class Policy {
  readonly name: string;
  /** The services whose weights it decides. */
  readonly balances: BalanceSet;
  readonly #world: PolicyWorld;
  readonly #state: KeptState;
  readonly #desk: EffectDesk;
  readonly #hooks: HookQueue;
  readonly #checks: CheckSet;
  readonly #quarantine: Quarantine;
  /** Set while the version that decides is being made anew. */
  readonly #recovery: Slot;
  readonly #early: EarlyEvents;
  #file: string;
  #current: PolicyVersion | undefined;
  #candidate: Candidate | undefined;
  /** Counts attempts to load: an earlier one is given up. */
  #attempt = 0;
  #versions = 0;
  #loadedAt: number | null = null;
  #problems: readonly string[] = [];
  #removed = false;

  constructor(world: PolicyWorld, { name, file }: PolicyFile) {
    this.name = name;
    this.#world = world;
    this.#file = file;
    this.#early = new EarlyEvents(!world.started());
    const { schedule, ports } = world;
    this.#state = new KeptState(world, name);
    this.#desk = new EffectDesk(world, name);
    this.#hooks = new HookQueue(
      { clock: ports.clock, schedule },
      (call) => this.#runHook(call),
      (events) =>
        this.#tell("warn", `it cannot keep up: ${events} events were left out`, { events }),
    );
    this.#checks = new CheckSet(world, {
      policy: name,
      run: ({ name, timeout }) => this.#run({ kind: "check", name }, timeout, checkAnswer),
      changed: (check, up, reason, lasted) =>
        this.hear("checkChange", JSON.stringify({ check, up, reason, lasted })),
    });
    this.balances = new BalanceSet(world, {
      policy: name,
      balance: ({ timeout }, service) => {
        const event = JSON.stringify(service);
        const entry = { kind: "balance", name: service.name, event } as const;
        return this.#run(entry, timeout, (outcome) => balanceAnswer(outcome, service));
      },
      tell: (...told) => this.#tell(...told),
    });
    this.#recovery = schedule.slot(() => this.#lost());
    this.#quarantine = new Quarantine(world, {
      begins: (time) => {
        this.#hooks.clear();
        const seconds = time / 1_000_000;
        this.#tell("error", `in quarantine for ${seconds} s: it was stopped too often`, {
          seconds,
        });
      },
      ends: () => {
        this.#tell("info", "out of quarantine: it runs again", {});
        this.#retry();
      },
    });
  }

  /**
   * Builds the file as it is now, and lets it decide if nothing speaks against it. `anew`: also when it
   * is what runs. Never rejects.
   */
  async load(directory: string, file: string, built: Built, anew = false): Promise<void> {
    this.#file = file;
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#dropCandidate();
    const overtaken = (): boolean => this.#removed || attempt !== this.#attempt;
    try {
      await this.#load(directory, built, anew, overtaken);
    } catch (error) {
      if (overtaken()) return;
      const why = error instanceof Error ? error.message : String(error);
      this.#refuse([`${file}:1:1: it cannot be loaded: ${why}`]);
    }
  }

  /** The settings are others: what is not granted any more is not done any more. */
  regrant(): void {
    if (this.#current === undefined) return;
    const granted = grantsOf(this.#current.built, this.#world);
    if (!granted.ok) this.#drop(granted.problems);
  }

  /** Something happened that it may have a hook for. `event`: JSON. */
  hear(name: EventName, event: string): void {
    if (this.#current?.shape.events.includes(name)) this.#hooks.push({ name, event });
    else this.#early.add({ name, event });
  }

  status(): PolicyStatus {
    const quarantined = this.#quarantine.holds ? "quarantined" : "running";
    return {
      name: this.name,
      file: this.#file,
      state: this.#current === undefined ? "refused" : quarantined,
      version: this.#versions,
      loadedAt: this.#loadedAt,
      problems: this.#problems,
      strikes: this.#quarantine.strikes,
      checks: this.#checks.names,
    };
  }

  checks(): readonly CheckStatus[] {
    return [...this.#checks.status(), ...this.balances.status()];
  }

  /** Resolves when each check has run once. */
  async judged(): Promise<void> {
    if (this.#current !== undefined) await this.#checks.judged();
  }

  /** Its file is gone: so is all that it did. */
  remove(): void {
    const version = this.#end();
    this.#checks.close();
    this.balances.close();
    this.#desk.clear();
    if (this.#versions > 0) this.#tell("info", "its file is gone: it runs no more", {});
    void this.#retire(version, "shutdown");
  }

  /** The director ends; what it claims is held by others from now on. */
  async stop(): Promise<void> {
    await this.#retire(this.#end(), "shutdown");
  }

  #end(): PolicyVersion | undefined {
    this.#removed = true;
    this.#dropCandidate();
    this.#hooks.clear();
    this.#checks.stop();
    this.balances.stop();
    this.#quarantine.close();
    this.#recovery.set(undefined);
    this.#state.flush();
    const version = this.#current;
    this.#current = undefined;
    return version;
  }

  async #load(
    directory: string,
    told: Built,
    anew: boolean,
    overtaken: () => boolean,
  ): Promise<void> {
    const world = this.#world;
    const startedAt = world.ports.clock.wallClock();
    const outcome = await world.ports.source.build(directory, this.#file);
    if (overtaken()) return;
    told(outcome.inputs, startedAt, outcome.ok);
    if (!outcome.ok) return this.#refuse(outcome.problems.map(problemText));
    const built = outcome.policy;
    const granted = grantsOf(built, world);
    if (!granted.ok) return this.#refuse(granted.problems);
    if (!anew && this.#current?.isMadeOf(built)) return this.#unchanged();
    const { permissions } = granted;
    const loaded = await PolicyVersion.load(
      world,
      this.#listener,
      { built, permissions },
      this.#state.text,
    );
    if (overtaken()) {
      if (loaded.ok) loaded.version.close();
    } else if (!loaded.ok) this.#refuse(loaded.problems.map((text) => this.#placed(text)));
    else await this.#try(new Candidate(world, loaded.version, loaded.state), overtaken);
  }

  /**
   * Where something decides, the new version shows first that it can. One that is new among policies
   * that run only looks first: without a verdict it would move routers that are well.
   */
  async #try(candidate: Candidate, overtaken: () => boolean): Promise<void> {
    this.#candidate = candidate;
    const decides = this.#current !== undefined;
    if ((decides || this.#world.started()) && !this.#quarantine.holds) {
      const faults = await candidate.try(this.#checks, this.balances);
      if (overtaken()) return;
      if (decides && faults.length > 0) {
        this.#dropCandidate();
        this.#refuse(faults.map((text) => this.#placed(text)));
        return;
      }
    }
    this.#swap(candidate);
  }

  #swap({ version, state, effects, found, balanced }: Candidate): void {
    const before = this.#current;
    this.#candidate = undefined;
    this.#current = version;
    this.#versions += 1;
    this.#loadedAt = this.#world.ports.clock.wallClock();
    this.#problems = [];
    this.#quarantine.replaced();
    this.#recovery.set(undefined);
    this.#state.keep(state);
    const reason = this.#versions === 1 ? "boot" : "reload";
    this.#tell("info", `version ${this.#versions} runs`, { version: this.#versions, reason });
    this.#warnOfStrangers(version);
    void this.#retire(before, "reload");
    this.#checks.declare(version.shape.checks, found);
    this.balances.declare(version.shape.balance, balanced);
    this.hear("start", JSON.stringify({ reason }));
    for (const call of this.#early.end()) this.hear(call.name, call.event);
    for (const effect of effects) this.#desk.perform(effect, version.permissions, true);
  }

  /** Its last words, then its end. What it says of routers counts for nothing. */
  async #retire(version: PolicyVersion | undefined, reason: "reload" | "shutdown"): Promise<void> {
    if (version?.shape.events.includes("stop")) {
      const entry = { kind: "event", name: "stop", event: JSON.stringify({ reason }) } as const;
      const { schedule, ports } = this.#world;
      const running = version.enter(entry, STOP_TIMEOUT).then(() => undefined);
      await timeLimit({ clock: ports.clock, schedule }, STOP_TIMEOUT, running, () => undefined);
    }
    version?.close();
  }

  /** Runs what answers; `undefined`: nothing can be run now. */
  #run<Answer>(entry: Entry, timeout: Micros, read: (outcome: EntryOutcome) => Answer) {
    const version = this.#active();
    if (version === undefined) return undefined;
    const answer = version.enter(entry, timeout).then((outcome) => {
      if (outcome.ok && version === this.#current) this.#state.keep(outcome.state);
      return read(outcome);
    });
    return { answer, abandon: (): void => version.abandon(entry) };
  }

  /** What could not run can now. */
  #retry(): void {
    this.#checks.retry();
    this.balances.retry();
  }

  #runHook({ name, event }: HookCall): HookRun | undefined {
    const version = this.#active();
    if (version === undefined) return undefined;
    const entry = { kind: "event", name, event } as const;
    const ended = version.enter(entry, HOOK_TIMEOUT).then((outcome) => {
      if (version !== this.#current) return;
      if (outcome.ok) this.#state.keep(outcome.state);
      else if (outcome.failure.kind !== "moved" && outcome.failure.kind !== "closed") {
        this.#tell("warn", `the hook ${name} failed: ${failureText(outcome.failure)}`, { name });
      }
    });
    const abandon = (): void => {
      version.abandon(entry);
      this.#tell("warn", `the hook ${name} took longer than ${HOOK_TIMEOUT / 1_000_000} s`, {
        name,
      });
    };
    return { ended, abandon };
  }

  /** What may run now. */
  #active(): PolicyVersion | undefined {
    return this.#quarantine.holds ? undefined : this.#current;
  }

  readonly #listener: VersionListener = {
    effect: (version, effect) => {
      const waits = version === this.#candidate?.version && !effect.operation.startsWith("log.");
      if (waits) this.#candidate?.effect(effect);
      else this.#desk.perform(effect, version.permissions, version === this.#current);
    },
    struck: (version, failure) => {
      if (version !== this.#current) return;
      const nth = this.#quarantine.strikes + 1;
      // Not by the name of `kind`, which in the log is the event's own.
      const detail = { failure: failure.kind };
      this.#tell("warn", `stopped by force, strike ${nth}: ${failureText(failure)}`, detail);
      if (this.#recovery.at === undefined) {
        this.#recovery.set(after(this.#world.ports.clock.now(), RECOVERY_TIME));
      }
      this.#quarantine.struck(failure.kind === "stuck");
    },
    recovered: (version) => {
      if (version !== this.#current) return;
      this.#recovery.set(undefined);
      if (!this.#quarantine.holds) this.hear("start", JSON.stringify({ reason: "recovery" }));
      this.#retry();
    },
    valuesChanged: (version) => {
      if (version === this.#current) this.#checks.hasten();
    },
  };

  /** The file as it is does not decide; what decided before goes on. */
  #refuse(problems: readonly string[]): void {
    const known = problems.join("\n") === this.#problems.join("\n");
    this.#problems = problems;
    this.#early.end();
    if (known) return;
    const [first = "it does not say why", ...others] = problems;
    const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
    const running =
      this.#current === undefined ? "nothing runs" : `version ${this.#versions} runs on`;
    const version = this.#current === undefined ? 0 : this.#versions;
    this.#tell("error", `refused, ${running}: ${first}${more}`, { problems, version });
  }

  /** Nothing decides any more: what was declared for that holds, until there is another version. */
  #drop(problems: readonly string[]): void {
    this.#current?.close();
    this.#current = undefined;
    this.#recovery.set(undefined);
    this.#hooks.clear();
    // Whoever else asks for its services has them.
    this.balances.close();
    this.#refuse(problems);
  }

  /** The version that decides did not come back after a strike: it cannot even be loaded any more. */
  #lost(): void {
    this.#drop([`${this.#file}:1:1: it cannot be loaded after it was stopped by force; change it`]);
  }

  /** The file is what runs already. */
  #unchanged(): void {
    if (this.#problems.length === 0) return;
    this.#problems = [];
    this.#tell("info", `the file is again what runs: version ${this.#versions}`, {});
  }

  /** A misspelt name would move nothing, in silence. */
  #warnOfStrangers({ shape }: PolicyVersion): void {
    for (const router of strangers(shape, this.#world.settings().subjects)) {
      this.#tell("warn", `there is no vrrp_instance ${router} for it to move`, { router });
    }
  }

  #dropCandidate(): void {
    this.#candidate?.version.close();
    this.#candidate = undefined;
  }

  /** With a place, as all findings have: the sandbox does not always know one. */
  #placed(text: string): string {
    return /^\S+:\d+:\d+: /.test(text) ? text : `${this.#file}:1:1: ${text}`;
  }

  #tell(level: LogLevel, message: string, detail: Readonly<Record<string, unknown>>): void {
    const { outlet, ports } = this.#world;
    const at = ports.clock.wallClock();
    outlet.event({ at, kind: "policy", level, subject: this.name, message, detail });
  }
}
