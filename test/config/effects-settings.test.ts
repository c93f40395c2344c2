import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { settingsTable } from "../../agent/config/settings-file/keyword-table.ts";

/** What a word becomes, where that has its effect below agent/, and what shows that it is read. */
type Effect = readonly [value: string, place: string, proof: string];

const WITNESS = "test/config/settings/witness.test.ts";
const FENCE = "test/config/settings/fences.test.ts";
const STORE = "agent/witness-parts.ts";
const RUN = "agent/runtime/witness/fence-run.ts";

/** The words of holdfast.conf that mandates go by. */
const EFFECTS: Readonly<Record<string, Effect>> = {
  "witness.endpoint": ["endpoints", STORE, WITNESS],
  "witness.ttl": ["ttl", "agent/runtime/witness/mandate-driver.ts", WITNESS],
  "witness.renew_interval": ["renewEvery", "agent/core/witness/step.ts", WITNESS],
  "witness.request_timeout": ["requestTime", "agent/core/witness/step.ts", WITNESS],
  "witness.user": ["user", STORE, WITNESS],
  "witness.password_secret": ["passwordSecret", STORE, WITNESS],
  "witness.token_secret": ["tokenSecret", STORE, WITNESS],
  "witness.ca_file": ["caFile", STORE, WITNESS],
  "witness.cert_file": ["certFile", STORE, WITNESS],
  "witness.key_file": ["keyFile", STORE, WITNESS],
  "witness.server_name": ["serverName", STORE, WITNESS],
  "witness.prefix": ["prefix", STORE, WITNESS],
  "witness.namespace": ["namespace", STORE, WITNESS],
  "witness.datacenter": ["datacenter", STORE, WITNESS],
  "witness.database": ["database", STORE, WITNESS],
  "fence.program": ["program", RUN, FENCE],
  "fence.option": ["options", RUN, FENCE],
  "fence.option_secret": ["secretOptions", RUN, FENCE],
  "fence.action": ["action", RUN, FENCE],
  "fence.timeout": ["timeout", RUN, FENCE],
};

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const has = (source: string, word: string): boolean => new RegExp(`\\b${word}\\b`).test(source);

describe("words of witness and fence", () => {
  test("are all listed with what they do, and nothing else is", () => {
    const paths = settingsTable.nodes
      .map(({ path }) => path)
      .filter((path) => /^(witness|fence)\./.test(path));
    assert.deepEqual(Object.keys(EFFECTS).toSorted(), paths.toSorted());
  });

  for (const [path, [value, place, proof]] of Object.entries(EFFECTS)) {
    test(path, () => {
      const declared = new RegExp(`readonly ${value}\\b`);
      assert.match(read("agent/config/mandates.ts"), declared);
      assert.ok(has(read(place), value), `${place} does not use ${value}`);
      assert.ok(read(proof).includes(path.split(".").at(-1) ?? path), `${proof} does not read it`);
    });
  }
});
