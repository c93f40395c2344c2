import type { KeywordEffect, Proof } from "./keyword-effect.ts";
import { value } from "./keyword-effect.ts";

const PROOF: Proof = ["config/lower/mandates.test.ts"];
const WITNESS = value("mandates lease failsafe", PROOF);
const FENCE = value("mandates fences", PROOF);

/** The words that say whose leave a group needs before it becomes active. */
export const MANDATE_EFFECTS: Readonly<Record<string, KeywordEffect>> = {
  "global_defs.holdfast_witness": WITNESS,
  "vrrp_sync_group.holdfast_witness": WITNESS,
  "vrrp_sync_group.holdfast_fence": FENCE,
  "vrrp_instance.holdfast_witness": WITNESS,
  "vrrp_instance.holdfast_fence": FENCE,
};

export const MANDATE_PLACES: Readonly<Record<string, string>> = {
  failsafe: "runtime/mandates/mandates.ts",
  fences: "runtime/witness/mandate-driver.ts",
  lease: "runtime/witness/mandate-driver.ts",
  mandates: "runtime/witness/witness-process.ts",
};
