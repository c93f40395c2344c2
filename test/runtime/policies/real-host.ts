import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../agent/linux/clock.ts";
import { openTimer } from "../../../agent/linux/timer.ts";
import type { DirectorSettings, EventReport } from "../../../agent/runtime/ipc.ts";
import { policyFiles } from "../../../agent/runtime/policies/policy-files.ts";
import { PolicyHost } from "../../../agent/runtime/policies/policy-host.ts";
import { policyMemory } from "../../../agent/runtime/policies/policy-memory.ts";
import { watchFolder } from "../../../agent/runtime/policies/watch-folder.ts";
import { openSandbox } from "../../../agent/sandbox/pool.ts";
import type { Sandbox } from "../../../agent/sandbox/sandbox.ts";
import { PolicyMetrics } from "../../../plugins/metrics/policy-metrics.ts";
import { ALL, Heard, settingsWith } from "./policy-bench.ts";

/** A host with the real builder, sandbox, watcher and clock, in a folder of its own. */
export class RealHost {
  readonly root = mkdtempSync(join(tmpdir(), `holdfast-policies-${process.pid}-`));
  readonly policies = join(this.root, "policies");
  readonly heard = new Heard();
  readonly host: PolicyHost;
  /** Policies that are loaded, versions that are tried included. */
  realms = 0;
  readonly #waiting = new Set<() => void>();

  constructor() {
    const { outlet } = this.heard;
    const told = {
      ...outlet,
      event: (report: EventReport) => {
        outlet.event(report);
        for (const look of this.#waiting) look();
      },
      log: (level: Parameters<typeof outlet.log>[0], message: string) => {
        outlet.log(level, message);
        for (const look of this.#waiting) look();
      },
    };
    this.host = new PolicyHost(told, {
      clock: systemClock,
      openTimer,
      source: policyFiles("anyone"),
      watchFolder,
      openSandbox: (listener) => this.#counted(openSandbox({ listener, mostWorkers: 1 })),
      plugins: [],
      loadPlugin: () => Promise.reject(new Error("there are no packages here")),
      secret: (text) => text,
      memory: policyMemory,
      metrics: new PolicyMetrics(),
      notify: () => undefined,
    });
  }

  #counted(sandbox: Sandbox): Sandbox {
    return {
      load: async (...args) => {
        const outcome = await sandbox.load(...args);
        if (outcome.ok) this.realms += 1;
        return outcome;
      },
      unload: (realm) => {
        this.realms -= 1;
        sandbox.unload(realm);
      },
      view: (...args) => sandbox.view(...args),
      enter: (...args) => sandbox.enter(...args),
      abandon: (...args) => sandbox.abandon(...args),
      settle: (...args) => sandbox.settle(...args),
      close: () => sandbox.close(),
    };
  }

  async start(): Promise<void> {
    await this.host.configure({
      name: undefined,
      netNamespace: undefined,
      routerId: "node1",
      policiesDirectory: this.policies,
      stateDirectory: join(this.root, "state"),
      trackers: [],
      subjects: [{ kind: "instance", name: "VI_1" }],
      settings: settingsWith(ALL),
    } as unknown as DirectorSettings);
  }

  makeFolder(): void {
    mkdirSync(this.policies);
  }

  /** As simple editors save. */
  write(name: string, text: string): void {
    writeFileSync(join(this.policies, name), text);
  }

  /** As careful editors save. */
  replace(name: string, text: string): void {
    const fresh = join(this.policies, `.${name}.swp`);
    writeFileSync(fresh, text);
    renameSync(fresh, join(this.policies, name));
  }

  /** Resolves when `found` answers something, which is asked after each event. */
  async until<Found>(what: string, found: () => Found | undefined | false): Promise<Found> {
    let look: () => void = () => undefined;
    let late: NodeJS.Timeout | undefined;
    const seen = new Promise<Found>((resolve, reject) => {
      look = () => {
        const value = found();
        if (value !== undefined && value !== false) resolve(value);
      };
      late = setTimeout(() => {
        const said = this.heard.events.map(({ subject, message }) => `${subject}: ${message}`);
        reject(new Error(`not seen: ${what}\n${[...said, ...this.heard.log].join("\n")}`));
      }, 30_000);
    });
    this.#waiting.add(look);
    try {
      look();
      return await seen;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(look);
    }
  }

  version(name: string): number {
    return this.host.status().policies?.find((policy) => policy.name === name)?.version ?? 0;
  }

  problems(name: string): string {
    const policy = this.host.status().policies?.find((each) => each.name === name);
    return policy?.problems.join("\n") ?? "";
  }

  async close(): Promise<void> {
    await this.host.stop();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A policy whose check answers `answer`, an expression. */
export const policyText = (answer: string, more = ""): string => `
import { definePolicy } from "holdfast/sdk";
${more}
export default definePolicy({
  permissions: { control: { routers: ["VI_1"] } },
  state: { version: 1, init: () => ({ runs: 0 }) },
  checks: {
    alive: {
      every: "50ms",
      timeout: "8s",
      track: { routers: { VI_1: -30 } },
      run: (ctx) => {
        ctx.state.runs += 1;
        return ${answer};
      },
    },
  },
});
`;
