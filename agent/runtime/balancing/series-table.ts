import type { DestinationCounters, TrafficCounters } from "../../core/ipvs/traffic.ts";
import type { CheckRow, ServerRow, ServiceRow } from "./service-rows.ts";

/** `other`: the value of the family's own label. */
type Emit = (value: number, other?: string) => void;

/** Series of one name. */
export interface Family<Row> {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  /** A label beside those of the row. */
  readonly label?: "state" | "outcome";
  /** Of real servers: what is left of them where there are very many. */
  readonly brief?: true;
  readonly samples: (row: Row, emit: Emit) => void;
}

type Traffic = { readonly [Key in keyof TrafficCounters]: string };

const TRAFFIC: readonly (readonly [keyof Traffic, string, string])[] = [
  ["connections", "connections_total", "Connections that the kernel has scheduled"],
  ["inPackets", "incoming_packets_total", "Packets from clients"],
  ["outPackets", "outgoing_packets_total", "Packets to clients, as far as they pass this node"],
  ["inBytes", "incoming_bytes_total", "Bytes from clients"],
  ["outBytes", "outgoing_bytes_total", "Bytes to clients, as far as they pass this node"],
];

/** The kernel's counters; they begin anew when it is added to the kernel anew. */
const traffic = <Row>(
  prefix: string,
  countersOf: (row: Row) => readonly TrafficCounters[],
): readonly Family<Row>[] =>
  TRAFFIC.map(([key, name, help]) => ({
    name: `${prefix}_${name}`,
    type: "counter",
    help: `${help}.`,
    samples: (row, emit) => {
      const counters = countersOf(row);
      if (counters.length > 0) emit(sumOf(counters, key));
    },
  }));

export const SERVICE_FAMILIES: readonly Family<ServiceRow>[] = [
  {
    name: "holdfast_service_quorum",
    type: "gauge",
    help: "1: it has its quorum.",
    samples: ({ served }, emit) => emit(served.state.quorum ? 1 : 0),
  },
  {
    name: "holdfast_service_quorum_wanted",
    type: "gauge",
    help: "Weight that makes its quorum.",
    samples: ({ served }, emit) => emit(served.config.quorum),
  },
  {
    name: "holdfast_service_weight",
    type: "gauge",
    help: "Weight of the real servers that are up.",
    samples: ({ liveWeight }, emit) => emit(liveWeight),
  },
  {
    name: "holdfast_service_real_servers",
    type: "gauge",
    help: "Real servers: up, down, held, leaving.",
    label: "state",
    samples: ({ states }, emit) => {
      for (const [state, count] of Object.entries(states)) emit(count, state);
    },
  },
  {
    name: "holdfast_service_sorry_server_active",
    type: "gauge",
    help: "1: the sorry server takes the traffic.",
    samples: ({ served: { config, state } }, emit) => {
      if (config.sorryServer !== undefined) emit(state.quorum ? 0 : 1);
    },
  },
  {
    name: "holdfast_service_quorum_changes_total",
    type: "counter",
    help: "How often its quorum came or went.",
    samples: ({ served }, emit) => emit(served.quorumChanges),
  },
  {
    name: "holdfast_service_drift_mended_total",
    type: "counter",
    help: "What others had changed of it in the kernel, and was put right.",
    samples: ({ mended }, emit) => emit(mended),
  },
  ...traffic<ServiceRow>("holdfast_service", (row) => row.traffic),
];

const sumOf = <Key extends string>(
  counters: readonly { readonly [Name in Key]: number }[],
  key: Key,
): number => counters.reduce((sum, each) => sum + each[key], 0);

const CONNECTIONS: readonly (readonly [keyof DestinationCounters, string])[] = [
  ["activeConnections", "active"],
  ["inactiveConnections", "inactive"],
  ["persistentConnections", "persistent"],
];

export const SERVER_FAMILIES: readonly Family<ServerRow>[] = [
  {
    name: "holdfast_real_server_up",
    type: "gauge",
    help: "1: its checks say that it is up.",
    brief: true,
    samples: ({ up }, emit) => emit(up ? 1 : 0),
  },
  {
    name: "holdfast_real_server_weight",
    type: "gauge",
    help: "What the kernel is to have; 0 also while it is not in the pool.",
    brief: true,
    samples: ({ weight }, emit) => emit(weight),
  },
  {
    name: "holdfast_real_server_connections",
    type: "gauge",
    help: "Connections as the kernel counts them: active, inactive, persistent.",
    label: "state",
    samples: ({ counted }, emit) => {
      if (counted.length === 0) return;
      for (const [key, state] of CONNECTIONS) emit(sumOf(counted, key), state);
    },
  },
  {
    name: "holdfast_real_server_transitions_total",
    type: "counter",
    help: "How often it came up or went down.",
    samples: ({ changes }, emit) => emit(changes),
  },
  ...traffic<ServerRow>("holdfast_real_server", ({ counted }) => counted),
];

export const CHECK_FAMILIES: readonly Family<CheckRow>[] = [
  {
    name: "holdfast_real_server_checks_total",
    type: "counter",
    help: "Runs of a check: success, failure.",
    label: "outcome",
    samples: ({ look }, emit) => {
      if (look.durations === undefined) return;
      const { runs, failures } = look.figures();
      emit(runs - failures, "success");
      emit(failures, "failure");
    },
  },
];

/** A histogram. */
export const DURATION = {
  name: "holdfast_real_server_check_duration_seconds",
  help: "How long runs of a check took that succeeded.",
} as const;
