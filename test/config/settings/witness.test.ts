import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StoreKind, WitnessSettings } from "../../../agent/config/mandates.ts";
import { STORE_KINDS } from "../../../agent/config/mandates.ts";
import { milliseconds, seconds } from "../../../agent/core/time.ts";
import { witnessProblem } from "../../../agent/core/witness/witness.ts";
import { at, brief } from "../lower/lowered.ts";
import { ownSettings, PRIVATE } from "./own-settings.ts";

const SECRET = "/etc/holdfast/secrets/store";
const PEM = "/etc/ssl/store.pem";
const NEEDED: Readonly<Record<StoreKind, string>> = {
  zookeeper: "endpoint 10.0.0.1:2181",
  etcd: "endpoint https://10.0.0.1:2379",
  consul: "endpoint https://10.0.0.1:8501",
  kubernetes: "endpoint https://10.0.0.1:6443\nnamespace net",
  redis: "endpoint 10.0.0.1:6379",
};

const load = (store: string, lines: string) =>
  ownSettings(`witness ${store} {\n${lines}\n}\nsecret s ${SECRET}\n`, [PEM], {
    [SECRET]: PRIVATE,
  });

function witnessOf(store: string, lines: string): WitnessSettings {
  const { settings, findings } = load(store, lines);
  assert.deepEqual(findings, []);
  assert.ok(settings.witness !== undefined);
  return settings.witness;
}

