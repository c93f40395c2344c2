import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { processPlugin } from "../../plugins/process/process-plugin.ts";
import type { Json } from "../../sdk/index.ts";
import { hostFor } from "./compliance.ts";
import { ScriptedProcesses } from "./scripted-processes.ts";

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

async function counting(...names: readonly string[]) {
  const table = new ScriptedProcesses();
  table.start(1, "init");
  const plugin = await processPlugin(() => table).open(hostFor());
  const told: Json[] = [];
  const watch = plugin.watch?.(names, (values) => told.push(values));
  assert.ok(watch !== undefined);
  return { table, plugin, told, watch };
}

describe("counts of processes", () => {
  test("are told at once and on each change, and only then", async () => {
    const { table, told } = await counting("nginx", "sh");
    assert.deepEqual(told, [{ nginx: 0, sh: 0 }]);
    table.start(10, "nginx");
    table.start(11, "nginx");
    table.start(12, "other");
    await turn();
    table.end(12);
    await turn();
    assert.deepEqual(told.slice(1), [{ nginx: 2, sh: 0 }]);
    table.end(10);
    await turn();
    assert.deepEqual(told.at(-1), { nginx: 1, sh: 0 });
  });

  test("follow a process that becomes another one", async () => {
    const { table, told } = await counting("nginx", "sh");
    table.start(10, "sh");
    await turn();
    table.start(10, "nginx");
    await turn();
    assert.deepEqual(told, [
      { nginx: 0, sh: 0 },
      { nginx: 0, sh: 1 },
      { nginx: 1, sh: 0 },
    ]);
  });

  test("are taken anew when events were lost", async () => {
    const { table, told } = await counting("nginx");
    table.start(10, "nginx");
    await turn();
    table.lose(
      { pid: 20, comm: "nginx", commandLine: [] },
      { pid: 21, comm: "nginx", commandLine: [] },
    );
    await turn();
    assert.deepEqual(told.at(-1), { nginx: 2 });
    table.end(10);
    await turn();
    assert.deepEqual(told.at(-1), { nginx: 2 });
  });

  test("know names that the kernel cuts off", async () => {
    const { table, told } = await counting("prometheus-node-exporter", "prometheus-node");
    table.start(10, "prometheus-node", "/usr/bin/prometheus-node-exporter");
    table.start(11, "prometheus-node", "/usr/bin/prometheus-node-other");
    await turn();
    assert.deepEqual(told.at(-1), { "prometheus-node-exporter": 1, "prometheus-node": 2 });
  });

  test("end with the watch, and with the plugin", async () => {
    const { table, plugin, told, watch } = await counting("nginx");
    watch.close();
    table.start(10, "nginx");
    await turn();
    assert.equal(told.length, 1);
    await plugin.close();
    assert.equal(table.listeners, 0);
  });
});
