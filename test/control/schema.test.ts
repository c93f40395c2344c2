import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { runCli } from "../../agent/cli/cli.ts";
import { noSettings } from "../../agent/config/settings.ts";
import type { IpAddress } from "../../agent/core/address.ts";
import { Recorder, RecordingHost } from "../cli/recorder.ts";
import { sampleStatus } from "../cli/sample-status.ts";
import { checkSchema } from "../schema/check-schema.ts";
import {
  doctorSchema,
  keywordsSchema,
  publishedSchema,
  replaySchema,
  SCHEMAS,
  statusSchema,
  versionSchema,
} from "../schema/schemas.ts";

const names = Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[];

describe("docs/schema", () => {
  for (const name of names) {
    test(`${name}.json is the schema of the tests (test/schema/write.ts writes it)`, () => {
      assert.equal(readFileSync(`docs/schema/${name}.json`, "utf8"), publishedSchema(name));
    });
  }

  test("has nothing else", () => {
    assert.deepEqual(readdirSync("docs/schema").sort(), names.map((name) => `${name}.json`).sort());
  });
});

/** What a command prints, parsed. */
async function json(line: string, host = new RecordingHost()): Promise<unknown> {
  const terminal = new Recorder();
  await runCli("holdfast", line.split(" "), host, terminal);
  return JSON.parse(terminal.written);
}

describe("what the commands print fits its schema", () => {
  test("status", () => {
    statusSchema.parse(JSON.parse(JSON.stringify(sampleStatus)));
  });

  test("status with a word too many does not", () => {
    const more = { ...JSON.parse(JSON.stringify(sampleStatus)), extra: 1 };
    assert.equal(statusSchema.safeParse(more).success, false);
  });

  test("version", async () => {
    versionSchema.parse(await json("version --json"));
  });

  test("keywords", async () => {
    const rows = keywordsSchema.parse(await json("keywords --json"));
    assert.ok(rows.length > 500);
  });

  test("check, accepted and refused", async () => {
    const host = new RecordingHost();
    const position = { file: "/x", line: 1, column: 1 };
    const finding = { code: "c", position, message: "m", text: "t", hint: undefined } as const;
    host.loadConfig = () =>
      Promise.resolve({
        config: undefined,
        settings: noSettings("/none"),
        diagnostics: [{ ...finding, severity: "error" }],
      });
    const refused = checkSchema.parse(await json("check --json /x", host));
    assert.deepEqual([refused.accepted, refused.errors], [false, 1]);
  });

  test("replay", async () => {
    const host = new RecordingHost();
    host.replay = () =>
      Promise.resolve({
        steps: 2,
        routers: 1,
        differences: [{ line: 2, subject: "VI_1", message: "m" }],
      });
    replaySchema.parse(await json("replay --json package.json", host));
  });

  test("doctor", async () => {
    const host = new RecordingHost();
    host.loadConfig = () =>
      Promise.resolve({ config: undefined, settings: noSettings("/none"), diagnostics: [] });
    host.collectFacts = () =>
      Promise.resolve({
        kernel: "6",
        capabilities: { netAdmin: true, netRaw: false },
        userNamespace: true,
        selinux: "absent",
        features: { macvlan: undefined, nf_tables: true, ip_vs: false },
        clockSource: undefined,
        interfaces: [],
        addresses: [{ address: "10.0.0.1" as IpAddress, interface: "eth0", ours: false }],
        sysctls: {},
        keepalivedProcesses: [],
        confined: [],
        heard: [],
        probes: [],
      });
    doctorSchema.parse(await json("doctor --json --listen 0 --control /nowhere", host));
  });
});