describe("the block witness", () => {
  test("there is no store where none is named", () => {
    assert.equal(ownSettings("").settings.witness, undefined);
  });

  test("there is one", () => {
    const text = `witness etcd {\n${NEEDED.etcd}\n}\nwitness redis {\n${NEEDED.redis}\n}\n`;
    assert.deepEqual(ownSettings(text).findings, ["4:1 witness-invalid"]);
  });

  const USUAL: Readonly<Record<StoreKind, readonly [ttl: number, renew: number, request: number]>> =
    {
      zookeeper: [5_000, 1_666.666, 833.333],
      etcd: [5_000, 1_666.666, 833.333],
      consul: [10_000, 3_333.333, 1_000],
      kubernetes: [5_000, 1_666.666, 833.333],
      redis: [5_000, 1_666.666, 833.333],
    };
  for (const store of STORE_KINDS) {
    test(`${store}: what it needs is enough; its times keep a lease over an answer that is lost`, () => {
      const witness = witnessOf(store, NEEDED[store]);
      const [ttl, renewEvery, requestTime] = USUAL[store].map(milliseconds);
      assert.deepEqual(
        [witness.store, witness.ttl, witness.renewEvery, witness.requestTime],
        [store, ttl, renewEvery, requestTime],
      );
      assert.equal(witness.patience, witness.requestTime);
      assert.equal(witnessProblem({ ...witness, mode: "required" }), undefined);
    });
  }

  const WORDS: readonly (readonly [StoreKind, line: string, path: string, value: unknown])[] = [
    ["etcd", "endpoint http://[::1]:2379/", "endpoints.1", "http://[::1]:2379"],
    ["zookeeper", "endpoint zk2.example.org:2181", "endpoints.1", "zk2.example.org:2181"],
    ["etcd", "ttl 2.5", "ttl", seconds(2.5)],
    ["etcd", "renew_interval 0.5", "renewEvery", seconds(0.5)],
    ["etcd", "request_timeout 0.25", "requestTime", seconds(0.25)],
    ["etcd", "user root\npassword_secret s", "user", "root"],
    ["redis", "ca_file /etc/ssl/store.pem\npassword_secret s", "passwordSecret", "s"],
    ["consul", "token_secret s", "tokenSecret", "s"],
    ["consul", "datacenter dc1", "datacenter", "dc1"],
    ["kubernetes", "", "namespace", "net"],
    ["redis", "database 3", "database", 3],
    ["etcd", `ca_file ${PEM}`, "caFile", PEM],
    ["etcd", `cert_file ${PEM}\nkey_file ${SECRET}`, "certFile", PEM],
    ["etcd", `cert_file ${PEM}\nkey_file ${SECRET}`, "keyFile", SECRET],
    ["redis", "server_name redis.example.org", "serverName", "redis.example.org"],
    ["zookeeper", "prefix /ha/web", "prefix", "/ha/web"],
    ["kubernetes", "prefix vip-", "prefix", "vip-"],
  ];
  for (const [store, line, path, value] of WORDS) {
    test(`${store}: ${line.split("\n")[0]} is ${path}`, () => {
      assert.equal(at(witnessOf(store, `${NEEDED[store]}\n${line}`), path), value);
    });
  }

  const REFUSED: readonly (readonly [store: string, lines: string, finding: string])[] = [
    ["zookeper", "endpoint 10.0.0.1:2181", "1:9 essential-value"],
    ["etcd", "ttl 5", "1:9 witness-invalid"],
    ["kubernetes", "endpoint https://10.0.0.1:6443", "1:9 witness-invalid"],
    ["etcd", "endpoint 10.0.0.1:2379", "2:10 witness-invalid"],
    ["etcd", "endpoint https://10.0.0.1:2379/v3", "2:10 witness-invalid"],
    ["etcd", "endpoint https://10.0.0.1:70000", "2:10 witness-invalid"],
    ["redis", "endpoint redis://10.0.0.1:6379", "2:10 witness-invalid"],
    ["redis", "endpoint 10.0.0.1", "2:10 witness-invalid"],
    ["zookeeper", "endpoint [::1]:2181", "2:10 witness-invalid"],
    ["redis", "endpoint a:1\nendpoint b:1", "3:10 witness-invalid"],
    ["etcd", `${NEEDED.etcd}\ntoken_secret s`, "3:1 witness-invalid"],
    ["zookeeper", `${NEEDED.zookeeper}\nca_file ${PEM}`, "3:1 witness-invalid"],
    ["etcd", `${NEEDED.etcd}\nnamespace x`, "3:1 witness-invalid"],
    ["etcd", `${NEEDED.etcd}\nuser x`, "3:6 witness-invalid"],
    ["etcd", `${NEEDED.etcd}\npassword_secret s`, "3:17 witness-invalid"],
    ["consul", `${NEEDED.consul}\ntoken_secret t`, "3:14 secret-invalid"],
    ["etcd", `${NEEDED.etcd}\ncert_file ${PEM}`, "3:11 witness-invalid"],
    ["etcd", `${NEEDED.etcd}\nca_file ca.pem`, "3:9 witness-invalid"],
    ["etcd", `endpoint http://10.0.0.1:2379\nca_file ${PEM}`, "3:9 witness-invalid"],
    ["zookeeper", `${NEEDED.zookeeper}\nprefix ha`, "3:8 witness-invalid"],
    ["kubernetes", `${NEEDED.kubernetes}\nprefix Ha/`, "4:8 witness-invalid"],
    ["etcd", `${NEEDED.etcd}\nendpont https://10.0.0.2:2379`, "3:1 essential-unknown"],
    ["etcd", `${NEEDED.etcd}\nttl 5s`, "3:5 essential-value"],
    ["redis", `${NEEDED.redis}\ndatabase zero`, "3:10 essential-value"],
    ["etcd", `${NEEDED.etcd}\nkey_file ${PEM}\ncert_file ${PEM}`, "3:10 secret-exposed"],
  ];
  for (const [store, lines, finding] of REFUSED) {
    test(`${store}: refused is ${lines.split("\n").at(-1)}`, () => {
      const { findings, settings } = load(store, lines);
      assert.deepEqual(findings, [finding]);
      assert.equal(settings.witness, undefined);
    });
  }

  test("what was meant is shown; a password in an endpoint is not repeated", () => {
    const hintOf = (store: string, endpoint: string): string => {
      const [first] = load(store, `endpoint ${endpoint}`).diagnostics;
      return `${first?.message} ${first?.hint}`;
    };
    assert.match(
      hintOf("etcd", "etcd.example.org"),
      /write endpoint https:\/\/etcd\.example\.org:2379$/,
    );
    assert.match(
      hintOf("consul", "http://10.0.0.1:8500/ui"),
      /write endpoint http:\/\/10\.0\.0\.1:8500$/,
    );
    assert.match(hintOf("etcd", "http://10.0.0.1:99999"), /no port 99999 .* 65535, mostly 2379$/);
    assert.match(hintOf("redis", "10.0.0.1"), /write endpoint 10\.0\.0\.1:6379$/);
    const said = hintOf("etcd", "https://root:hunter2@10.0.0.1:2379");
    assert.doesNotMatch(said, /hunter2/);
    assert.match(said, /write endpoint https:\/\/10\.0\.0\.1:2379$/);
  });

  test("files of keys and authorities are looked at as secrets are", () => {
    const lines = `${NEEDED.etcd}\nca_file /etc/ssl/none.pem`;
    const { findings, settings, diagnostics } = load("etcd", lines);
    assert.deepEqual(findings, ["3:9 secret-missing"]);
    assert.equal(diagnostics[0]?.hint, "correct the path, or put the file there");
    assert.equal(settings.witness?.caFile, "/etc/ssl/none.pem");
  });
});

