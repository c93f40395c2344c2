/**
 * How this node is kept from being reachable under addresses that another one has taken over. `auto`:
 * the gate, where the kernel can; else lifetimes, and it is said so. `lifetime`: only the kernel's own
 * removal of addresses that nobody refreshes.
 */
export const FENCING_MODES = ["auto", "gate", "lifetime", "off"] as const;
export type FencingMode = (typeof FENCING_MODES)[number];
