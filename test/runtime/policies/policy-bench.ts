import type { PolicyGrant, Settings, SettingValue } from "../../../agent/config/settings.ts";
import { noSettings } from "../../../agent/config/settings.ts";
import type { Notice } from "../../../agent/core/notify/notice.ts";
import type { Claim, Reading } from "../../../agent/core/track/tracking.ts";
import type { ServerClaim } from "../../../agent/core/virtual-server/pool.ts";
import { Places } from "../../../agent/policy/places.ts";
import { fileStart, problem } from "../../../agent/policy/problem.ts";
import type { Outlet } from "../../../agent/runtime/director/part.ts";
import type { DirectorSettings, EventReport } from "../../../agent/runtime/ipc.ts";
import { PolicyHost } from "../../../agent/runtime/policies/policy-host.ts";
import type { PolicyHostPorts } from "../../../agent/runtime/policies/ports.ts";
import type { BalancedServer, BalancedService, Json, ServiceView } from "../../../sdk/index.ts";
import type { Plugin } from "../../../sdk/plugin.ts";
import { CallError } from "../../../sdk/plugin.ts";
import { settle, VirtualTime } from "../virtual-time.ts";
import type { FakeProgram } from "./fake-sandbox.ts";
import { FakeSandbox } from "./fake-sandbox.ts";

export const DIRECTORY = "/etc/holdfast/policies";

interface FakeFile {
  readonly code: string;
  readonly permissions: Readonly<Record<string, Json>>;
  readonly broken: boolean;
}

/** What happened, as an outlet hears it. */
export class Heard {
  readonly claims = new Map<string, Claim>();
  readonly verdicts = new Map<string, Reading>();
  readonly events: EventReport[] = [];
  readonly log: string[] = [];
  snapshots = 0;

  readonly outlet: Outlet = {
    reading: () => undefined,
    forget: () => undefined,
    claim: (claim) => this.claims.set(`${claim.router} ${claim.source}`, claim),
    withdraw: (router, source) => this.claims.delete(`${router} ${source}`),
    event: (report) => this.events.push(report),
    log: (level, message) => this.log.push(`${level} ${message}`),
    requestSnapshot: () => {
      this.snapshots += 1;
    },
    policyVerdict: (policy, check, reading) => {
      if (reading === undefined) this.verdicts.delete(`${policy}/${check}`);
      else this.verdicts.set(`${policy}/${check}`, reading);
    },
    onReading: () => () => undefined,
    onPolicyVerdict: () => () => undefined,
  };

  /** `none`, `weight -30`, `fault connection refused`; `undefined`: withdrawn. */
  effect(router: string, source: string): string | undefined {
    const effect = this.claims.get(`${router} ${source}`)?.effect;
    if (effect === undefined) return undefined;
    if (effect.kind === "none") return "none";
    return effect.kind === "weight" ? `weight ${effect.weight}` : `fault ${effect.reason}`;
  }

  messages(kind: EventReport["kind"]): readonly string[] {
    return this.events.filter((event) => event.kind === kind).map(({ message }) => message);
  }
}

/** `echo.say` answers its argument, `echo.hang` never; `echo.fail` fails. Watched values are pushed. */
export class EchoPlugin {
  readonly watchers = new Set<(values: Json) => void>();
  readonly aborted: string[] = [];
  readonly timeouts: number[] = [];
  opened = 0;
  closed = 0;

