import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../../../sdk/index.ts";
import type { FakeProgram } from "./fake-sandbox.ts";
import { Forced } from "./fake-sandbox.ts";
import { PolicyBench, poolOf } from "./policy-bench.ts";

const ASKED = { control: { services: ["web"] } };
const SOURCE = "web policy least balance";

/** What `balance` answers, and what it was shown. */
class Weigher {
  answer: unknown = { "10.0.0.1:80": 5 };
  readonly shown: Json[] = [];

  program(declared: Readonly<Record<string, unknown>> = {}): FakeProgram {
    return {
      balance: {
        every: "1s",
        ...declared,
        run: (_, service) => {
          this.shown.push(service ?? null);
          if (this.answer instanceof Error) throw this.answer;
          return this.answer;
        },
      },
    };
  }
}

function bench(): PolicyBench {
  const made = new PolicyBench();
  made.pools.set("web", poolOf("web", { "10.0.0.1:80": {}, "10.0.0.2:80": {} }));
  return made;
}

async function started(
  weigher: Weigher,
  declared?: Readonly<Record<string, unknown>>,
): Promise<PolicyBench> {
  const one = bench();
  one.put("least", weigher.program(declared), ASKED);
  await one.start();
  await one.time.advance(50);
  return one;
}

const events = (one: PolicyBench): readonly string[] =>
  one.heard.messages("policy").filter((text) => !text.includes("version"));

