import type { Keyword } from "./keyword.ts";
import { interfaceName, keyword, many, none, one, oneOf, word } from "./keyword.ts";

const fencing = (standard: string): Keyword =>
  keyword("holdfast_fencing", one(oneOf("auto", "gate", "lifetime", "off")), standard, FENCING, {
    essential: true,
  });

const FENCING = "What keeps the addresses of a node that hangs or died from being answered there";

const WITNESS =
  "A lease in the store of holdfast.conf before a group becomes active; required: nothing without one";
const MODE = oneOf("off", "advisory", "required");

/** In groups, and in instances that are in none. */
const mandate: readonly Keyword[] = [
  keyword(
    "holdfast_witness",
    { required: [MODE], optional: [word("lease"), oneOf("failsafe")] },
    "global (off); lease: the name of the group or instance",
    WITNESS,
    { essential: true },
  ),
  keyword(
    "holdfast_fence",
    many(word("fence")),
    "none",
    "Fence devices of holdfast.conf that must succeed before addresses are taken from a silent node",
    { essential: true },
  ),
];

/** Holdfast's own words in global_defs; keepalived logs them and goes on. */
export const ownGlobalKeywords: readonly Keyword[] = [
  fencing("auto"),
  keyword("holdfast_witness", { required: [MODE], optional: [word("failsafe")] }, "off", WITNESS, {
    essential: true,
  }),
];

/** Holdfast's own words in vrrp_sync_group. */
export const ownGroupKeywords: readonly Keyword[] = mandate;

/** Holdfast's own words in vrrp_instance. */
export const ownInstanceKeywords: readonly Keyword[] = [
  keyword(
    "holdfast_advert_interface",
    many(interfaceName),
    "none",
    "Interfaces over which the same advertisements are sent and heard as well",
  ),
  keyword(
    "holdfast_drop_foreign_addresses",
    none,
    "off",
    "Drop advertisements whose address list is not the configured one",
  ),
  fencing("global (auto)"),
  ...mandate,
];
