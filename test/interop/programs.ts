import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { Agent } from "../lab/agent.ts";
import { Keepalived } from "../lab/keepalived.ts";
import type { Program } from "../lab/pair.ts";

/** The two programs that read keepalived.conf. */
export type Brand = "holdfast" | "keepalived";

export const otherBrand = (brand: Brand): Brand =>
  brand === "holdfast" ? "keepalived" : "holdfast";

/** Either program with this keepalived.conf; it is not started yet. */
export const build = (brand: Brand, node: LabNode, config: string): Program =>
  brand === "holdfast" ? new Agent(node, config) : new Keepalived(node, config);

/** Longer than any start and take-over under test, on a machine that is busy with other things. */
export const TAKEOVER_MS = 45_000;
