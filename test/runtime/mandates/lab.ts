import assert from "node:assert/strict";
import type { InstanceConfig } from "../../../agent/config/config.ts";
import type { MandateConfig } from "../../../agent/config/mandates.ts";
import type { Micros } from "../../../agent/core/time.ts";
import { after, milliseconds, seconds } from "../../../agent/core/time.ts";
import type { MandateNews } from "../../../agent/core/witness/mandate-news.ts";
import type { MandateWish } from "../../../agent/runtime/ipc.ts";
import { Node } from "../../../agent/runtime/node.ts";
import { FakeLan } from "../fake-lan.ts";
import type { TestHost } from "../fixtures.ts";
import { address, config, fakeWorld, host, instance, routerOf } from "../fixtures.ts";
import { VirtualTime } from "../virtual-time.ts";

export const VIP = "192.0.2.100";

export const POSITION = { file: "k.conf", line: 1, column: 1 };

/** A router that asks before it becomes active. */
export const member = (change: Partial<InstanceConfig> = {}, priority = 100): InstanceConfig =>
  instance(
    "VI_1",
    { priority, fenced: true, inSyncGroup: true },
    { addresses: [address(`${VIP}/24`)], ...change },
  );

export const mandate = (change: Partial<MandateConfig> = {}): MandateConfig => ({
  name: "VI_1",
  members: ["VI_1"],
  lease: { mode: "required", key: "VI_1", failsafe: false },
  fences: [],
  ...change,
});

/** A host whose wishes are heard by the test, which is the witness. */
export class Lab {
  readonly time = new VirtualTime();
  readonly lan = new FakeLan(() => this.time.now);
  readonly wishes: MandateWish[] = [];
  readonly host: TestHost;
  readonly #whenResumed = new Set<(missed: Micros) => void>();
  readonly peer = host("b", this.time, this.lan, "192.0.2.2/24");

  constructor() {
    const { world, ...rest } = fakeWorld("a", this.time, this.lan, "192.0.2.1/24");
    const watched = {
      ...world,
      watchSuspension: (heard: (missed: Micros) => void) => {
        this.#whenResumed.add(heard);
        return () => this.#whenResumed.delete(heard);
      },
    };
    const node = new Node(watched, undefined, (wish) => this.wishes.push(wish));
    this.host = { ...rest, node };
  }

  async configure(instances = [member()], mandates = [mandate()], more = {}): Promise<void> {
    await this.host.node.configure(config(instances, { mandates, ...more }));
  }

  /** Has it ask, and grants it for so long. */
  async lead(graceMs = 1_000): Promise<void> {
    await this.configure();
    await this.time.advance(3_700);
    this.grant(graceMs);
    await this.time.advance(2);
    assert.ok(this.isOpen);
  }

  /** The machine has slept, which its clock does not show. */
  suspend(): void {
    for (const heard of this.#whenResumed) heard(seconds(90));
  }

  hear(news: MandateNews, serial = this.serial): void {
    const { node } = this.host;
    node.mandates.heard({ kind: "mandate", mandate: "VI_1", serial, news });
  }

  grant(graceMs: number | null, serial = this.serial): void {
    const deadlineAt = graceMs === null ? null : after(this.time.now, milliseconds(graceMs));
    this.hear({ kind: "granted", deadlineAt, epoch: "0000000a" }, serial);
  }

  get serial(): number {
    return this.wishes.findLast(({ kind }) => kind === "mandate-wanted")?.serial ?? 0;
  }

  get asked(): readonly string[] {
    return this.wishes.map(({ kind }) => kind.slice("mandate-".length));
  }

  get state(): string {
    return routerOf(this.host).state;
  }

  get isOpen(): boolean {
    return this.host.gate.guarded.includes(VIP) && this.host.gate.isOpen(VIP);
  }

  /** Priorities that it sent, which it forgets. */
  sent(): readonly number[] {
    return this.lan.sent
      .splice(0)
      .filter(({ from }) => from === "a")
      .map(({ priority }) => priority);
  }
}
