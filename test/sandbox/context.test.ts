import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Permissions } from "../../sdk/index.ts";
import { CHECK, checking, failureOf, realmOf, resultOf } from "./realms.ts";

const ALL: Permissions = {
  http: ["*"],
  tcp: ["*:1"],
  udp: ["*:1"],
  dns: ["*"],
  icmp: ["*"],
  tls: ["*:1"],
  exec: { reload: ["/bin/true"] },
  read: ["/*"],
  process: ["nginx"],
  interface: ["eth0"],
  gateway: ["192.0.2.1"],
  mail: { to: ["a@example.org"] },
  webhook: { slack: "https://example.org/" },
  control: { routers: ["VI_1"], realServers: ["web/192.0.2.1:80"] },
  plugins: { own: true },
};

const VIEW = {
  node: "lb1",
  routers: { VI_1: { name: "VI_1", state: "active", priority: 150, base: 100 } },
  peers: [{ router: "VI_1", address: "192.0.2.9", priority: 90, lastHeardAt: 1 }],
  nodes: [{ address: "192.0.2.9", routers: ["VI_1"], lastHeardAt: 1 }],
  services: [
    { name: "web", quorum: true, realServers: [{ name: "192.0.2.1:80", up: true, weight: 7 }] },
  ],
  processes: { nginx: 3 },
};

describe("members that call", () => {
  for (const [call, operation, args] of [
    ["http.get('u', { timeout: '1s' })", "http.get", '["u",{"timeout":"1s"}]'],
    ["http.head('u')", "http.head", '["u"]'],
    ["http.post('u')", "http.post", '["u"]'],
    ["tcp.connect('a:1')", "tcp.connect", '["a:1"]'],
    ["udp.exchange('a:1', 'x')", "udp.exchange", '["a:1","x"]'],
    ["dns.resolve('a', 'MX')", "dns.resolve", '["a","MX"]'],
    ["icmp.ping('a')", "icmp.ping", '["a"]'],
    ["tls.certificate('a:1')", "tls.certificate", '["a:1"]'],
    ["exec.run('reload')", "exec.run", '["reload"]'],
    ["files.readText('/a')", "file.readText", '["/a"]'],
    ["files.exists('/a')", "file.exists", '["/a"]'],
    ["interfaces.get('eth0')", "interface.get", '["eth0"]'],
    ["gateway.probe('192.0.2.1')", "gateway.probe", '["192.0.2.1"]'],
    ["kv.get('a')", "kv.get", '["a"]'],
    ["kv.set('a', { b: 1 })", "kv.set", '["a",{"b":1}]'],
    ["kv.delete('a')", "kv.delete", '["a"]'],
    ["sleep('5s')", "clock.sleep", '["5s"]'],
    ["plugin('own', 'look', 1, null)", "plugin.own.look", "[1,null]"],
  ] as const) {
    test(call, async () => {
      const realm = await realmOf(checking(`return await ctx.${call}`, ALL));
      const { calls } = realm.enter(1, CHECK);
      assert.deepEqual(calls, [{ call: 1, operation, arguments: args }]);
      assert.deepEqual(resultOf(realm.settle(1, true, '{"a":1}')), { a: 1 });
    });
  }

  test("null is `undefined`, but for a plugin", async () => {
    const realm = await realmOf(
      checking(
        "return [await ctx.kv.get('a') === undefined, await ctx.plugin('own', 'a') === null]",
        ALL,
      ),
    );
    realm.enter(1, CHECK);
    realm.settle(1, true, "null");
    assert.deepEqual(resultOf(realm.settle(2, true, "null")), [true, true]);
  });
});

