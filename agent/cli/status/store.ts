import type { Status } from "../../control/protocol.ts";
import type { LeaseReport, StoreReport } from "../../core/witness/store-report.ts";
import type { Style } from "../style.ts";
import { duration } from "./duration.ts";
import type { Problem } from "./problem.ts";

const MOST_LEASES = 10;

/** `witness etcd http://10.0.0.11:2379` */
export const storeName = ({ store, endpoints }: StoreReport): string =>
  `witness ${store} ${endpoints.join(", ")}`;

export const storeFails = ({ condition }: StoreReport): boolean =>
  condition === "unreachable" || condition === "refused";

/** How the store of leases is and who has them, with an empty line before. */
export function storeLines(
  report: StoreReport | undefined,
  now: number,
  style: Style,
): readonly string[] {
  if (report === undefined) return [];
  const since = report.since === null ? "" : ` (${duration(now - report.since)})`;
  const fails = storeFails(report);
  const words = `${conditionText(report)}${since}`;
  const seen = report.leases.filter(({ state }) => state !== "unknown");
  const more = seen.length - MOST_LEASES;
  return [
    "",
    `${style.strong(storeName(report))}: ${fails ? style.bad(words) : words}`,
    ...(report.remedy === null ? [] : [`  → ${report.remedy}`]),
    ...seen.slice(0, MOST_LEASES).map((lease) => `  ${lease.group}: ${holderText(lease)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

export function conditionText({ condition, reason }: StoreReport): string {
  switch (condition) {
    case "unknown":
      return "it has not answered yet";
    case "serves":
      return "it serves";
    case "unreachable":
      return `it does not answer, ${reason}`;
    case "refused":
      return `refused, ${reason}`;
  }
}

function holderText({ state, holder }: LeaseReport): string {
  if (state === "ours") return "this node has the lease";
  if (state === "free") return "nobody has the lease";
  return holder === null ? "another node has the lease" : `${holder} has the lease`;
}

/** Where a router waits for the store it has said so itself. */
export function storeProblems({ store, routers }: Status): readonly Problem[] {
  if (store === undefined || !storeFails(store)) return [];
  const isSaid = routers.some(({ mandate }) => mandate?.waiting?.because.startsWith("store-"));
  if (isSaid) return [];
  const problem = `${conditionText(store)}: no lease can be had, should this node have to take over`;
  return [{ subject: storeName(store), problem, next: store.remedy ?? "the log says more" }];
}
