import { setImmediate as nextTurn } from "node:timers/promises";
import type { Destination, DestinationKey, ServiceKey } from "../../core/ipvs/service.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import { takesPart } from "../../core/virtual-server/settle.ts";
import type { ServiceCounters } from "../../ports/ipvs.ts";
import type { Labels } from "../series-text.ts";
import { labels, SeriesText } from "../series-text.ts";
import { BUCKETS } from "./latency.ts";
import type { Family } from "./series-table.ts";
import { CHECK_FAMILIES, DURATION, SERVER_FAMILIES, SERVICE_FAMILIES } from "./series-table.ts";
import type { Served } from "./served.ts";
import type { CheckRow, ServerRow, ServiceRow } from "./service-rows.ts";
import { serviceKeysOf } from "./service-targets.ts";

/** With more real servers than this, the durations of checks have no buckets but the last. */
export const MOST_WITH_BUCKETS = 1_000;
/** With more than this, a real server has two series: Prometheus takes a scrape of some megabytes. */
export const MOST_IN_DETAIL = 5_000;

/** What is known of the kernel. */
export interface KernelFigures {
  readonly traffic: (service: ServiceKey) => ServiceCounters | undefined;
  /** How often something of it that others had changed was put right. */
  readonly mended: (service: ServiceKey) => number;
}

/** Virtual servers, their real servers and their checks, for Prometheus. */
export async function serviceSeries(
  all: readonly Served[],
  kernel: KernelFigures,
): Promise<string> {
  const text = new SeriesText();
  const servers: ServerRow[] = [];
  const checks: CheckRow[] = [];
  await write(
    text,
    SERVICE_FAMILIES,
    all.map((served) => serviceRow(served, kernel)),
  );
  for (const served of all) {
    const before = servers.length;
    collect(served, kernel, servers, checks);
    if (servers.length - before > MANY || servers.length % MANY < before % MANY) await nextTurn();
  }
  const detailed = servers.length <= MOST_IN_DETAIL;
  await write(
    text,
    SERVER_FAMILIES.filter(({ brief }) => detailed || brief === true),
    servers,
  );
  if (!detailed) return text.text();
  await write(text, CHECK_FAMILIES, checks);
  writeDurations(text, checks, servers.length <= MOST_WITH_BUCKETS);
  return text.text();
}

/** A few milliseconds of work; then others have their turn. */
const MANY = 2_000;

async function write<Row extends { readonly labels: Labels }>(
  text: SeriesText,
  families: readonly Family<Row>[],
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return;
  for (const { name, type, help, label, samples } of families) {
    text.family(name, type, help);
    for (const row of rows) {
      samples(row, (value, other) => {
        const more = label === undefined || other === undefined ? "" : `,${label}="${other}"`;
        text.sample(name, `${row.labels}${more}` as Labels, value);
      });
    }
    await nextTurn();
  }
}

function writeDurations(text: SeriesText, checks: readonly CheckRow[], buckets: boolean): void {
  const timed = checks.flatMap(({ labels: of, look }) =>
    look.durations === undefined ? [] : [{ of, durations: look.durations }],
  );
  if (timed.length === 0) return;
  text.family(DURATION.name, "histogram", DURATION.help);
  for (const { of, durations } of timed) {
    const { counts, count, sumMs } = durations;
    const found = { bounds: BUCKETS, counts, count, sum: sumMs / 1_000 };
    text.histogram(DURATION.name, of, found, buckets);
  }
}

function serviceRow(served: Served, { traffic, mended }: KernelFigures): ServiceRow {
  const { config, state, name } = served;
  const keys = serviceKeysOf(config);
  const states = { up: 0, down: 0, held: 0, leaving: Object.keys(state.leaving).length };
  const held = new Set(state.panic?.held);
  let liveWeight = 0;
  for (const [key, server] of Object.entries(state.servers)) {
    if (takesPart(server)) liveWeight += server.weight;
    states[held.has(key as DestinationKey) ? "held" : server.up ? "up" : "down"] += 1;
  }
  return {
    labels: labels({ service: name }),
    served,
    liveWeight,
    states,
    mended: keys.reduce((sum, key) => sum + mended(key), 0),
    traffic: keys.flatMap((key) => traffic(key)?.service ?? []),
  };
}

function collect(
  served: Served,
  { traffic }: KernelFigures,
  servers: ServerRow[],
  checks: CheckRow[],
): void {
  const { config, state, name } = served;
  const counted = serviceKeysOf(config).map((key) => traffic(key)?.destinations);
  const pool = poolOf(served);
  const service = labels({ service: name });
  // Each once: two series of equal labels would make the whole text worthless.
  const keys = new Set<DestinationKey>([...config.realServers.map(destinationKey), ...pool.keys()]);
  for (const key of keys) {
    const label = `${service},${labels({ real_server: key })}` as Labels;
    servers.push({
      labels: label,
      // The sorry server has no checks.
      up: state.servers[key]?.up ?? pool.has(key),
      weight: pool.get(key)?.weight ?? 0,
      changes: served.changes(key),
      counted: counted.flatMap((destinations) => destinations?.get(key) ?? []),
    });
    const kinds = new Map<string, number>();
    for (const { look, kind } of served.checksOf(key)) {
      const nth = (kinds.get(kind) ?? 0) + 1;
      kinds.set(kind, nth);
      const check = nth === 1 ? kind : `${kind} ${nth}`;
      checks.push({ labels: `${label},${labels({ check })}` as Labels, look });
    }
  }
}

/** Who leaves and who is sorry included; services of a group may have real servers of either family. */
const poolOf = (served: Served): ReadonlyMap<DestinationKey, Destination> =>
  new Map(
    [...new Set(served.entries().map(({ destinations }) => destinations))].flatMap((list) =>
      list.map((each) => [destinationKey(each), each] as const),
    ),
  );
