import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seconds } from "../../../agent/core/time.ts";
import { checkLike, drain, key, Pool, pool, SORRY, START, server } from "./example.ts";

describe("a start", () => {
  test("servers take part until their checks say otherwise, and the quorum is told", () => {
    const web = new Pool(pool());
    assert.equal(web.weights, "1=1 2=1");
    assert.deepEqual(web.first, [
      "start 10.0.0.1:80 up",
      "start 10.0.0.2:80 up",
      "start quorum up 2/1",
    ]);
  });

  test("alpha: they are down until all of their checks have succeeded, and told down when found so", () => {
    const checks = [checkLike({ startsDown: true }), checkLike({ startsDown: true }, "other")];
    const web = new Pool(pool({ realServers: [server(1, { checks }), server(2, { checks })] }));
    assert.equal(web.weights, "");
    assert.deepEqual(web.first, []);
    assert.deepEqual(web.find(1, "up"), []);
    assert.deepEqual(web.find(1, "up", {}, 1), ["10.0.0.1:80 up", "quorum up 1/1"]);
    assert.deepEqual(web.find(2, "down"), ["10.0.0.2:80 down"]);
    assert.deepEqual(web.find(2, "down"), []);
    assert.equal(web.weights, "1=1");
  });

  test("what the kernel knows already goes on as it is, and is not told anew", () => {
    const presumed = { [key(1)]: false, [key(2)]: true };
    const overrides = { [key(2)]: { kind: "weight", weight: 8, who: "root", at: 1 } } as const;
    const web = new Pool(pool(), { ...START, presumed, overrides, quorum: true });
    assert.deepEqual(web.first, []);
    assert.equal(web.weights, "2=8");
    assert.deepEqual(web.find(1, "up"), ["10.0.0.1:80 up"]);
  });
});

describe("failures", () => {
  test("one failing check of several takes a server out, and the last to succeed brings it back", () => {
    const checks = [checkLike(), checkLike({}, "other")];
    const web = new Pool(pool({ realServers: [server(1, { checks }), server(2)] }));
    assert.deepEqual(web.find(1, "down"), ["10.0.0.1:80 down"]);
    assert.deepEqual(web.find(1, "down", {}, 1), []);
    assert.deepEqual(web.find(1, "up"), []);
    assert.equal(web.weights, "2=1");
    assert.deepEqual(web.find(1, "up", {}, 1), ["10.0.0.1:80 up"]);
    assert.equal(web.weights, "1=1 2=1");
  });

  test("inhibit_on_failure: it stays, with weight 0", () => {
    const web = new Pool(pool({ realServers: [server(1, { inhibitOnFailure: true }), server(2)] }));
    web.find(1, "down");
    assert.equal(web.weights, "1=0 2=1");
  });

  test("a server without checks is always up", () => {
    const web = new Pool(pool({ realServers: [server(1, { checks: [] })] }));
    assert.equal(web.weights, "1=1");
    assert.deepEqual(web.find(1, "down"), []);
  });
});

describe("quorum", () => {
  test("hysteresis: lost below quorum − hysteresis, won from quorum + hysteresis on", () => {
    const realServers = [1, 2, 3, 4].map((last) => server(last));
    const web = new Pool(pool({ quorum: 3, hysteresis: 1, realServers }));
    assert.deepEqual(web.first.at(-1), "start quorum up 4/4");
    web.find(1, "down");
    assert.deepEqual(web.find(2, "down"), ["10.0.0.2:80 down"]);
    assert.deepEqual(web.find(3, "down"), ["10.0.0.3:80 down", "quorum down 1/2"]);
    web.find(1, "up");
    assert.deepEqual(web.find(2, "up"), ["10.0.0.2:80 up"]);
    assert.deepEqual(web.find(3, "up"), ["10.0.0.3:80 up", "quorum up 4/4"]);
  });

  test("weights count, and none at all is never a quorum", () => {
    const heavy = new Pool(
      pool({ quorum: 10, realServers: [server(1, { weight: 9 }), server(2)] }),
    );
    assert.deepEqual(heavy.find(2, "down"), ["10.0.0.2:80 down", "quorum down 9/10"]);
    const none = new Pool(pool({ quorum: 0, realServers: [server(1)] }));
    assert.deepEqual(none.find(1, "down"), ["10.0.0.1:80 down", "quorum down 0/0"]);
    assert.deepEqual(none.wait(1), []);
  });

  test("without it the sorry server stands in the place of all others", () => {
    const realServers = [server(1), server(2, { inhibitOnFailure: true }), server(3)];
    const web = new Pool(pool({ quorum: 2, sorryServer: SORRY, realServers }));
    assert.equal(web.weights, "1=1 2=1 3=1");
    web.find(1, "down");
    assert.deepEqual(web.find(3, "down"), ["10.0.0.3:80 down", "quorum down 1/2"]);
    assert.equal(web.weights, "2=0 99=1");
    web.find(3, "up");
    assert.equal(web.weights, "2=1 3=1");
  });

  test("sorry_server_inhibit: it waits with weight 0", () => {
    const web = new Pool(pool({ sorryServer: SORRY, sorryServerInhibit: true }));
    assert.equal(web.weights, "1=1 2=1 99=0");
    web.find(1, "down");
    web.find(2, "down");
    assert.equal(web.weights, "99=1");
  });

  test("a start without it is told where a sorry server steps in", () => {
    const checks = [checkLike({ startsDown: true })];
    const realServers = [server(1, { checks })];
    assert.deepEqual(new Pool(pool({ realServers })).first, []);
    const web = new Pool(pool({ realServers, sorryServer: SORRY }));
    assert.deepEqual(web.first, ["start quorum down 0/1"]);
    assert.equal(web.weights, "99=1");
  });

  test("a sorry server that is a real server too has one entry", () => {
    const web = new Pool(pool({ sorryServer: server(1), sorryServerInhibit: true }));
    assert.equal(web.weights, "1=1 2=1");
    web.find(1, "down");
    web.find(2, "down");
    assert.equal(web.weights, "1=1");
  });
});

