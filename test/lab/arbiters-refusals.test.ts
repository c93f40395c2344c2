import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createServer } from "node:tls";
import { seconds } from "../../agent/core/time.ts";
import type { LeaseAnswer } from "../../agent/core/witness/lease-answer.ts";
import { openArbiter } from "../../plugins/arbiters/open-arbiter.ts";
import type { ArbiterSettings } from "../../plugins/arbiters/settings.ts";
import type { Authority, ServerIdentity } from "../plugins/certificates.ts";
import { createAuthority } from "../plugins/certificates.ts";
import { listening } from "../plugins/servers.ts";
import { eventually } from "./eventually.ts";
import type { Ensemble } from "./stores/ensemble.ts";
import { etcd } from "./stores/etcd.ts";
import { redisServer } from "./stores/redis-server.ts";
import { zookeeper } from "./stores/zookeeper.ts";

const SECRET = "wrong-and-secret";

/** What a store answers to somebody who comes with these settings. */
async function ask(settings: ArbiterSettings, name = "group"): Promise<LeaseAnswer> {
  const arbiter = openArbiter(settings);
  // Who wants nothing has asked for nothing before.
  const looker = openArbiter(settings);
  try {
    const key = { name, holder: "a", ttl: seconds(2) };
    const answer = await arbiter.acquire(key, AbortSignal.timeout(10_000));
    const view = await looker.look(key, AbortSignal.timeout(10_000));
    if (answer.kind === "held") {
      assert.deepEqual(view, { kind: "taken", holder: "a" });
      await arbiter.release(key, AbortSignal.timeout(2_000));
    } else assert.deepEqual(view, answer, "whoever looks is told the same");
    return answer;
  } finally {
    await arbiter.close();
    await looker.close();
  }
}

async function isRefused(settings: ArbiterSettings, reason: RegExp): Promise<void> {
  const answer = await ask(settings);
  assert.equal(answer.kind, "refused", JSON.stringify(answer));
  if (answer.kind !== "refused") return;
  assert.match(answer.reason, reason);
  assert.ok(answer.remedy.length > 10);
  assert.doesNotMatch(JSON.stringify(answer), new RegExp(SECRET));
}

const isHeld = (settings: ArbiterSettings): Promise<void> =>
  eventually("the store gives a lease", 30_000, async () => {
    const answer = await ask(settings);
    assert.equal(answer.kind, "held", JSON.stringify(answer));
  });

