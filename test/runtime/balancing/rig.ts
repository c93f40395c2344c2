import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KernelSettings } from "../../../agent/config/kernel-settings.ts";
import type {
  BalancingConfig,
  ProbeEndpoint,
  RealServerConfig,
  ServerCheckConfig,
  VirtualServerConfig,
} from "../../../agent/config/virtual-servers.ts";
import { NO_BALANCING } from "../../../agent/config/virtual-servers.ts";
import type { ServerCommand, ServerOrder } from "../../../agent/control/protocol.ts";
import type { IpAddress } from "../../../agent/core/address.ts";
import { serviceKey } from "../../../agent/core/ipvs/service.ts";
import { seconds } from "../../../agent/core/time.ts";
import type { Reading, TrackerId } from "../../../agent/core/track/tracking.ts";
import type { KernelError } from "../../../agent/ports/error.ts";
import type { Ipvs } from "../../../agent/ports/ipvs.ts";
import type { ProbeOutcome } from "../../../agent/ports/server-probes.ts";
import { Balancing } from "../../../agent/runtime/balancing/balancing.ts";
import type { BalancingPorts } from "../../../agent/runtime/balancing/ports.ts";
import type { Outlet } from "../../../agent/runtime/director/part.ts";
import { PolicyVerdicts } from "../../../agent/runtime/director/policy-verdicts.ts";
import type { DirectorSettings, EventReport } from "../../../agent/runtime/ipc.ts";
import { FakeIpvs } from "../../ipvs/fake-ipvs.ts";
import { settle, VirtualTime } from "../virtual-time.ts";
import { FakeDataPathHost } from "./fake-data-path-host.ts";

const POSITION = { file: "/x.conf", line: 1, column: 1 };

export const VIP = "192.0.2.1" as IpAddress;
export const TARGET = { kind: "address", protocol: "tcp", address: VIP, port: 80 } as const;
export const NAME = "[192.0.2.1]:tcp:80";

export const tcpCheck = (
  last: number,
  timing: Partial<ServerCheckConfig["timing"]> = {},
): ServerCheckConfig => ({
  position: POSITION,
  timing: {
    interval: seconds(5),
    retries: 0,
    retryInterval: seconds(1),
    warmup: seconds(0),
    timeout: seconds(1),
    startsDown: false,
    logAllFailures: false,
    ...timing,
  },
  probe: {
    kind: "tcp",
    to: {
      address: `10.0.0.${last}` as IpAddress,
      port: 80,
      sourceAddress: undefined,
      sourcePort: undefined,
      interface: undefined,
      fwmark: 0,
    },
  },
});

export const real = (last: number, part: Partial<RealServerConfig> = {}): RealServerConfig => ({
  position: POSITION,
  name: `[10.0.0.${last}]:tcp:80`,
  address: `10.0.0.${last}` as IpAddress,
  port: 80,
  forwarding: { kind: "dr" },
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
  inhibitOnFailure: false,
  notifyUp: undefined,
  notifyDown: undefined,
  mail: false,
  checks: [tcpCheck(last)],
  ...part,
});

/** 192.0.2.1:80 with 10.0.0.1 and 10.0.0.2. */
export const web = (part: Partial<VirtualServerConfig> = {}): VirtualServerConfig => ({
  position: POSITION,
  name: NAME,
  targets: [{ kind: "address", address: VIP, port: 80 }],
  protocol: "tcp",
  scheduler: "wlc",
  schedulerFlags: [false, false, false],
  onePacket: false,
  persistence: undefined,
  quorum: 1,
  hysteresis: 0,
  quorumUp: undefined,
  quorumDown: undefined,
  sorryServer: undefined,
  sorryServerInhibit: false,
  omega: false,
  haSuspend: false,
  mail: false,
  drainTime: seconds(0),
  slowStart: seconds(0),
  panicThreshold: 0,
  realServers: [real(1), real(2)],
  ...part,
});

export const balancing = (
  virtualServers: readonly VirtualServerConfig[],
  part: Partial<BalancingConfig> = {},
): BalancingConfig => ({ ...NO_BALANCING, virtualServers, ...part });

/** Of all rigs of this process; directors write into theirs until the end. */
const FOLDERS = mkdtempSync(join(tmpdir(), `hf-lb-${process.pid}-`));
process.once("exit", () => rmSync(FOLDERS, { recursive: true, force: true }));

