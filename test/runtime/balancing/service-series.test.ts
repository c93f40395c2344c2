import assert from "node:assert/strict";
import { test } from "node:test";
import type { IpAddress } from "../../../agent/core/address.ts";
import { labels, SeriesText } from "../../../agent/runtime/series-text.ts";
import { balancing, NAME, Rig, real, TARGET, tcpCheck, VIP, web } from "./rig.ts";

/** What Prometheus would read: value by name and labels. Fails where it would refuse the text. */
function readSeries(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const families = new Map<string, string>();
  let current = "";
  for (const line of text.split("\n").slice(0, -1)) {
    const [, word, name = "", rest = ""] = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line) ?? [];
    if (word === "HELP") {
      assert.ok(!families.has(name), `${name} stands in two places`);
      current = name;
    } else if (word === "TYPE") families.set(name, rest);
    else {
      const [, series = "", value = ""] =
        /^(\w+(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)+\})?) (\S+)$/.exec(line) ?? [];
      assert.ok(series.startsWith(current) && current !== "", line);
      assert.ok(!found.has(series), `${series} is there twice`);
      assert.ok(Number.isFinite(Number(value)) && value !== "", line);
      found.set(series, Number(value));
    }
  }
  for (const [name, type] of families) assert.equal(name.endsWith("_total"), type === "counter");
  return found;
}

const OF = `service="${NAME}"`;
const server = (last: number, more = ""): string =>
  `{${OF},real_server="10.0.0.${last}:80"${more}}`;

test("what services, real servers and checks do, as Prometheus reads it", {
  timeout: 20_000,
}, async (context) => {
  const one = new Rig();
  context.after(() => one.dispose());
  assert.equal(await one.part.metrics(), "");
  const sorryServer = {
    address: "10.0.0.99" as IpAddress,
    port: 80,
    forwarding: { kind: "dr" },
  } as const;
  const checks = [tcpCheck(1), tcpCheck(3)];
  await one.configure(
    balancing([
      web({ quorum: 2, sorryServer, realServers: [real(1, { checks, weight: 3 }), real(2)] }),
    ]),
  );
  await one.wait(20);
  one.dead.add(2);
  await one.wait(5);
  one.kernel.traffic(
    TARGET,
    { address: "10.0.0.1" as IpAddress, port: 80 },
    {
      ...{ activeConnections: 4, inactiveConnections: 5, persistentConnections: 1 },
      ...{ connections: 100, inPackets: 7, outPackets: 8, inBytes: 9, outBytes: 2 ** 40 },
    },
  );
  let series = readSeries(await one.part.metrics());
  const expect = (wanted: Readonly<Record<string, number | undefined>>): void => {
    for (const [name, value] of Object.entries(wanted)) assert.equal(series.get(name), value, name);
  };
  expect({
    [`holdfast_service_quorum{${OF}}`]: 1,
    [`holdfast_service_quorum_wanted{${OF}}`]: 2,
    [`holdfast_service_weight{${OF}}`]: 3,
    [`holdfast_service_real_servers{${OF},state="up"}`]: 1,
    [`holdfast_service_real_servers{${OF},state="down"}`]: 1,
    [`holdfast_service_sorry_server_active{${OF}}`]: 0,
    [`holdfast_service_quorum_changes_total{${OF}}`]: 0,
    [`holdfast_service_drift_mended_total{${OF}}`]: 0,
    [`holdfast_real_server_up${server(1)}`]: 1,
    [`holdfast_real_server_up${server(2)}`]: 0,
    [`holdfast_real_server_weight${server(1)}`]: 3,
    [`holdfast_real_server_weight${server(2)}`]: 0,
    [`holdfast_real_server_connections${server(1, ',state="active"')}`]: 4,
    [`holdfast_real_server_connections${server(1, ',state="inactive"')}`]: 5,
    [`holdfast_real_server_connections${server(1, ',state="persistent"')}`]: 1,
    [`holdfast_real_server_connections${server(2, ',state="active"')}`]: undefined,
    [`holdfast_real_server_connections_total${server(1)}`]: 100,
    [`holdfast_real_server_incoming_packets_total${server(1)}`]: 7,
    [`holdfast_real_server_outgoing_packets_total${server(1)}`]: 8,
    [`holdfast_real_server_incoming_bytes_total${server(1)}`]: 9,
    [`holdfast_real_server_outgoing_bytes_total${server(1)}`]: 2 ** 40,
    [`holdfast_real_server_transitions_total${server(1)}`]: 0,
    [`holdfast_real_server_transitions_total${server(2)}`]: 1,
    [`holdfast_real_server_checks_total${server(2, ',check="tcp",outcome="success"')}`]: 5,
    [`holdfast_real_server_checks_total${server(2, ',check="tcp",outcome="failure"')}`]: 1,
    [`holdfast_real_server_check_duration_seconds_bucket${server(2, ',check="tcp",le="0.001"')}`]: 5,
    [`holdfast_real_server_check_duration_seconds_bucket${server(2, ',check="tcp",le="10"')}`]: 5,
    [`holdfast_real_server_check_duration_seconds_bucket${server(2, ',check="tcp",le="+Inf"')}`]: 5,
    [`holdfast_real_server_check_duration_seconds_count${server(1, ',check="tcp 2"')}`]: 6,
    [`holdfast_real_server_check_duration_seconds_sum${server(1, ',check="tcp 2"')}`]: 0.006,
  });
  // The last one falls as well, and somebody takes the sorry server's place away.
  one.dead.add(1);
  await one.wait(5);
  one.kernel.carryOut({
    kind: "delete-destination",
    target: TARGET,
    destination: { ...sorryServer, weight: 1, upperThreshold: 0, lowerThreshold: 0 },
  });
  await one.wait(15);
  series = readSeries(await one.part.metrics());
  expect({
    [`holdfast_service_quorum{${OF}}`]: 0,
    [`holdfast_service_sorry_server_active{${OF}}`]: 1,
    [`holdfast_service_quorum_changes_total{${OF}}`]: 1,
    [`holdfast_service_drift_mended_total{${OF}}`]: 1,
    [`holdfast_real_server_up${server(99)}`]: 1,
    [`holdfast_real_server_weight${server(99)}`]: 1,
  });
});

