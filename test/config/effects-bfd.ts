import type { KeywordEffect, Proof } from "./keyword-effect.ts";

const PROOF: Proof = ["config/lower/bfd.test.ts"];

const value = (values: string): KeywordEffect => ({
  by: "value",
  values: values.split(" "),
  proof: PROOF,
});

const READING: KeywordEffect = {
  by: "reading",
  source: "config/keepalived/lower/bfd.ts",
  proof: PROOF,
};

/** The words of bfd_instance, and those that follow a session. */
export const BFD_EFFECTS: Readonly<Record<string, KeywordEffect>> = {
  "vrrp_sync_group.track_bfd": value("trackers"),
  "vrrp_instance.track_bfd": value("trackers"),
  bfd_instance: value("bfdInstances"),
  "bfd_instance.source_ip": value("source"),
  "bfd_instance.neighbor_ip": value("neighbour"),
  "bfd_instance.neighbour_ip": value("neighbour"),
  "bfd_instance.min_rx": value("minRx"),
  "bfd_instance.min_tx": value("minTx"),
  "bfd_instance.idle_tx": value("idleTx"),
  "bfd_instance.multiplier": value("multiplier"),
  "bfd_instance.passive": value("passive"),
  "bfd_instance.ttl": value("hopLimit leastTtl"),
  "bfd_instance.hoplimit": value("hopLimit leastTtl"),
  "bfd_instance.max_hops": value("leastTtl"),
  "bfd_instance.multihop": value("hops"),
  "bfd_instance.weight": value("weight reverse"),
  "bfd_instance.vrrp": READING,
  "bfd_instance.checker": READING,
};

/** Where the values of bfd_instance have their effect, below agent/. */
export const BFD_PLACES: Readonly<Record<string, string>> = {
  bfdInstances: "runtime/node.ts",
  hopLimit: "runtime/bfd/bfd-session.ts",
  hops: "core/bfd/admission.ts",
  idleTx: "core/bfd/timing.ts",
  leastTtl: "core/bfd/admission.ts",
  minRx: "core/bfd/timing.ts",
  minTx: "core/bfd/timing.ts",
  multiplier: "core/bfd/step.ts",
  neighbour: "core/bfd/admission.ts",
  passive: "core/bfd/timing.ts",
  source: "core/bfd/admission.ts",
};
