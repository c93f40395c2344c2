import { KernelError } from "../../ports/error.ts";
import type { Table } from "../../wire/netlink/nftables.ts";
import { deleteTable } from "../../wire/netlink/nftables.ts";
import { Transactions } from "./transactions.ts";

/** All that Holdfast has in nftables is in these two. */
export const IP_TABLE: Table = { family: "inet", name: "holdfast" };
export const ARP_TABLE: Table = { family: "arp", name: "holdfast" };

/** `removed`: there was something to remove. */
export interface Removal {
  readonly removed: boolean;
  readonly problem: KernelError | undefined;
}

/** Removes each of our tables; what is not there is no problem, nor is a kernel without nf_tables. */
export async function removeTables(transactions: Pick<Transactions, "run">): Promise<Removal> {
  const errnos = await Promise.all(
    [IP_TABLE, ARP_TABLE].map((table) => transactions.run(() => [deleteTable(table)])),
  );
  const refusal = errnos.find((errno) => errno !== undefined && !ABSENT.includes(errno));
  return {
    removed: errnos.includes(undefined),
    problem: refusal === undefined ? undefined : notRemoved(refusal),
  };
}

/**
 * Removes our tables by name, whoever made them: for those who clear up behind a dead process. From
 * then on every address that this host has is reachable, so its addresses go first. Works in the
 * namespace that the main thread is in when it is called. Never rejects; other programs' transactions
 * may hold it up, but not the event loop.
 */
export async function deleteOurTables(): Promise<Removal> {
  let transactions: Transactions;
  try {
    transactions = new Transactions();
  } catch (error) {
    // A kernel without netfilter has no tables.
    if (error instanceof KernelError) return { removed: false, problem: undefined };
    throw error;
  }
  const removal = await removeTables(transactions);
  transactions.close();
  return removal;
}

/** What the kernel says of a table that is not there, or of a family that it does not have. */
const ABSENT = ["ENOENT", "EAFNOSUPPORT", "EOPNOTSUPP", "EINVAL"];

const notRemoved = (errno: string): KernelError =>
  new KernelError(
    errno,
    `the tables inet holdfast and arp holdfast cannot be removed: the kernel says ${errno}`,
    "run as root, and look with `nft list ruleset`; `nft delete table inet holdfast` and `nft delete table arp holdfast` remove them",
  );
