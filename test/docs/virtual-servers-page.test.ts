import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { SERVICE_COMMANDS } from "../../agent/cli/service-commands.ts";
import { keywordTable } from "../../agent/config/keepalived/keyword-table.ts";
import { balancingNodeOf, unfitSettings } from "../../agent/config/kernel-settings.ts";
import { loadConfig } from "../../agent/config/load.ts";
import type { ServiceKey } from "../../agent/core/ipvs/service.ts";
import { ipvsMissing, refusedCommands } from "../../agent/linux/netlink/ipvs-refusal.ts";
import { driftReport } from "../../agent/runtime/balancing/kernel-trouble.ts";
import { SERVER_FAMILIES, SERVICE_FAMILIES } from "../../agent/runtime/balancing/series-table.ts";
import { memoryHost } from "../config/language/memory-host.ts";

// What docs/virtual-servers.md names is what there is, and what it quotes is what is said.

const text = readFileSync("docs/virtual-servers.md", "utf8");

/** Passages in backticks, as they are meant: a bar of a table is escaped. */
const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map(([, one = ""]) => one.replaceAll("\\|", "|"));
const words = new Set(quoted.flatMap((one) => one.split(/[\s,]+/)));

/** What is left out of a quotation stands as … . */
const isQuoted = (line: string): boolean =>
  quoted.some((one) => {
    const [begin = "", ...more] = one.split("…");
    return begin.length > 10 && line.startsWith(begin) && more.every((part) => line.includes(part));
  });

const namesAt = (path: RegExp): readonly string[] =>
  keywordTable.nodes
    .filter((node) => path.test(node.path))
    .map((node) => node.path.split(".").at(-1) ?? "");

describe("docs/virtual-servers.md names", () => {
  test("every check", () => {
    const checks = namesAt(/^virtual_server\.real_server\.(\w+_(CHECK|GET)|holdfast_\w+)$/);
    assert.ok(checks.length > 10);
    assert.deepEqual(
      checks.filter((name) => !words.has(name)),
      [],
    );
  });

  test("every word that keepalived does not have", () => {
    const own = namesAt(/^virtual_server\.(holdfast_\w+|real_server\.\w+\.(url\.)?holdfast_\w+)$/);
    assert.ok(own.length > 8);
    assert.deepEqual(
      own.filter((name) => !words.has(name)),
      [],
    );
  });

  test("every scheduler", () => {
    const path = "virtual_server.lvs_sched";
    const { keyword } = keywordTable.nodes.find((node) => node.path === path) ?? assert.fail(path);
    const [argument] = keyword.grammar.required;
    assert.ok(argument?.kind === "enum");
    assert.deepEqual(
      argument.values.filter((name) => !words.has(name)),
      [],
    );
  });

  test("series that there are", () => {
    const series = [...SERVICE_FAMILIES, ...SERVER_FAMILIES].map(({ name }) => name);
    const named = [...text.matchAll(/holdfast_(?:service|real_server)s?_\w+/g)].map(String);
    assert.ok(named.length > 3);
    assert.deepEqual(
      named.filter((name) => !series.includes(name)),
      [],
    );
  });

  test("every order", () => {
    const orders = SERVICE_COMMANDS.map(({ name }) => name);
    assert.deepEqual(
      orders.filter((name) => !text.includes(`holdfast ${name}`)),
      [],
    );
  });
});

describe("docs/virtual-servers.md quotes", () => {
  const read = (service: string, body: string) =>
    loadConfig(
      { file: "k.conf", text: `virtual_server ${service} {\nprotocol TCP\n${body}\n}\n` },
      memoryHost(),
    );
  const server = (words: string): string => `real_server ${words} {\nTCP_CHECK {\n}\n}`;

  for (const [what, service, body] of [
    ["an unknown scheduler", "192.0.2.100 80", `lvs_sched wrong\n${server("10.0.0.11 80")}`],
    ["another family", "192.0.2.100 80", `${server("10.0.0.11 80")}\n${server("fd00::12 80")}`],
    ["another port", "192.0.2.100 80", `lvs_method DR\n${server("10.0.0.11 8080")}`],
    ["a group that is not there", "group nope", server("10.0.0.11 80")],
  ] as const) {
    test(what, () => {
      const { diagnostics } = read(service, body);
      const [message = ""] = diagnostics.map((each) => each.message);
      assert.ok(isQuoted(message), message);
    });
  }

  test("a setting of the kernel", () => {
    const { config } = read("192.0.2.100 80", server("10.0.0.11 80"));
    assert.ok(config !== undefined);
    const values = { "net.ipv4.ip_forward": "0" };
    const [unfit] = unfitSettings(balancingNodeOf(config), {
      ...{ release: "6.1.0", values },
      masquerades: false,
    });
    assert.ok(isQuoted(unfit?.message ?? ""), unfit?.message);
    assert.ok(quoted.includes(unfit?.mend ?? ""), unfit?.mend);
  });

  test("what others changed", () => {
    const commands = ["add-service", "add-destination", "add-destination"].map((kind) => ({
      kind,
    }));
    const { message } = driftReport("tcp 192.0.2.100:80" as ServiceKey, commands as never, 0);
    assert.ok(quoted.includes(message), message);
  });

  test("what the kernel refuses", () => {
    assert.ok(quoted.includes(`ip_vs: ${ipvsMissing().message}`));
    const target = { kind: "address", protocol: "tcp", address: "192.0.2.100", port: 80 } as const;
    const service = {
      ...{ target, scheduler: "twos", onePacket: false, persistence: undefined },
      schedulerFlags: [false, false, false],
    } as const;
    const command = { kind: "edit-service", service } as never;
    const refused = refusedCommands([command], new Map([[0, "ENOENT"]])).get(0);
    assert.ok(quoted.includes(refused?.message ?? ""), refused?.message);
  });
});