  readonly plugin: Plugin = {
    name: "process",
    permission: "process",
    methods: ["say", "hang", "fail", "forbidden", "large", "foreign", "broken"],
    checkPermission: () => undefined,
    missing: (asked, granted) =>
      (asked as readonly string[]).filter((each) => !(granted as readonly string[]).includes(each)),
    open: () => {
      this.opened += 1;
      return {
        call: (method, args, call) => {
          this.timeouts.push(call.timeoutMs);
          if (method === "say") return Promise.resolve(args[0] ?? null);
          if (method === "large") return Promise.resolve("x".repeat(600_000));
          if (method === "fail") {
            return Promise.reject(new CallError("ECONNREFUSED", "connection refused"));
          }
          if (method === "forbidden") {
            return Promise.reject(new CallError("permission", "that is not yours"));
          }
          // As a package throws it that knows of the contract alone.
          if (method === "foreign") {
            const error = new Error("no battery");
            return Promise.reject(Object.assign(error, { name: "CallError", code: "no-battery" }));
          }
          if (method === "broken") return Promise.reject(new TypeError("secret is undefined"));
          return new Promise((_resolve, reject) => {
            call.signal.addEventListener("abort", () => {
              this.aborted.push(method);
              reject(new CallError("aborted", "given up"));
            });
          });
        },
        watch: (_permission, changed) => {
          this.watchers.add(changed);
          changed({});
          return { close: () => this.watchers.delete(changed) };
        },
        close: () => {
          this.closed += 1;
          return Promise.resolve();
        },
      };
    },
  };

  push(values: Json): void {
    for (const changed of this.watchers) changed(values);
  }
}

/** A host of policies in virtual time, with files, a sandbox and a world that a test writes. */
export class PolicyBench {
  readonly time = new VirtualTime();
  readonly heard = new Heard();
  readonly echo = new EchoPlugin();
  readonly files = new Map<string, FakeFile>();
  readonly programs = new Map<string, FakeProgram>();
  readonly notices: Notice[] = [];
  /** By real server and source. */
  readonly serverClaims = new Map<string, ServerClaim>();
  services: readonly ServiceView[] = [];
  /** Services that may be balanced, and the weights that they were given, by service and source. */
  readonly pools = new Map<string, BalancedService>();
  readonly weights = new Map<string, Readonly<Record<string, number>>>();
  /** All that was said of weights. */
  readonly balanced: string[] = [];
  readonly series: string[] = [];
  readonly saved = new Map<string, string>();
  readonly host: PolicyHost;
  builds = 0;
  watches = 0;
  settings: DirectorSettings;
  /** A build waits for this. */
  hold: Promise<void> = Promise.resolve();
  #sandbox: FakeSandbox | undefined;
  #changed: () => void = () => undefined;
  #codes = 0;