describe("times of a witness", () => {
  /** A store, lines, where the finding is, and what its hint names. */
  const ROWS: readonly (readonly [StoreKind, lines: string, place: string, hint: RegExp])[] = [
    ["consul", "ttl 9.9", "3:5", /ttl 10, or more/],
    ["zookeeper", "ttl 3", "3:5", /ttl 4, or more/],
    ["etcd", "ttl 1", "3:5", /ttl 2, or more/],
    ["redis", "ttl 0.5", "3:5", /ttl 1, or more/],
    ["etcd", "ttl 3\nrenew_interval 2.5", "4:16", /renew_interval 1\.72 or less/],
    ["etcd", "renew_interval 4", "3:16", /renew_interval 3\.05 or less/],
    ["etcd", "request_timeout 2.4", "3:17", /request_timeout from 0\.02 to 2\.35/],
    ["etcd", "request_timeout 60", "3:17", /request_timeout from 0\.02 to 2\.35/],
  ];
  for (const [store, lines, place, hint] of ROWS) {
    test(`${store}: ${lines.replaceAll("\n", ", ")} is refused with the figure that would do`, () => {
      const needed = store === "kubernetes" ? "" : NEEDED[store];
      const { diagnostics } = load(store, `${needed}\n${lines}`);
      assert.deepEqual(brief(diagnostics), [`${place} witness-times`]);
      assert.match(diagnostics[0]?.hint ?? "", hint);
    });
  }

  test("the figure that is named is taken", () => {
    for (const lines of ["ttl 3\nrenew_interval 1.72", "renew_interval 3.05"]) {
      witnessOf("etcd", `${NEEDED.etcd}\n${lines}`);
    }
    const late = witnessOf("etcd", `${NEEDED.etcd}\nrequest_timeout 2.35`);
    assert.equal(witnessProblem({ ...late, mode: "required" }), undefined);
  });

  test("every ttl that is taken has times that fit", () => {
    for (const store of STORE_KINDS) {
      for (const ttl of [10, 11.5, 60, 86_400]) {
        const witness = witnessOf(store, `${NEEDED[store]}\nttl ${ttl}`);
        assert.equal(witnessProblem({ ...witness, mode: "required" }), undefined);
      }
    }
    const least = witnessOf("redis", `${NEEDED.redis}\nttl 1`);
    assert.equal(witnessProblem({ ...least, mode: "required" }), undefined);
  });
});

describe("a password or token that travels as plain text is warned of", () => {
  const ROWS: readonly (readonly [StoreKind, lines: string, warned: boolean])[] = [
    ["etcd", "endpoint http://10.0.0.1:2379\nuser u\npassword_secret s", true],
    ["etcd", "endpoint http://10.0.0.1:2379", false],
    ["etcd", "endpoint https://10.0.0.1:2379\nuser u\npassword_secret s", false],
    ["etcd", "endpoint http://127.0.0.1:2379\nuser u\npassword_secret s", false],
    ["consul", "endpoint http://consul.example.org:8500\ntoken_secret s", true],
    ["consul", "endpoint http://[::1]:8500\ntoken_secret s", false],
    ["kubernetes", "endpoint http://10.0.0.1:8080\nnamespace n\ntoken_secret s", true],
    ["zookeeper", "endpoint 10.0.0.1:2181\nuser u\npassword_secret s", true],
    ["zookeeper", "endpoint localhost:2181\nuser u\npassword_secret s", false],
    ["redis", "endpoint 10.0.0.1:6379\npassword_secret s", true],
    ["redis", "endpoint 10.0.0.1:6379\npassword_secret s\nserver_name redis", false],
  ];
  for (const [store, lines, warned] of ROWS) {
    test(`${store}: ${lines.replaceAll("\n", ", ")}`, () => {
      const { findings, settings } = load(store, lines);
      assert.deepEqual(findings, warned ? ["2:10 witness-plain"] : []);
      assert.notEqual(settings.witness, undefined);
    });
  }
});