describe("weights", () => {
  test("an answer takes the place of the configured one, and a file's number adds to it", () => {
    const checks = [checkLike(), checkLike({}, "file")];
    const web = new Pool(pool({ realServers: [server(1, { weight: 10, checks })] }));
    assert.deepEqual(web.find(1, "up", { weight: 7 }), ["10.0.0.1:80 10→7"]);
    assert.deepEqual(web.find(1, "up", { extra: -3 }, 1), ["10.0.0.1:80 7→4"]);
    assert.deepEqual(web.find(1, "up", { extra: -30 }, 1), ["10.0.0.1:80 4→0", "quorum down 0/1"]);
    web.find(1, "up", { extra: 5 }, 1);
    assert.equal(web.weights, "1=12");
    web.find(1, "up");
    assert.equal(web.weights, "1=15");
  });

  test("a policy's word is more than that, an operator's most; of policies the least counts", () => {
    const web = new Pool(pool());
    web.find(1, "up", { weight: 50 });
    const claim = (source: string, weight: number) =>
      web.step({ kind: "claim", server: key(1), source, claim: { kind: "weight", weight } });
    claim("policy a", 30);
    claim("policy b", 20);
    assert.equal(web.weights, "1=20 2=1");
    web.say(1, { kind: "weight", weight: 3, who: "root", at: 1 });
    assert.equal(web.weights, "1=3 2=1");
    web.say(1, undefined);
    web.step({ kind: "claim", server: key(1), source: "policy b", claim: undefined });
    assert.equal(web.weights, "1=30 2=1");
  });

  test("a policy's weights of the whole: less than an operator's, and nothing for who is down or not named", () => {
    const balanced = (web: Pool, weights: Readonly<Record<number, number>>, source = "policy a") =>
      web.step({
        kind: "balance",
        source,
        weights: Object.fromEntries(
          Object.entries(weights).map(([last, weight]) => [key(Number(last)), weight]),
        ),
      });
    const web = new Pool(pool({ realServers: [1, 2, 3].map((last) => server(last)) }));
    assert.deepEqual(balanced(web, { 1: 50, 2: 20 }), []);
    assert.equal(web.weights, "1=50 2=20 3=1");
    web.find(2, "down");
    assert.equal(web.weights, "1=50 3=1");
    assert.deepEqual(balanced(web, { 2: 9, 3: 4, 7: 8 }), []);
    assert.equal(web.weights, "1=1 3=4");
    web.say(3, drain);
    balanced(web, { 3: 40 });
    assert.equal(web.weights, "1=1 3=0");
    web.say(3, undefined);
    web.find(2, "up");
    const claim = { kind: "weight", weight: 3 } as const;
    web.step({ kind: "claim", server: key(3), source: "policy b", claim });
    assert.equal(web.weights, "1=1 2=1 3=3");
    balanced(web, {});
    assert.equal(web.weights, "1=1 2=1 3=3");
    assert.deepEqual(Object.keys(web.state.servers[key(3)]?.claims ?? {}), ["policy b"]);
    assert.deepEqual(balanced(web, { 1: 0, 2: 0, 3: 0 }), ["quorum down 0/1"]);
    assert.equal(web.weights, "1=0 2=0 3=0");
  });

  test("a policy takes a server down", () => {
    const web = new Pool(pool());
    const claim = { kind: "down", reason: "too slow" } as const;
    const said = web.step({ kind: "claim", server: key(1), source: "policy a", claim });
    assert.deepEqual(said, ["10.0.0.1:80 down"]);
    assert.equal(web.state.servers[key(1)]?.reason, "too slow");
    assert.equal(web.weights, "2=1");
  });

  test("drained it stays with weight 0 whatever it answers, disabled it is gone", () => {
    const web = new Pool(pool());
    assert.deepEqual(web.say(1, drain), ["10.0.0.1:80 1→0"]);
    assert.equal(web.weights, "1=0 2=1");
    web.find(1, "up", { weight: 9 });
    assert.equal(web.weights, "1=0 2=1");
    web.say(1, { kind: "disable", who: "root", at: 1 });
    assert.equal(web.weights, "2=1");
    web.say(1, undefined);
    assert.equal(web.weights, "1=9 2=1");
  });

  test("slow start: from 1 to its weight, and the quorum counts all of it", () => {
    const realServers = [server(1, { weight: 100 })];
    const web = new Pool(pool({ quorum: 100, slowStart: seconds(10), realServers }));
    assert.equal(web.weights, "1=100");
    web.find(1, "down");
    assert.deepEqual(web.find(1, "up"), ["10.0.0.1:80 up", "quorum up 100/100"]);
    assert.equal(web.weights, "1=1");
    assert.equal(web.state.deadlineAt, 1_000_000);
    web.wait(1);
    assert.equal(web.weights, "1=10");
    web.wait(8);
    assert.equal(web.weights, "1=90");
    assert.deepEqual(web.wait(1), []);
    assert.equal(web.weights, "1=100");
    assert.equal(web.state.deadlineAt, undefined);
  });
});

