import { AggregatorRegistry, Counter, Gauge, Registry } from "prom-client";

const MOST_NAMES = 50;
const MOST_SERIES = 1_000;
const MOST_LABELS = 10;
const LONGEST_NAME = 128;
const LONGEST_VALUE = 256;
/** Of the agent's own series. */
const RESERVED = /^holdfast_/;
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
/** Added to each series. */
const POLICY = "policy";

type Labels = Readonly<Record<string, string>>;

interface Metric {
  readonly metric: Gauge | Counter;
  readonly kind: "gauge" | "counter";
  /** Sorted. */
  readonly labels: string;
}

/** What one policy has. */
interface Owned {
  readonly registry: Registry;
  readonly metrics: Map<string, Metric>;
  readonly series: Set<string>;
}

/**
 * Prometheus series of policies, each with the label `policy`. Every method answers what is wrong, in
 * words for the policy's author; nothing is changed then. Per policy 50 names and 1,000 series.
 */
export class PolicyMetrics {
  readonly #policies = new Map<string, Owned>();

  gauge(policy: string, name: string, value: number, labels: Labels): string | undefined {
    return this.#record("gauge", policy, name, value, labels);
  }

  /** `by` must not be negative. */
  count(policy: string, name: string, by: number, labels: Labels): string | undefined {
    if (by < 0) return `metrics.count ${shown(name)}: a counter only grows; use a gauge`;
    return this.#record("counter", policy, name, by, labels);
  }

  /** The policy is gone: so are its series. */
  forget(policy: string): void {
    this.#policies.delete(policy);
  }

  /** In Prometheus' text format; empty when there are none. */
  async text(): Promise<string> {
    const parts = [...this.#policies.values()].map(({ registry }) => registry.getMetricsAsJSON());
    const text = await AggregatorRegistry.aggregate(await Promise.all(parts)).metrics();
    return text.trim() === "" ? "" : text;
  }

  #record(
    kind: Metric["kind"],
    policy: string,
    name: string,
    value: number,
    labels: Labels,
  ): string | undefined {
    const wrong = problemOf(name, value, labels) ?? this.#clash(kind, name, labels, policy);
    if (wrong !== undefined) return `metrics ${shown(name)}: ${wrong}`;
    const owned = this.#owned(policy);
    const key = JSON.stringify([name, ...Object.entries(labels).sort(byName)]);
    if (!owned.metrics.has(name) && owned.metrics.size >= MOST_NAMES) {
      return `metrics ${shown(name)}: a policy may have ${MOST_NAMES} names`;
    }
    if (!owned.series.has(key) && owned.series.size >= MOST_SERIES) {
      return `metrics ${shown(name)}: a policy may have ${MOST_SERIES} series; use fewer labels`;
    }
    owned.series.add(key);
    const { metric } = owned.metrics.get(name) ?? add(owned, kind, name, labels);
    const all = { ...labels, [POLICY]: policy };
    if (metric instanceof Gauge) metric.set(all, value);
    else metric.inc(all, value);
    return undefined;
  }

  /** A name has one kind everywhere, and the same labels within a policy. */
  #clash(kind: Metric["kind"], name: string, labels: Labels, policy: string): string | undefined {
    for (const [owner, { metrics }] of this.#policies) {
      const known = metrics.get(name);
      if (known !== undefined && known.kind !== kind) return `it is a ${known.kind} of ${owner}`;
    }
    const known = this.#policies.get(policy)?.metrics.get(name);
    if (known === undefined || known.labels === labelNames(labels)) return undefined;
    return `its labels were ${known.labels === "" ? "none" : known.labels} before; keep to them`;
  }

  #owned(policy: string): Owned {
    const known = this.#policies.get(policy);
    if (known !== undefined) return known;
    const owned: Owned = { registry: new Registry(), metrics: new Map(), series: new Set() };
    this.#policies.set(policy, owned);
    return owned;
  }
}

function add(
  { registry, metrics }: Owned,
  kind: Metric["kind"],
  name: string,
  labels: Labels,
): Metric {
  const settings = {
    name,
    help: "Of a policy.",
    labelNames: [...Object.keys(labels), POLICY],
    registers: [registry],
  };
  const metric = kind === "gauge" ? new Gauge(settings) : new Counter(settings);
  const added = { metric, kind, labels: labelNames(labels) };
  metrics.set(name, added);
  return added;
}

function problemOf(name: string, value: number, labels: Labels): string | undefined {
  if (!NAME.test(name) || name.length > LONGEST_NAME) {
    return `a name has letters, digits, _ and :, at most ${LONGEST_NAME}, and no digit first`;
  }
  if (RESERVED.test(name)) return "names with holdfast_ are the agent's own";
  if (!Number.isFinite(value)) return "the value is no number";
  const entries = Object.entries(labels);
  if (entries.length > MOST_LABELS) return `at most ${MOST_LABELS} labels`;
  for (const [label, text] of entries) {
    if (label === POLICY) return "the label policy is added by itself";
    if (!LABEL.test(label) || label.length > LONGEST_NAME)
      return "a label has letters, digits and _";
    if (text.length > LONGEST_VALUE) return `${label} is longer than ${LONGEST_VALUE} characters`;
  }
  return undefined;
}

const labelNames = (labels: Labels): string => Object.keys(labels).sort().join(", ");
const byName = ([one]: [string, string], [other]: [string, string]): number =>
  one < other ? -1 : 1;
const shown = (name: string): string => JSON.stringify(name.slice(0, 64));