  constructor(grants: Readonly<Record<string, SettingValue>> = ALL) {
    this.settings = directorSettings(grants);
    this.host = new PolicyHost(this.heard.outlet, this.#ports());
  }

  get sandbox(): FakeSandbox {
    if (this.#sandbox === undefined) throw new Error("nobody opened a sandbox");
    return this.#sandbox;
  }

  /** Writes a policy's file; nobody is told. */
  put(
    name: string,
    program: FakeProgram | "broken",
    permissions: Readonly<Record<string, Json>> = { control: { routers: ["VI_1"] } },
  ): void {
    this.#codes += 1;
    const code = `${name} ${this.#codes} ${program === "broken" ? "" : "lastHeardAt"}`;
    if (program !== "broken") this.programs.set(code, program);
    this.files.set(name, { code, permissions, broken: program === "broken" });
  }

  async start(): Promise<void> {
    await Promise.race([this.host.configure(this.settings), settle()]);
  }

  /** A file has changed; what is debounced happens. */
  async save(
    name: string,
    program: FakeProgram | "broken",
    permissions?: Readonly<Record<string, Json>>,
  ): Promise<void> {
    this.put(name, program, permissions);
    await this.notice();
  }

  async notice(): Promise<void> {
    this.#changed();
    await this.time.advance(50);
    await settle();
  }

  /** Something in the folder changed, and nobody has looked yet. */
  touch(): void {
    this.#changed();
  }

  #ports(): PolicyHostPorts {
    const { time } = this;
    return {
      clock: time.clock,
      openTimer: time.openTimer,
      source: {
        discover: () => ({
          policies: [...this.files.keys()].map((name) => ({ name, file: pathOf(name) })),
          problems: [],
        }),
        build: async (_directory, file) => {
          this.builds += 1;
          const found = this.files.get(nameOf(file));
          await this.hold;
          if (found === undefined || found.broken) {
            const wrong = problem(
              "policy-syntax",
              { file, line: 3, column: 9 },
              { message: "odd" },
            );
            return { ok: false, problems: [wrong], inputs: [file] };
          }
          const { code, permissions } = found;
          return {
            ok: true,
            inputs: [file],
            policy: {
              bundle: {
                name: nameOf(file),
                code,
                sourceMap: "{}",
                permissions: JSON.stringify(permissions),
              },
              manifest: { permissions, places: new Places(fileStart(file)) },
              warnings: [],
            },
          };
        },
        mark: (path) => ({ id: this.files.get(nameOf(path))?.code ?? "gone", changedAt: 0 }),
      },
      watchFolder: (_directory, changed) => {
        this.watches += 1;
        this.#changed = changed;
        return {
          close: () => {
            this.watches -= 1;
            return Promise.resolve();
          },
        };
      },
      openSandbox: (listener) => {
        this.#sandbox = new FakeSandbox(listener, this.programs);
        return this.#sandbox;
      },
      plugins: [this.echo.plugin],
      loadPlugin: () => Promise.reject(new Error("there are no packages here")),
      secret: (text) => text,
      memory: () => ({
        load: (name) => this.saved.get(name),
        save: (name, state) => {
          this.saved.set(name, state);
          return undefined;
        },
      }),
      metrics: {
        gauge: (policy, name, value) => this.#measure(`${policy} ${name} = ${value}`),
        count: (policy, name, by) => this.#measure(`${policy} ${name} + ${by}`),
        forget: (policy) => this.series.push(`${policy} forgotten`),
        text: () => Promise.resolve(this.series.join("\n")),
      },
      notify: (notice) => this.notices.push(notice),
      services: {
        views: () => this.services,
        claim: (server, source, claim) => {
          const key = `${server} ${source}`;
          if (claim === undefined) this.serverClaims.delete(key);
          else this.serverClaims.set(key, claim);
        },
        names: () => [...this.pools.keys()],
        look: (service) => Promise.resolve(this.pools.get(service)),
        balance: (service, source, weights) => {
          const key = `${service} ${source}`;
          this.balanced.push(`${service} ${JSON.stringify(weights ?? null)}`);
          if (weights === undefined) this.weights.delete(key);
          else this.weights.set(key, weights);
        },
      },
    };
  }

  #measure(text: string): undefined {
    this.series.push(text);
    return undefined;
  }
}

/** A service with these real servers, which are up. */
export const poolOf = (
  name: string,
  servers: Readonly<Record<string, Partial<BalancedServer>>>,
): BalancedService => ({
  name,
  quorum: true,
  realServers: Object.entries(servers).map(([key, part]) => ({
    key,
    name: `${name}/${key}`,
    up: true,
    weight: 1,
    configuredWeight: 1,
    reason: "",
    held: false,
    order: null,
    latencyMs: undefined,
    activeConnections: 0,
    inactiveConnections: 0,
    upperThreshold: 0,
    lowerThreshold: 0,
    ...part,
  })),
});

const pathOf = (name: string): string => `${DIRECTORY}/${name}.ts`;
const nameOf = (file: string): string => file.slice(DIRECTORY.length + 1, -3);

/** Grants for every policy. */
export const ALL: Readonly<Record<string, SettingValue>> = {
  control: { routers: ["VI_1", "VI_2"], realServers: ["web/10.0.0.1:80"], services: ["*"] },
  process: ["nginx"],
  mail: { to: ["ops@example.org"] },
  webhook: { slack: true },
};

export function settingsWith(grant: Readonly<Record<string, SettingValue>>): Settings {
  const file = "/etc/holdfast/holdfast.conf";
  const position = { file, line: 1, column: 1 };
  const grants: readonly PolicyGrant[] = [{ position, policy: "*", grant }];
  return { ...noSettings(file), grants };
}

const directorSettings = (grant: Readonly<Record<string, SettingValue>>): DirectorSettings =>
  ({
    name: undefined,
    routerId: "node1",
    policiesDirectory: DIRECTORY,
    stateDirectory: "/run/holdfast",
    trackers: [],
    subjects: [{ kind: "instance", name: "VI_1" }],
    settings: settingsWith(grant),
  }) as unknown as DirectorSettings;
