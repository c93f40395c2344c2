import { dirname } from "node:path";
import type { BalancedService } from "../../sdk/index.ts";
import type { Settings } from "../config/settings.ts";
import type { ServiceStatus } from "../control/protocol.ts";
import type { ServerWeights } from "../core/policy/server-weights.ts";
import type { Claim } from "../core/track/tracking.ts";
import type { RouterSnapshot } from "../core/vrrp/snapshot.ts";
import type { BuiltPolicy } from "../policy/build-policy.ts";
import { buildPolicy } from "../policy/build-policy.ts";
import { policyNameOf } from "../policy/discover.ts";
import type { DryRunReport } from "../policy/dry-run-report.ts";
import { compareGrants } from "../policy/grants.ts";
import { fileStart } from "../policy/problem.ts";
import { balanceAnswer } from "../runtime/policies/balance-answer.ts";
import { checkAnswer } from "../runtime/policies/check-answer.ts";
import { PolicyHost } from "../runtime/policies/policy-host.ts";
import type { PolicyHostPorts } from "../runtime/policies/ports.ts";
import { problemText } from "../runtime/policies/refusal.ts";
import type { EntryOutcome } from "../sandbox/sandbox.ts";
import { balancedServices } from "./dry-run-services.ts";
import { hostSettings } from "./host-settings.ts";
import { memoryKv } from "./memory-kv.ts";
import type { Ran } from "./once-sandbox.ts";
import { OnceSandbox } from "./once-sandbox.ts";

/** The host as it is. */
export type DryRunPorts = Pick<
  PolicyHostPorts,
  "clock" | "openTimer" | "openSandbox" | "plugins" | "loadPlugin" | "secret"
>;

export interface DryRunRequest {
  /** Absolute path of the policy. */
  readonly file: string;
  /** Secrets, options of plugins, and the grants that it would have; here it has all that it asks for. */
  readonly settings: Settings;
  readonly node: string;
  /** What `ctx` shows of this node; empty while no agent runs. */
  readonly routers: readonly RouterSnapshot[];
  /** Its virtual servers, as `holdfast services` has them. */
  readonly services: readonly ServiceStatus[];
}

/**
 * Lets each check of a policy look at the host once, and asks once for the weights of each service. No hook runs, nothing is sent or written, and no
 * router hears of it. Takes as long as the slowest check may.
 */
export async function dryRun(request: DryRunRequest, ports: DryRunPorts): Promise<DryRunReport> {
  const { file, settings } = request;
  const policy = policyNameOf(file);
  const built = await buildPolicy({ directory: dirname(file), file, trust: "anyone" });
  if (!built.ok) return { ...NOTHING, policy, problems: built.problems.map(problemText) };
  const { manifest } = built.policy;
  const { missing } = compareGrants(policy, manifest, settings, ports.plugins);
  const run = new DryRun(request, built.policy, ports);
  await run.looked();
  return { policy, ...run.report(), ungranted: missing.map(({ line }) => line) };
}

const NOTHING: DryRunReport = {
  policy: "",
  problems: [],
  checks: [],
  claims: [],
  weights: [],
  said: [],
  ungranted: [],
};

type Check = DryRunReport["checks"][number];

class DryRun {
  readonly #request: DryRunRequest;
  readonly #policy: BuiltPolicy;
  readonly #host: PolicyHost;
  readonly #checks = new Map<string, Check>();
  readonly #claims = new Map<string, Claim>();
  readonly #services: ReadonlyMap<string, BalancedService>;
  readonly #weights = new Map<string, ServerWeights>();
  readonly #said: DryRunReport["said"][number][] = [];
  #problems: readonly string[] = [];
  #checked: () => void = () => undefined;

  constructor(request: DryRunRequest, policy: BuiltPolicy, ports: DryRunPorts) {
    this.#request = request;
    this.#policy = policy;
    this.#services = balancedServices(request.services);
    this.#host = new PolicyHost(this.#outlet(), this.#hostPorts(ports));
  }