/** Load balancing on a pretended kernel, in virtual time, with servers that answer as a test says. */
export class Rig {
  readonly time = new VirtualTime();
  kernel = new FakeIpvs();
  readonly folder = mkdtempSync(join(FOLDERS, "rig-"));
  readonly events: EventReport[] = [];
  readonly logs: string[] = [];
  /** Subject, then each telling, as one line. */
  readonly told: string[] = [];
  /** Last numbers of the addresses whose servers do not answer. */
  readonly dead = new Set<number>();
  /** Those that answer with a weight. */
  readonly weights = new Map<number, number>();
  /** Probes, by last number of the address. */
  readonly probes: number[] = [];
  /** What was sent by data paths. */
  readonly sent: ProbeEndpoint[] = [];
  readonly addresses = new Set<string>([VIP]);
  readonly dataPathHost = new FakeDataPathHost();
  /** What opening ip_vs comes to in place of the pretended kernel. */
  refused: KernelError | undefined;
  opened = 0;
  /** The namespace that ip_vs was opened in last. */
  namespace: string | undefined;
  leaveServices = false;
  /** `undefined`: nobody knows them. */
  kernelSettings: KernelSettings | undefined;
  snapshots = 0;
  readonly verdicts = new PolicyVerdicts();
  readonly #readings = new Map<TrackerId, (reading: Reading | undefined) => void>();
  #directors = 0;
  part: Balancing = this.#open();

  configure(config: BalancingConfig): Promise<void> {
    this.part.configure({
      stateDirectory: this.folder,
      routerId: "lb1",
      balancing: config,
      leaveServices: this.leaveServices,
    } as unknown as DirectorSettings);
    return this.rest();
  }

  /** Another director after this one ended without a word: nothing of it happens any more. */
  restart(): void {
    this.#directors += 1;
    this.part = this.#open();
  }

  async rest(): Promise<void> {
    await settle();
    await this.part.settled();
    await settle();
  }

  async wait(time: number): Promise<void> {
    await this.time.advance(time * 1_000);
    await this.rest();
  }

  order(command: ServerCommand, order: Partial<ServerOrder> = {}): unknown {
    return this.part.commands[command]?.("all", { server: "10.0.0.1:80", who: "root", ...order });
  }

  say(tracker: TrackerId, reading: Reading | undefined): void {
    this.#readings.get(tracker)?.(reading);
  }

  /** `1=5 2=0`, as the kernel has it; `undefined`: no such service. */
  get pool(): string | undefined {
    const entry = this.kernel.table.get(serviceKey(TARGET));
    return entry?.destinations
      .map(({ address, weight }) => `${address.split(".").at(-1)}=${weight}`)
      .sort()
      .join(" ");
  }

  get messages(): readonly string[] {
    return this.events.map(({ message }) => message);
  }

  async dispose(): Promise<void> {
    await this.part.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #open(): Balancing {
    const outlet: Partial<Outlet> = {
      event: (report) => this.events.push(report),
      log: (_, message) => this.logs.push(message),
      requestSnapshot: () => {
        this.snapshots += 1;
      },
      onPolicyVerdict: (...who) => this.verdicts.listen(...who),
      onReading: (tracker, listener) => {
        this.#readings.set(tracker, listener);
        return () => this.#readings.delete(tracker);
      },
    };
    const number = this.#directors;
    const lives = (): boolean => number === this.#directors;
    const ports: BalancingPorts = {
      clock: this.time.clock,
      openTimer: (due) => this.time.openTimer(() => (lives() ? due() : undefined)),
      openIpvs: (namespace) => {
        this.namespace = namespace;
        return Promise.resolve(this.#openIpvs(lives));
      },
      openProbes: () => ({
        probes: { tcp: ({ to }) => Promise.resolve(this.#probe(to)) },
        close: () => undefined,
      }),
      openDataPathHost: () => this.dataPathHost,
      kernelSettings: () => this.kernelSettings,
      hostAddresses: () => this.addresses,
      tell: (subject, tellings) => {
        for (const telling of tellings) {
          const words = { ...telling, kind: undefined, severity: undefined };
          this.told.push(`${subject} | ${Object.values(words).filter(Boolean).join(" ")}`);
        }
      },
    };
    return new Balancing(outlet as Outlet, ports);
  }

  #openIpvs(lives: () => boolean): Ipvs | KernelError {
    this.opened += 1;
    if (this.refused !== undefined) return this.refused;
    // What one director closes is open for the next.
    const kernel = this.kernel;
    return new Proxy(kernel, {
      get: (target, name) => {
        if (name === "close") return () => undefined;
        if (!lives()) return () => new Promise(() => undefined);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  #probe(to: ProbeEndpoint): ProbeOutcome {
    const last = Number((to.dataPath?.server ?? to.address).split(".").at(-1));
    this.probes.push(last);
    if (to.dataPath !== undefined) this.sent.push(to);
    const weight = this.weights.get(last);
    if (this.dead.has(last)) return { ok: false, reason: "connection refused", ms: 1 };
    return { ok: true, reason: "connected", ms: 1, ...(weight === undefined ? {} : { weight }) };
  }
}
