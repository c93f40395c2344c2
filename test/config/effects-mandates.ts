import type { KeywordEffect } from "./effects.ts";

const WITNESS: KeywordEffect = {
  by: "value",
  values: ["mandates", "lease", "failsafe"],
  proof: ["config/lower/mandates.test.ts"],
};

const FENCE: KeywordEffect = {
  by: "value",
  values: ["mandates", "fences"],
  proof: ["config/lower/mandates.test.ts"],
};

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