describe("balance", () => {
  test("is shown the service, and what it answers holds while it is said again", async () => {
    const weigher = new Weigher();
    const one = await started(weigher);
    assert.deepEqual(weigher.shown[0], JSON.parse(JSON.stringify(one.pools.get("web"))));
    assert.deepEqual(one.weights.get(SOURCE), { "10.0.0.1:80": 5 });
    await one.time.advance(60_000);
    assert.ok(weigher.shown.length >= 60);
    // Equal answers are one.
    assert.equal(one.balanced.length, 1);
    weigher.answer = { "10.0.0.1:80": 0, "10.0.0.2:80": 65_535 };
    await one.time.advance(1_100);
    assert.deepEqual(one.weights.get(SOURCE), weigher.answer);
    weigher.answer = {};
    await one.time.advance(1_100);
    assert.deepEqual(one.weights.get(SOURCE), {});
  });

  test("is asked at once when a real server falls, and once for many", async () => {
    const weigher = new Weigher();
    const one = await started(weigher, { every: "1m" });
    const before = weigher.shown.length;
    const report = { at: 1, level: "warn", subject: "web", message: "" } as const;
    const fallen = (server: string, change: string) =>
      one.host.event({
        ...report,
        kind: "real-server",
        detail: { service: "web", server, change },
      });
    for (const server of ["10.0.0.1:80", "10.0.0.2:80"]) fallen(server, "state");
    await one.time.advance(20);
    assert.equal(weigher.shown.length, before + 1);
    // A weight that moved is what it did itself.
    fallen("10.0.0.1:80", "weight");
    await one.time.advance(1_000);
    assert.equal(weigher.shown.length, before + 1);
    fallen("10.0.0.1:80", "override");
    await one.time.advance(20);
    assert.equal(weigher.shown.length, before + 2);
  });

  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    [
      "a server that there is not",
      { "10.0.0.9:80": 1 },
      /10\.0\.0\.9:80 is no real server of it; there are 10\.0\.0\.1:80, 10\.0\.0\.2:80/,
    ],
    [
      "a fraction",
      { "10.0.0.1:80": 1.5 },
      /weight of 10\.0\.0\.1:80 must be a whole number from 0 to 65535, not 1\.5/,
    ],
    ["too much", { "10.0.0.1:80": 65_536 }, /not 65536/],
    ["less than nothing", { "10.0.0.1:80": -1 }, /not -1/],
    ["a text", { "10.0.0.1:80": "5" }, /not "5"/],
    ["no record", [5], /it answered no weights/],
    ["nothing", undefined, /it answered no weights/],
    ["an error", new Error("odd"), /odd/],
  ];
  for (const [what, answer, expected] of wrong) {
    test(`${what} changes nothing, and is told once`, async () => {
      const weigher = new Weigher();
      const one = await started(weigher);
      weigher.answer = answer;
      await one.time.advance(5_000);
      assert.deepEqual(one.weights.get(SOURCE), { "10.0.0.1:80": 5 });
      const [first = "", ...more] = events(one);
      assert.match(first, /^balance of web failed, its weights stay as they are: /);
      assert.match(first, expected);
      assert.deepEqual(more, []);
      const [status] = one.host.status().checks ?? [];
      assert.equal(status?.name, "policy least balance web");
      assert.equal(status?.verdict, "down");
      assert.match(status?.reason ?? "", expected);
      weigher.answer = { "10.0.0.1:80": 6 };
      await one.time.advance(1_100);
      assert.equal(events(one).at(-1), "balances web again");
    });
  }

  test("without another answer its weights lapse", async () => {
    const weigher = new Weigher();
    const one = await started(weigher, { ttl: "5s" });
    weigher.answer = new Error("odd");
    await one.time.advance(4_000);
    assert.equal(one.weights.size, 1);
    await one.time.advance(2_000);
    assert.equal(one.weights.size, 0);
    assert.match(events(one).at(-1) ?? "", /gave web no weights for 5 s/);
  });

  test("one that takes too long has failed, and one in quarantine lapses", async () => {
    const weigher = new Weigher();
    const one = await started(weigher, { timeout: "200ms", ttl: "10s" });
    weigher.answer = new Promise(() => undefined);
    await one.time.advance(1_500);
    assert.match(events(one)[0] ?? "", /timeout/);
    assert.ok(one.sandbox.abandoned.includes("balance web"));
    assert.equal(one.weights.size, 1);
    weigher.answer = new Forced("stuck");
    await one.time.advance(15_000);
    assert.equal(one.weights.size, 0);
  });

  test("another version keeps the weights until it has answered, in silence where they are equal", async () => {
    const weigher = new Weigher();
    const one = await started(weigher);
    await one.save("least", weigher.program({ every: "2s" }), ASKED);
    await one.time.advance(3_000);
    assert.equal(one.balanced.length, 1);
    const other = new Weigher();
    other.answer = { "10.0.0.2:80": 7 };
    await one.save("least", other.program(), ASKED);
    assert.deepEqual(one.weights.get(SOURCE), { "10.0.0.2:80": 7 });
    assert.deepEqual(one.balanced, ['web {"10.0.0.1:80":5}', 'web {"10.0.0.2:80":7}']);
  });

  test("a version whose first answer is wrong does not decide", async () => {
    const weigher = new Weigher();
    const one = await started(weigher);
    const other = new Weigher();
    other.answer = { "10.0.0.9:80": 7 };
    await one.save("least", other.program(), ASKED);
    const [status] = one.host.status().policies ?? [];
    assert.match(
      status?.problems[0] ?? "",
      /its first answer to balance web failed: 10\.0\.0\.9:80/,
    );
    await one.time.advance(2_000);
    assert.deepEqual(one.weights.get(SOURCE), { "10.0.0.1:80": 5 });
  });

  test("one without it, and one that is gone, leave nothing behind", async () => {
    const weigher = new Weigher();
    const one = await started(weigher);
    await one.save("least", {}, ASKED);
    assert.equal(one.weights.size, 0);
    await one.save("least", weigher.program(), ASKED);
    await one.time.advance(50);
    assert.equal(one.weights.size, 1);
    one.files.delete("least");
    await one.notice();
    assert.equal(one.weights.size, 0);
  });

  test("services come and go", async () => {
    const weigher = new Weigher();
    const one = bench();
    one.put("least", weigher.program(), { control: { services: ["w*"] } });
    await one.start();
    await one.time.advance(50);
    one.pools.set("www", poolOf("www", { "10.0.0.1:80": {} }));
    one.pools.set("other", poolOf("other", { "10.0.0.1:80": {} }));
    one.host.snapshot([]);
    await one.time.advance(50);
    const least = "policy least balance";
    assert.deepEqual([...one.weights.keys()], [`web ${least}`, `www ${least}`]);
    one.pools.delete("web");
    one.host.snapshot([]);
    assert.deepEqual([...one.weights.keys()], [`www ${least}`]);
  });

  test("a service that there is not is said once", async () => {
    const weigher = new Weigher();
    const one = bench();
    one.put("least", weigher.program(), { control: { services: ["wbe", "other*"] } });
    await one.start();
    for (let times = 0; times < 3; times += 1) one.host.snapshot([]);
    await one.time.advance(50);
    assert.deepEqual(events(one), ["there is no virtual_server wbe for it to balance"]);
  });

  test("without its grant it balances nothing, and another one does", async () => {
    const [first, second] = [new Weigher(), new Weigher()];
    const one = bench();
    one.put("a", first.program(), ASKED);
    one.put("b", second.program(), ASKED);
    await one.start();
    await one.time.advance(50);
    assert.deepEqual([...one.weights.keys()], ["web policy a balance"]);
    const { settings } = one.settings;
    const grants = settings.grants.map((each) => ({ ...each, policy: "b" }));
    one.settings = { ...one.settings, settings: { ...settings, grants } };
    await one.start();
    await one.time.advance(50);
    assert.deepEqual([...one.weights.keys()], ["web policy b balance"]);
  });

  test("of two policies the first in the alphabet has a service, and the other is told", async () => {
    const [first, second] = [new Weigher(), new Weigher()];
    second.answer = { "10.0.0.2:80": 3 };
    const one = bench();
    one.put("b", second.program(), ASKED);
    await one.start();
    await one.time.advance(50);
    assert.deepEqual([...one.weights.keys()], ["web policy b balance"]);
    await one.save("a", first.program(), ASKED);
    await one.time.advance(1_100);
    assert.deepEqual([...one.weights.keys()], ["web policy a balance"]);
    const told = one.heard.events.filter(({ level }) => level === "error");
    assert.deepEqual(
      told.map(({ subject, message }) => `${subject}: ${message}`),
      [
        "b: it may not balance web: the policy a does, and of two the first in the alphabet; take the service out of one of them",
      ],
    );
    one.files.delete("a");
    await one.notice();
    await one.time.advance(50);
    assert.deepEqual([...one.weights.keys()], ["web policy b balance"]);
  });
});
