import type { Micros } from "../core/time.ts";
import type { Position } from "./position.ts";

/** Words of holdfast_witness. */
export const WITNESS_MODES = ["off", "advisory", "required"] as const;

/** Names of leases: what every store keeps as it is written. */
export const STORE_KEY = /^(?=.{1,64}$)(?!(.*\/)?\.{1,2}(\/|$))[\w.-]+(\/[\w.-]+)*$/;

/** The lease that a group asks a store for. */
export interface LeaseConfig {
  /** `required`: nothing without a lease. `advisory`: without one where the store does not answer. */
  readonly mode: "advisory" | "required";
  /** Its name in the store, the same on all nodes. */
  readonly key: string;
  /** While the store cannot be reached, it goes on as long as all tracked BFD sessions are up. */
  readonly failsafe: boolean;
}

/** Leave of a third party that routers need before one of them becomes active. */
export interface MandateConfig {
  /** Name of the sync group, or of the instance that is in none. */
  readonly name: string;
  readonly members: readonly string[];
  readonly lease: LeaseConfig | undefined;
  /** Fence devices of holdfast.conf, all of which must succeed, in this order. */
  readonly fences: readonly string[];
}

export const STORE_KINDS = ["zookeeper", "etcd", "consul", "kubernetes", "redis"] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** The block `witness` of holdfast.conf. Secrets by name, files by absolute path. */
export interface WitnessSettings {
  readonly position: Position;
  readonly store: StoreKind;
  /** As written: URLs, or `HOST:PORT`. */
  readonly endpoints: readonly [string, ...string[]];
  /** How long the store keeps a lease without a renewal. */
  readonly ttl: Micros;
  /** From the sending of a request that was answered to the next. */
  readonly renewEvery: Micros;
  /** A request that is not answered by then was in vain. */
  readonly requestTime: Micros;
  /** The gate may learn of a deadline this late. */
  readonly margin: Micros;
  /** `advisory`: how long the store is waited for. */
  readonly patience: Micros;
  readonly user: string | undefined;
  readonly passwordSecret: string | undefined;
  readonly tokenSecret: string | undefined;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly serverName: string | undefined;
  /** Before the names of leases; `undefined`: the store's own default. */
  readonly prefix: string | undefined;
  /** Kubernetes. */
  readonly namespace: string | undefined;
  /** Consul. */
  readonly datacenter: string | undefined;
  /** Redis. */
  readonly database: number | undefined;
}

/** A block `fence NAME` of holdfast.conf: how to stop the node that may still hold the addresses. */
export interface FenceSettings {
  readonly position: Position;
  readonly name: string;
  /** Absolute path of a fence agent (ClusterLabs' calling convention: options on its stdin). */
  readonly program: string;
  readonly action: string;
  readonly options: readonly { readonly name: string; readonly value: string }[];
  readonly secretOptions: readonly { readonly name: string; readonly secret: string }[];
  readonly timeout: Micros;
}
