import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { milliseconds, seconds } from "../../agent/core/time.ts";
import { FilterKeeper } from "../../agent/linux/netlink/filter-keeper.ts";
import { gate as openGate } from "../../agent/linux/netlink/gate.ts";
import { GatePart } from "../../agent/linux/netlink/gate-part.ts";
import { Transactions } from "../../agent/linux/netlink/transactions.ts";
import type { FilterEvent } from "../../agent/ports/filter-event.ts";
import type { Gate, OpeningOutcome } from "../../agent/ports/gate.ts";
import type { Command } from "../../agent/wire/netlink/nftables.ts";
import { GateRig, KEEP, needsNft, nft, now, opening, VIP } from "./gate-rig.ts";

/** Not at all, or only its answer is lost. */
type Failure = readonly [errno: string, happens: "nothing" | "carried out"];

/** The kernel's transactions; the next ones end as they are told to. */
class TroubledTransactions {
  failures: Failure[] = [];
  readonly #real = new Transactions();

  async run(commands: () => readonly Command[]): Promise<string | undefined> {
    const failure = this.failures.shift();
    if (failure === undefined) return this.#real.run(commands);
    const [errno, happens] = failure;
    if (happens === "carried out") assert.equal(await this.#real.run(commands), undefined);
    else commands();
    return errno;
  }

  close(): void {
    this.#real.close();
  }
}

const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
/** More than are tried in all. */
const MANY = 1_000;
const codeOf = ([outcome]: readonly OpeningOutcome[]): string =>
  typeof outcome === "object" ? outcome.code : (outcome ?? "none");

describe("a kernel that could not just now", { skip: needsNft, timeout: 30_000 }, () => {
  let rig: GateRig;
  let kernel: TroubledTransactions;
  let gate: Gate;
  let events: FilterEvent[];
  before(() => {
    rig = new GateRig();
  });
  beforeEach(async () => {
    kernel = new TroubledTransactions();
    const part = new GatePart();
    const keeper = new FilterKeeper([part], () => kernel);
    gate = openGate(part, keeper, () => keeper.close());
    events = [];
    gate.subscribe((event) => events.push(event));
    assert.equal(await gate.guard([rig.at(VIP)], KEEP), undefined);
  });
  afterEach(async () => {
    await gate.close();
    await rig.tidy();
  });
  after(() => rig?.dispose());

  const open = () => gate.open([opening([rig.at(VIP)], seconds(5))]);

  for (const errno of ["ENOBUFS", "ENOMEM", "EINTR", "EAGAIN", "EBUSY", "EIO"]) {
    // Only answers are lost for want of room.
    for (const happens of errno === "ENOBUFS"
      ? (["nothing", "carried out"] as const)
      : (["nothing"] as const)) {
      test(`is asked again at once after ${errno} (${happens}), and nobody hears of it`, async () => {
        kernel.failures = times(2, [errno, happens]);
        assert.deepEqual(await open(), ["open"]);
        assert.ok(rig.asks(VIP));
        kernel.failures = times(2, [errno, happens]);
        assert.deepEqual(await open(), ["open"]);
        kernel.failures = times(2, [errno, happens]);
        assert.equal(await gate.shut([rig.at(VIP)]), undefined);
        assert.ok(!rig.asks(VIP));
        kernel.failures = times(2, [errno, happens]);
        assert.equal(await gate.guard([rig.at("192.0.2.101")], KEEP), undefined);
        assert.match(nft("list set inet holdfast guarded4"), /192\.0\.2\.101/);
        assert.deepEqual([events, kernel.failures], [[], []]);
      });
    }
  }

  test("is not asked for ever; what was opened shuts in time, and later it is brought up to date", async () => {
    const lease = opening([rig.at(VIP)], milliseconds(300));
    assert.deepEqual(await gate.open([lease]), ["open"]);
    kernel.failures = times(MANY, ["ENOBUFS", "nothing"]);
    const startedAt = now();
    assert.equal(codeOf(await open()), "ENOBUFS");
    assert.ok(now() - startedAt < seconds(1));
    assert.ok((await rig.lastAnswer(VIP, lease.deadline)) <= lease.deadline + milliseconds(25));
    const [event] = events;
    assert.ok(event?.kind === "lost" && event.error.passing, "only just now");
    assert.equal((await gate.probe())?.code, "ENOBUFS", "the question is put to the kernel");
    kernel.failures = [];
    assert.equal(await gate.probe(), undefined);
    assert.ok(rig.asks(VIP), "its lease runs still");
  });

  test("has rules that somebody removed put back as soon as it can", async () => {
    const lease = opening([rig.at(VIP)], seconds(20));
    assert.deepEqual(await gate.open([lease]), ["open"]);
    kernel.failures = times(MANY, ["ENOMEM", "nothing"]);
    nft("flush ruleset");
    assert.equal(codeOf(await gate.open([lease])), "ENOMEM");
    kernel.failures = [];
    // They come back shut, and are opened by the next transaction.
    while (!(nft("list tables").includes("inet holdfast") && rig.asks(VIP))) await delay(10);
  });

  test("is not asked again for what it cannot do at all", async () => {
    assert.deepEqual(await open(), ["open"]);
    for (const errno of ["EOPNOTSUPP", "EPROTONOSUPPORT", "EPERM", "EINVAL"]) {
      kernel.failures = [...times(2, [errno, "nothing"] as const), ["ENOBUFS", "nothing"]];
      assert.equal(codeOf(await open()), errno, "once, and once from the beginning");
      const event = events.at(-1);
      assert.ok(event?.kind === "lost" && !event.error.passing);
      kernel.failures = [];
      assert.deepEqual(await open(), ["open"]);
    }
  });
});
