import type { Keyword } from "./keyword.ts";
import { keyword, none, one, oneOf } from "./keyword.ts";

const fencing: Keyword = keyword(
  "holdfast_fencing",
  one(oneOf("auto", "gate", "lifetime", "off")),
  "auto",
  "What keeps the addresses of a node that hangs or died from being answered there",
);

/** Holdfast's own words in global_defs; keepalived logs them and goes on. */
export const ownGlobalKeywords: readonly Keyword[] = [fencing];

/** Holdfast's own words in vrrp_instance. */
export const ownInstanceKeywords: readonly Keyword[] = [
  keyword(
    "holdfast_drop_foreign_addresses",
    none,
    "off",
    "Drop advertisements whose address list is not the configured one",
  ),
  fencing,
];
