import type { KeywordEffect } from "./keyword-effect.ts";

const FENCING: KeywordEffect = {
  by: "value",
  values: ["fencing"],
  proof: ["config/lower/fencing.test.ts"],
};

/** The words that say how addresses are fenced. */
export const FENCING_EFFECTS: Readonly<Record<string, KeywordEffect>> = {
  "global_defs.holdfast_fencing": FENCING,
  "vrrp_instance.holdfast_fencing": FENCING,
  "vrrp_instance.holdfast_advert_interface": {
    by: "value",
    values: ["alsoOn"],
    proof: ["config/lower/advert-interfaces.test.ts"],
  },
};

export const FENCING_PLACES: Readonly<Record<string, string>> = {
  fencing: "runtime/fencing/fencing.ts",
  alsoOn: "runtime/advert-paths.ts",
};