describe("the guard against mass failures", () => {
  const four = [1, 2, 3, 4].map((last) => server(last));
  const weights = (...each: readonly number[]) => ({
    kind: "balance" as const,
    source: "policy a",
    weights: Object.fromEntries(each.map((weight, at) => [key(at + 1), weight])),
  });

  test("a policy that would empty the service is overruled as a whole", () => {
    const web = new Pool(pool({ panicThreshold: 50, realServers: four }));
    assert.deepEqual(web.step(weights(5, 5, 0, 0)), []);
    assert.equal(web.weights, "1=5 2=5 3=0 4=0");
    assert.deepEqual(web.step(weights(5, 0, 0, 0)), ["overruled 3/4"]);
    assert.equal(web.weights, "1=1 2=1 3=1 4=1");
    assert.deepEqual(web.step(weights(0, 0, 0, 0)), []);
    assert.equal(web.weights, "1=1 2=1 3=1 4=1");
    assert.deepEqual(web.step(weights(5, 5, 5, 0)), ["overruled 0/0"]);
    assert.equal(web.weights, "1=5 2=5 3=5 4=0");
    // Who is down, or an operator's, is not among those whom it empties.
    web.say(1, drain);
    web.find(2, "down");
    assert.deepEqual(web.step(weights(5, 5, 5, 0)), []);
    assert.equal(web.weights, "1=0 3=5 4=0");
  });

  test("while it holds servers, no policy's weights count", () => {
    const web = new Pool(pool({ panicThreshold: 50, realServers: four }));
    web.step(weights(5, 5, 5, 5));
    for (const last of [1, 2, 3]) web.find(last, "down");
    assert.equal(web.weights, "1=1 2=1 3=1 4=1");
    web.step(weights(0, 0, 0, 7));
    assert.equal(web.weights, "1=1 2=1 3=1 4=1");
    for (const last of [1, 2, 3]) web.find(last, "up");
    web.step(weights(5, 5, 5, 7));
    assert.equal(web.weights, "1=5 2=5 3=5 4=7");
  });

  test("who is down from the start has not fallen", () => {
    const checks = [checkLike({ startsDown: true })];
    const alpha = [1, 2, 3].map((last) => server(last, { checks }));
    const web = new Pool(pool({ panicThreshold: 50, realServers: alpha }));
    assert.deepEqual(web.first, []);
    for (const last of [1, 2, 3]) assert.deepEqual(web.find(last, "down"), [`${key(last)} down`]);
    assert.equal(web.weights, "");
    // Nor has who was down when the director before ended.
    const presumed = { [key(1)]: false, [key(2)]: false, [key(3)]: true, [key(4)]: false };
    const restarted = new Pool(pool({ panicThreshold: 50, realServers: four }), {
      ...START,
      presumed,
      quorum: true,
    });
    assert.deepEqual(restarted.first, []);
    for (const last of [1, 2, 4]) assert.deepEqual(restarted.find(last, "down"), []);
    assert.equal(restarted.weights, "3=1");
  });

  test("most of them at once: all who fell are held", () => {
    const web = new Pool(pool({ panicThreshold: 50, realServers: four }));
    assert.deepEqual(web.find(1, "down"), ["10.0.0.1:80 down"]);
    assert.deepEqual(web.find(2, "down"), ["10.0.0.2:80 down"]);
    assert.equal(web.weights, "3=1 4=1");
    assert.deepEqual(web.find(3, "down"), ["10.0.0.1:80 up", "10.0.0.2:80 up", "held 3, up 1"]);
    assert.deepEqual(web.find(4, "down"), []);
    assert.equal(web.weights, "1=1 2=1 3=1 4=1");
    web.find(1, "up");
    assert.deepEqual(web.find(2, "up"), ["10.0.0.3:80 down", "10.0.0.4:80 down", "held 0, up 2"]);
    assert.equal(web.weights, "1=1 2=1");
  });

  test("one after another: they are believed", () => {
    const web = new Pool(pool({ panicThreshold: 50, realServers: four }));
    for (const last of [1, 2, 3, 4]) {
      web.find(last, "down");
      web.wait(60);
    }
    assert.equal(web.weights, "");
  });

  test("it is off unless configured", () => {
    const web = new Pool(pool({ realServers: four }));
    for (const last of [1, 2, 3, 4]) web.find(last, "down");
    assert.equal(web.weights, "");
  });

  test("an operator may take a held server out", () => {
    const web = new Pool(pool({ panicThreshold: 50, realServers: [server(1), server(2)] }));
    web.find(1, "down");
    web.find(2, "down");
    assert.equal(web.weights, "1=1 2=1");
    web.say(2, { kind: "disable", who: "root", at: 1 });
    assert.equal(web.weights, "1=1");
  });
});

