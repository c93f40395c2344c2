import type { IpAddress } from "../../core/address.ts";
import { familyOf } from "../../core/address.ts";
import type { DataPathHost } from "../../ports/data-path-host.ts";
import { KernelError } from "../../ports/error.ts";

/** What is known of a way on which answers are to come. */
export interface KnownWay {
  /** The virtual address, which they come from. */
  readonly from: IpAddress;
  /** The interfaces towards it, and towards the real server, by which they come. */
  readonly forth: string | undefined;
  readonly back: string;
  /** Why packets from own addresses could not be let in there, where that was tried. */
  readonly errno: string | undefined;
  /** Connection synchronisation is configured. */
  readonly syncs: boolean;
}

/** Why answers would not reach this host; `undefined`: they do. */
export function whyLost(
  host: Pick<DataPathHost, "holders" | "readSysctl">,
  { from, forth, back, errno, syncs }: KnownWay,
): KernelError | undefined {
  const holders = host.holders(from);
  if (forth === undefined && holders.length === 0) {
    const message = `no route leads from this host to ${from}, which holdfast_data_path connects to`;
    return new KernelError("ENETUNREACH", message, "add a route to its network");
  }
  if (syncs && holders.length === 0 && host.readSysctl("net/ipv4/vs/backup_only") === "1") {
    const message = `net.ipv4.vs.backup_only is 1: without ${from} this host's ip_vs takes no packets`;
    return new KernelError("EPERM", message, "set it to 0, or leave checks to the active director");
  }
  // IPv6 has neither of these settings.
  if (familyOf(from) === "ipv6") return undefined;
  const setting = (name: string): string => `net.ipv4.conf.${back}.${name}`;
  if (holders.length > 0 && errno !== undefined) {
    const message = `${setting("accept_local")} cannot be set (${errno}): answers from ${from} are dropped`;
    return new KernelError(errno, message, "set it to 1");
  }
  const fits = holders.length > 0 ? holders.includes(back) : forth === back;
  if (fits || reversePath(host, back) !== "1") return undefined;
  const place = holders[0] ?? forth;
  const message = `${setting("rp_filter")} counts as 1: answers from ${from}, which is by ${place}, are dropped`;
  return new KernelError("EXDEV", message, "set it to 2");
}

/** The kernel takes the greater of the two. */
function reversePath(host: Pick<DataPathHost, "readSysctl">, name: string): string {
  const [all = "0", own = "0"] = ["all", name].map((each) =>
    host.readSysctl(`net/ipv4/conf/${each}/rp_filter`),
  );
  return all > own ? all : own;
}
