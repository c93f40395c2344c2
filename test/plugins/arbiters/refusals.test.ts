import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { milliseconds, seconds } from "../../../agent/core/time.ts";
import type { LeaseAnswer } from "../../../agent/core/witness/lease-answer.ts";
import { openArbiter } from "../../../plugins/arbiters/open-arbiter.ts";
import type { ArbiterSettings } from "../../../plugins/arbiters/settings.ts";
import { closedPort, tcpServer } from "../servers.ts";
import { consulStandIn } from "./consul-stand-in.ts";
import { kubernetesStandIn } from "./kubernetes-stand-in.ts";

const SECRET = "wrong-and-secret";
const KEY = { name: "a/B_c.d", holder: "one", ttl: seconds(10) };

/** Where an answer is sure to come: a busy machine may take its time. */
const PATIENT_MS = 20_000;

async function ask(t: TestContext, settings: ArbiterSettings, limitMs = PATIENT_MS) {
  const arbiter = openArbiter(settings);
  t.after(() => arbiter.close());
  const answer = await arbiter.acquire(KEY, AbortSignal.timeout(limitMs));
  const view = await arbiter.look(KEY, AbortSignal.timeout(limitMs));
  if (answer.kind === "held") assert.deepEqual(view, { kind: "taken", holder: KEY.holder });
  else if (answer.kind === "unreachable") assert.equal(view.kind, "unreachable");
  else assert.deepEqual(view, answer, "whoever looks is told the same");
  return answer;
}

function isRefused(answer: LeaseAnswer, reason: RegExp): void {
  assert.equal(answer.kind, "refused", JSON.stringify(answer));
  if (answer.kind === "refused") assert.match(answer.reason, reason);
  assert.doesNotMatch(JSON.stringify(answer), new RegExp(SECRET));
}

test("Consul: tokens, and times that it does not take", async (t) => {
  const store = await consulStandIn(1, "right");
  t.after(() => store.close());
  const settings = { kind: "consul", endpoints: [store.endpoint] } as const;
  isRefused(await ask(t, { ...settings, token: SECRET }), /token/);
  isRefused(await ask(t, settings), /token/);
  assert.equal((await ask(t, { ...settings, token: "right" })).kind, "held");
  const arbiter = openArbiter({ ...settings, token: "right" });
  t.after(() => arbiter.close());
  const short = { ...KEY, name: "other", ttl: seconds(9) };
  isRefused(await arbiter.acquire(short, AbortSignal.timeout(PATIENT_MS)), /not 9 s/);
});

test("Kubernetes: tokens that are read anew, and namespaces", async (t) => {
  const store = await kubernetesStandIn("right");
  t.after(() => store.close());
  const settings = {
    kind: "kubernetes",
    endpoints: [store.endpoint],
    namespace: "default",
  } as const;
  isRefused(await ask(t, { ...settings, token: SECRET }), /token/);
  assert.equal((await ask(t, { ...settings, token: () => "right\n" })).kind, "held");
  isRefused(await ask(t, { ...settings, token: "right", namespace: "no" }), /namespace/);
});

test("an endpoint that is silent or closed is left for the next, in time", async (t) => {
  let asked = 0;
  const silent = await tcpServer(() => {
    asked += 1;
  });
  const store = await kubernetesStandIn();
  t.after(() => Promise.all([silent.close(), store.close()]));
  const arbiter = openArbiter({
    kind: "kubernetes",
    endpoints: [
      `http://127.0.0.1:${silent.port}`,
      `http://127.0.0.1:${await closedPort()}`,
      store.endpoint,
    ],
    namespace: "default",
    patience: milliseconds(100),
  });
  t.after(() => arbiter.close());
  const held = await arbiter.acquire(KEY, AbortSignal.timeout(PATIENT_MS));
  assert.equal(held.kind, "held", JSON.stringify(held));
  // It stays with the one that answered.
  const before = asked;
  assert.ok(before > 0);
  assert.deepEqual(await arbiter.renew(KEY, AbortSignal.timeout(PATIENT_MS)), held);
  assert.equal(asked, before);
});

test("every kind answers that nobody is there, and rejects nothing", async (t) => {
  const port = await closedPort();
  const endpoints = [`http://127.0.0.1:${port}`] as const;
  const kinds: readonly ArbiterSettings[] = [
    { kind: "etcd", endpoints, login: { user: "one", password: SECRET } },
    { kind: "consul", endpoints, token: SECRET },
    { kind: "kubernetes", endpoints, namespace: "default", token: SECRET },
    { kind: "redis", host: "127.0.0.1", port, password: SECRET },
    { kind: "zookeeper", servers: [`127.0.0.1:${port}`], login: { user: "one", password: SECRET } },
  ];
  const answers = await Promise.all(kinds.map((settings) => ask(t, settings, 250)));
  for (const answer of answers) {
    assert.equal(answer.kind, "unreachable");
    assert.doesNotMatch(JSON.stringify(answer), new RegExp(SECRET));
  }
});

test("what is no store at all is answered with, too", async (t) => {
  const talker = await tcpServer((socket) => {
    socket.on("data", () =>
      socket.end(Buffer.from("\u0000\u0000\u0000\u0005hello, world\r\n\r\n")),
    );
  });
  t.after(() => talker.close());
  const endpoints = [`http://127.0.0.1:${talker.port}`] as const;
  const kinds: readonly ArbiterSettings[] = [
    { kind: "etcd", endpoints },
    { kind: "consul", endpoints },
    { kind: "kubernetes", endpoints, namespace: "default" },
    { kind: "redis", host: "127.0.0.1", port: talker.port },
    { kind: "zookeeper", servers: [`127.0.0.1:${talker.port}`] },
  ];
  const answers = await Promise.all(kinds.map((settings) => ask(t, settings, 1_000)));
  for (const { kind } of answers) assert.ok(["unreachable", "refused"].includes(kind), kind);
});