describe("another configuration", () => {
  test("what was found holds on, weights change, and a new server takes part", () => {
    const web = new Pool(pool());
    web.find(1, "down");
    const realServers = [server(1), server(2, { weight: 5 }), server(3)];
    assert.deepEqual(web.configure(pool({ realServers })), [
      "10.0.0.2:80 1→5",
      "start 10.0.0.3:80 up",
    ]);
    assert.equal(web.weights, "2=5 3=1");
  });

  test("a check that looks at something else begins as its server was", () => {
    const web = new Pool(pool());
    web.find(1, "down");
    const other = [checkLike({}, "another port")];
    web.configure(pool({ realServers: [server(1, { checks: other }), server(2)] }));
    assert.equal(web.weights, "2=1");
    assert.deepEqual(web.find(1, "up"), ["10.0.0.1:80 up"]);
  });

  test("a check that changed its place is known", () => {
    const [one, two] = [checkLike({}, "one"), checkLike({}, "two")];
    const web = new Pool(pool({ realServers: [server(1, { checks: [one, two] })] }));
    web.find(1, "down", {}, 1);
    web.configure(pool({ realServers: [server(1, { checks: [two] })] }));
    assert.equal(web.weights, "");
    web.configure(pool({ realServers: [server(1, { checks: [] })] }));
    assert.equal(web.weights, "1=1");
  });

  test("who is removed is gone at once, or finishes its connections", () => {
    const one = { realServers: [server(1)] };
    const abrupt = new Pool(pool());
    assert.deepEqual(abrupt.configure(pool(one)), ["10.0.0.2:80 down"]);
    assert.equal(abrupt.weights, "1=1");

    const web = new Pool(pool());
    web.configure(pool({ ...one, drainTime: seconds(60) }));
    assert.equal(web.weights, "1=1 2=0");
    assert.equal(web.state.deadlineAt, 60_000_000);
    assert.deepEqual(web.step({ kind: "connections", active: { [key(2)]: 3 } }), []);
    assert.equal(web.weights, "1=1 2=0");
    assert.deepEqual(web.step({ kind: "connections", active: {} }), ["10.0.0.2:80 left"]);
    assert.equal(web.weights, "1=1");
  });

  test("it leaves at the deadline, and stays when it is configured again before", () => {
    const one = pool({ realServers: [server(1)], drainTime: seconds(60) });
    const late = new Pool(pool());
    late.configure(one);
    assert.deepEqual(late.wait(60), ["10.0.0.2:80 left"]);
    const back = new Pool(pool());
    back.configure(one);
    back.configure(pool());
    assert.equal(back.weights, "1=1 2=1");
    assert.equal(back.state.deadlineAt, undefined);
  });

  test("what leaves, leaves after a restart too", () => {
    const web = new Pool(pool({ realServers: [server(1)], drainTime: seconds(60) }));
    web.configure(pool({ realServers: [], drainTime: seconds(60) }));
    const again = new Pool(pool({ realServers: [server(2)] }), {
      ...START,
      quorum: true,
      leaving: web.state.leaving,
    });
    assert.equal(again.weights, "1=0 2=1");
    assert.deepEqual(again.wait(60), ["10.0.0.1:80 left"]);
  });
});