test("with thousands of real servers there is less of each, and still of each", {
  timeout: 20_000,
}, async (context) => {
  const sizes: Record<number, readonly [string, number]> = {};
  for (const count of [1_000, 1_001, 5_001]) {
    const one = new Rig();
    context.after(() => one.dispose());
    const realServers = Array.from({ length: count }, (_, at) =>
      real(1, {
        address: `10.1.${at >> 8}.${at & 255}` as IpAddress,
        checks: at === 0 ? [tcpCheck(1)] : [],
      }),
    );
    await one.configure(balancing([web({ realServers })]));
    const text = await one.part.metrics();
    assert.equal(text.match(/^holdfast_real_server_weight\{/gm)?.length, count);
    sizes[count] = [text, readSeries(text).size];
  }
  const has = (count: number, what: RegExp): boolean => what.test(sizes[count]?.[0] ?? "");
  assert.deepEqual(
    [1_000, 1_001, 5_001].map((count) => has(count, /le="0\.1"/)),
    [true, false, false],
  );
  assert.deepEqual(
    [1_000, 1_001, 5_001].map((count) => has(count, /le="\+Inf"/)),
    [true, true, false],
  );
  assert.deepEqual(
    [1_000, 1_001, 5_001].map((count) => has(count, /^holdfast_service_weight/m)),
    [true, true, true],
  );
});

test("labels are any text", () => {
  const text = new SeriesText();
  text.family("a", "gauge", "b");
  text.sample("a", labels({ x: 'q"\\\n', y: VIP }), 1);
  assert.equal(text.text(), '# HELP a b\n# TYPE a gauge\na{x="q\\"\\\\\\n",y="192.0.2.1"} 1\n');
  readSeries(text.text());
});