describe("members that say", () => {
  for (const [say, operation, args] of [
    ["log.debug('a')", "log.debug", '["a"]'],
    ["log.info('a', { b: 1 })", "log.info", '["a",{"b":1}]'],
    ["log.warn('a')", "log.warn", '["a"]'],
    ["log.error('a')", "log.error", '["a"]'],
    ["metrics.gauge('a', 1)", "metrics.gauge", '["a",1]'],
    ["metrics.count('a')", "metrics.count", '["a"]'],
    ["mail.send({ subject: 's', text: 't' })", "mail.send", '[{"subject":"s","text":"t"}]'],
    ["webhook.post('slack', { text: 't' })", "webhook.post", '["slack",{"text":"t"}]'],
    ["syslog.send({ text: 't' })", "syslog.send", '[{"text":"t"}]'],
    ["router('VI_1').adjust(-5, { ttl: '1m' })", "router.adjust", '["VI_1",-5,{"ttl":"1m"}]'],
    ["router('VI_1').fault('why')", "router.fault", '["VI_1","why"]'],
    ["router('VI_1').clear()", "router.clear", '["VI_1"]'],
    [
      "realServer('web/192.0.2.1:80').setWeight(5)",
      "realServer.setWeight",
      '["web/192.0.2.1:80",5]',
    ],
    ["realServer('web/192.0.2.1:80').drain()", "realServer.drain", '["web/192.0.2.1:80"]'],
    ["realServer('web/192.0.2.1:80').clear()", "realServer.clear", '["web/192.0.2.1:80"]'],
  ] as const) {
    test(say, async () => {
      const realm = await realmOf(checking(`ctx.${say}; return true`, ALL));
      const turn = realm.enter(1, CHECK);
      assert.equal(resultOf(turn), true);
      assert.deepEqual(turn.effects, [{ operation, arguments: args }]);
    });
  }
});

describe("what is shown", () => {
  for (const [shown, expected] of [
    ["node", "lb1"],
    ["routers", VIEW.routers],
    ["peers", VIEW.peers],
    ["nodes", VIEW.nodes],
    ["services", VIEW.services],
    ["processes.count('nginx')", 3],
    ["router('VI_1').priority", 150],
    ["realServer('web/192.0.2.1:80').weight", 7],
    ["realServer('web/192.0.2.1:80').name", "web/192.0.2.1:80"],
    ["now", 1_700_000_000_000],
    ["state", {}],
  ] as const) {
    test(shown, async () => {
      const realm = await realmOf(checking(`return ctx.${shown}`, ALL), { view: VIEW });
      assert.deepEqual(resultOf(realm.enter(1, CHECK)), expected);
    });
  }

  test("is there, if empty, before the view is", async () => {
    const realm = await realmOf(
      checking(
        `return [ctx.routers, ctx.peers, ctx.processes.count('nginx'), ctx.router('VI_1').state,
          ctx.realServer('web/192.0.2.1:80').up]`,
        ALL,
      ),
    );
    assert.deepEqual(resultOf(realm.enter(1, CHECK)), [{}, [], 0, "initialize", false]);
  });
});

describe("what was not asked for", () => {
  test("is not there", async () => {
    const realm = await realmOf(
      checking("const all = []; for (const k in ctx) all.push(k); return all.sort()"),
    );
    assert.deepEqual(
      resultOf(realm.enter(1, CHECK)),
      [
        ...["kv", "log", "metrics", "node", "nodes", "now"],
        ...["peers", "routers", "services", "sleep", "state", "syslog"],
      ].sort(),
    );
  });

  for (const [use, message] of [
    ["router('VI_2')", /"?VI_2"? is not in permissions.control.routers/],
    ["realServer('x')", /permissions.control.realServers/],
    ["processes.count('x')", /permissions.process/],
    ["plugin('x', 'y')", /permissions.plugins/],
  ] as const) {
    test(`${use} names what to add`, async () => {
      const realm = await realmOf(checking(`return ctx.${use}`, ALL));
      assert.match(failureOf(realm.enter(1, CHECK)).message, message);
    });
  }
});

describe("limits", () => {
  test("more than eight calls at once are refused", async () => {
    const realm = await realmOf(
      checking(
        "return (await Promise.allSettled([...'123456789'].map((k) => ctx.kv.get(k))))[8].reason.message",
      ),
    );
    assert.equal(realm.enter(1, CHECK).calls.length, 8);
    let last = realm.settle(1, true, "1");
    for (let call = 2; call <= 8; call++) last = realm.settle(call, true, "1");
    assert.match(String(resultOf(last)), /more than 8 calls at once/);
  });

  test("a call after the answer is refused, and what it says is heard", async () => {
    const realm = await realmOf(
      checking(
        "ctx.kv.get('a').then(() => ctx.kv.get('b')).catch((e) => ctx.log.warn(e.message)); return true",
      ),
    );
    assert.equal(resultOf(realm.enter(1, CHECK)), true);
    const turn = realm.settle(1, true, "1");
    assert.deepEqual(turn.calls, []);
    assert.match(turn.effects[0]?.arguments ?? "", /the run is over/);
  });

  test("an answer that is too large is a failure of the call", async () => {
    const realm = await realmOf(checking("await ctx.kv.get('a')"));
    realm.enter(1, CHECK);
    const failure = failureOf(realm.settle(1, true, JSON.stringify("x".repeat(600_000))));
    assert.match(failure.message, /larger than a policy may have/);
  });
});