describe("arbiters that stores refuse", { concurrency: true, timeout: 60_000 }, () => {
  let authority: Authority;
  let identity: ServerIdentity;
  let trusted: { readonly ca: string };
  const started: Ensemble[] = [];
  const files = (folder: string): readonly [ca: string, cert: string, key: string] => {
    const paths = ["ca", "cert", "key"].map((name) => join(folder, `${name}.pem`));
    const [ca = "", cert = "", key = ""] = paths;
    for (const [path, text] of [
      [ca, trusted.ca],
      [cert, identity.cert],
      [key, identity.key],
    ] as const) {
      writeFileSync(path, text);
    }
    return [ca, cert, key];
  };
  before(() => {
    authority = createAuthority();
    identity = authority.issue("DNS:localhost,IP:127.0.0.1", 1);
    trusted = { ca: readFileSync(authority.caFile, "utf8") };
  });
  after(async () => {
    await Promise.all(started.flatMap(({ servers }) => servers.map((one) => one.dispose())));
    authority.dispose();
  });

  test("etcd with TLS, certificates of clients and logins", async () => {
    const tls = (folder: string): readonly string[] => {
      const [ca, cert, key] = files(folder);
      const server = ["--cert-file", cert, "--key-file", key];
      return [...server, "--trusted-ca-file", ca, "--client-cert-auth"];
    };
    const store = await etcd(1, tls, "https");
    started.push(store);
    const at = `127.0.0.1:${store.ports[0]}`;
    const endpoints = [`https://${at}`] as const;
    const ours = { ...trusted, cert: identity.cert, key: identity.key };
    await isHeld({ kind: "etcd", endpoints, tls: ours });
    await isRefused({ kind: "etcd", endpoints: [`http://${at}`] }, /wants TLS/);
    await isRefused({ kind: "etcd", endpoints }, /certificate/);
    await isRefused({ kind: "etcd", endpoints, tls: trusted }, /does not accept our certificate/);
  });

  test("etcd with logins", async () => {
    const store = await etcd(1);
    started.push(store);
    const endpoints = [`http://127.0.0.1:${store.ports[0]}`] as const;
    await isHeld({ kind: "etcd", endpoints });
    const group = { name: "group", holder: "a", ttl: seconds(2) };
    const anybody = openArbiter({ kind: "etcd", endpoints });
    const revision = async (): Promise<unknown> => {
      const body = JSON.stringify({ key: "YQ==" });
      const answer = await fetch(`${endpoints[0]}/v3/kv/range`, { method: "POST", body });
      return ((await answer.json()) as { header: { revision: string } }).header.revision;
    };
    const before = await revision();
    assert.deepEqual(await anybody.look(group, AbortSignal.timeout(2_000)), { kind: "free" });
    assert.equal(await revision(), before, "a look changes nothing");
    await anybody.close();
    const users = [
      ["user/add", { name: "root", password: "right" }],
      ["user/add", { name: "reader", password: "right" }],
      ["role/add", { name: "root" }],
      ["user/grant", { user: "root", role: "root" }],
      ["role/add", { name: "look" }],
      ["role/grant", { name: "look", perm: { permType: "READ", key: "YQ==", range_end: "eg==" } }],
      ["user/add", { name: "looker", password: "right" }],
      ["user/grant", { user: "looker", role: "look" }],
      ["enable", {}],
    ] as const;
    for (const [call, body] of users) {
      const url = `${endpoints[0]}/v3/auth/${call}`;
      const { ok } = await fetch(url, { method: "POST", body: JSON.stringify(body) });
      assert.ok(ok, call);
    }
    const login = { user: "root", password: "right" };
    await isHeld({ kind: "etcd", endpoints, login });
    await isRefused({ kind: "etcd", endpoints }, /wants a user/);
    const wrong = { user: "root", password: SECRET };
    await isRefused({ kind: "etcd", endpoints, login: wrong }, /does not accept the user/);
    const reader = { user: "reader", password: "right" };
    await isRefused({ kind: "etcd", endpoints, login: reader }, /read and write/);
    const looker = openArbiter({ kind: "etcd", endpoints, login: { ...reader, user: "looker" } });
    const seen = await looker.look(group, AbortSignal.timeout(2_000));
    assert.equal(seen.kind, "refused", "who may read only is seen by a look");
    await looker.close();
    const odd = { kind: "etcd", endpoints, login } as const;
    const arbiter = openArbiter(odd);
    const short = { name: "short", holder: "a", ttl: seconds(0.5) };
    const answer = await arbiter.acquire(short, AbortSignal.timeout(10_000));
    assert.ok(["held", "refused"].includes(answer.kind), JSON.stringify(answer));
    await arbiter.close();
  });

  test("Redis with passwords, and with TLS", async () => {
    const tls = (folder: string): readonly string[] => {
      const [ca, cert, key] = files(folder);
      const server = ["--tls-cert-file", cert, "--tls-key-file", key];
      return [...server, "--tls-ca-cert-file", ca, "--tls-auth-clients", "no"];
    };
    const [guarded, secured] = await Promise.all([
      redisServer(() => ["--requirepass", "right"]),
      redisServer(tls, "tls-port"),
    ]);
    started.push(guarded, secured);
    const plain = { kind: "redis", host: "127.0.0.1", port: guarded.ports[0] ?? 0 } as const;
    await isHeld({ ...plain, password: "right" });
    await isRefused(plain, /wants a password/);
    await isRefused({ ...plain, password: SECRET }, /does not accept/);
    const primary = ["127.0.0.1", String(guarded.ports[0])];
    const replica = await redisServer(() => ["--replicaof", ...primary]);
    started.push(replica);
    await eventually("a replica answers", 5_000, () =>
      isRefused({ ...plain, port: replica.ports[0] ?? 0 }, /is a replica/),
    );
    const encrypted = { ...plain, port: secured.ports[0] ?? 0 };
    await isHeld({ ...encrypted, tls: trusted });
    await isRefused(encrypted, /wants TLS/);
    await isRefused({ ...encrypted, tls: {} }, /certificate/);
  });

  test("ZooKeeper with logins, other session times, and TLS", async () => {
    const store = await zookeeper(1);
    started.push(store);
    const servers = [`127.0.0.1:${store.ports[0]}`] as const;
    // A session of 3 s: the ensemble gives 2 s at most.
    const own = { kind: "zookeeper", servers } as const;
    await eventually("ZooKeeper serves", 30_000, () => isRefused(own, /2000 ms, not 3000 ms/));
    const login = { user: "one", password: "right" };
    const wrong = { user: "one", password: SECRET };
    const arbiters = [{ login }, { login: wrong }, { chroot: "/nowhere" }].map((more) =>
      openArbiter({ ...own, ...more }),
    );
    const key = { name: "group", holder: "a", ttl: seconds(1) };
    const kinds: string[] = [];
    for (const arbiter of arbiters) {
      kinds.push((await arbiter.acquire(key, AbortSignal.timeout(10_000))).kind);
    }
    for (const arbiter of arbiters) await arbiter.close();
    assert.deepEqual(kinds, ["held", "refused", "refused"]);

    const tls = await listening(createServer(identity));
    await isRefused({ ...own, servers: [`127.0.0.1:${tls.port}`] }, /wants TLS/);
    await tls.close();
  });
});