  /** Resolves when every check has looked, and all of it is known. */
  async looked(): Promise<void> {
    const { settings, node } = this.#request;
    const position = fileStart(settings.file);
    const { name } = this.#policy.bundle;
    const grant = { position, policy: name, grant: this.#policy.manifest.permissions };
    await this.#host.configure(
      hostSettings({
        routerId: node,
        policiesDirectory: dirname(this.#request.file),
        subjects: [],
        settings: { ...settings, grants: [grant] },
      }),
    );
    const { checks = [], policies = [] } = this.#host.status();
    this.#problems = policies.flatMap(({ problems }) => problems);
    while (this.#checks.size < checks.length) {
      await new Promise<void>((resolve) => {
        this.#checked = resolve;
      });
    }
    // The last verdict is on its way to what it claims.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#host.stop();
  }

  report(): Omit<DryRunReport, "policy" | "ungranted"> {
    const claims = [...this.#claims.values()].flatMap(({ router, source, effect }) =>
      effect.kind === "none"
        ? []
        : [
            effect.kind === "weight"
              ? { router, source, weight: effect.weight, reason: "" }
              : { router, source, weight: null, reason: effect.reason },
          ],
    );
    return {
      problems: this.#problems,
      checks: [...this.#checks.values()],
      claims,
      weights: [...this.#weights].flatMap(([service, weights]) =>
        Object.entries(weights).map(([server, weight]) => {
          const all = this.#services.get(service)?.realServers ?? [];
          const configured = all.find(({ key }) => key === server)?.configuredWeight ?? 0;
          return { service, server, weight, configured };
        }),
      ),
      said: this.#said,
    };
  }

  #ended(entry: Ran, outcome: EntryOutcome | undefined, milliseconds: number): void {
    const name = entry.kind === "check" ? entry.name : `balance ${entry.name}`;
    const took = Math.round(milliseconds * 10) / 10;
    if (outcome === undefined) {
      this.#checks.set(name, { name, result: "failed", reason: "timeout", milliseconds: took });
    } else if (entry.kind === "balance") {
      const service = this.#services.get(entry.name);
      const answer = service && balanceAnswer(outcome, service);
      const reason = answer?.kind === "failed" ? answer.reason : "";
      const result = answer?.kind === "weights" ? "good" : "failed";
      this.#checks.set(name, { name, result, reason, milliseconds: took });
    } else {
      const { result, reason, failed } = checkAnswer(outcome);
      const verdict = failed || result === "lost" ? "failed" : result;
      this.#checks.set(name, { name, result: verdict, reason, milliseconds: took });
    }
    this.#checked();
  }

  #say(kind: DryRunReport["said"][number]["kind"], to: string, text: string): undefined {
    this.#said.push({ kind, to, text });
    return undefined;
  }

  #outlet(): ConstructorParameters<typeof PolicyHost>[0] {
    const prefix = `policy ${this.#policy.bundle.name}: `;
    return {
      reading: () => undefined,
      forget: () => undefined,
      claim: (claim) => this.#claims.set(`${claim.router} ${claim.source}`, claim),
      withdraw: (router, source) => this.#claims.delete(`${router} ${source}`),
      event: () => undefined,
      log: (level, message) => this.#say("log", level, message.replace(prefix, "")),
      requestSnapshot: () => queueMicrotask(() => this.#host.snapshot(this.#request.routers)),
      policyVerdict: () => undefined,
      onReading: () => () => undefined,
      onPolicyVerdict: () => () => undefined,
    };
  }

  #hostPorts(ports: DryRunPorts): PolicyHostPorts {
    const { file } = this.#request;
    const built = { ok: true, policy: this.#policy, inputs: [] } as const;
    return {
      ...ports,
      plugins: ports.plugins.map((plugin) =>
        plugin.name === "kv" ? { ...plugin, open: () => memoryKv(new Map()) } : plugin,
      ),
      source: {
        discover: () => ({ policies: [{ name: policyNameOf(file), file }], problems: [] }),
        build: () => Promise.resolve(built),
        mark: () => ({ id: "", changedAt: 0 }),
      },
      watchFolder: () => ({ close: () => Promise.resolve() }),
      openSandbox: async (listener) =>
        new OnceSandbox(
          await ports.openSandbox(listener),
          () => ports.clock.now() / 1_000,
          (...ended) => this.#ended(...ended),
        ),
      memory: () => ({ load: () => undefined, save: () => undefined }),
      metrics: {
        gauge: (_policy, name, value) => this.#say("metric", name, String(value)),
        count: (_policy, name, by) => this.#say("metric", name, `+${by}`),
        forget: () => undefined,
        text: () => Promise.resolve(""),
      },
      services: {
        views: () => [...this.#services.values()],
        claim: () => undefined,
        names: () => [...this.#services.keys()],
        look: (service) => Promise.resolve(this.#services.get(service)),
        balance: (service, _source, weights) => this.#weights.set(service, weights ?? {}),
      },
      notify: ({ target, title, text }) => {
        const to = target.kind === "mail" ? target.to.join(", ") : presetOf(target);
        this.#say(target.kind, to, title === "" ? text : `${title}: ${text}`);
      },
    };
  }
}

/** Of a webhook its URL is not shown: it may be a secret of its own. */
const presetOf = (target: { readonly kind: string; readonly preset?: string }): string =>
  target.preset ?? target.kind;
