import type { ProcessTable, RunningProcess } from "../ports/watches.ts";
import type { KernelProcessEvent } from "../wire/netlink/process-connector.ts";
import { openPidfdTable } from "./pidfd-table.ts";
import { openProcessConnector } from "./process-connector.ts";
import { readProcess } from "./process-files.ts";
import { ProcessList } from "./process-list.ts";

/**
 * The processes of this host, by the kernel's own word where it gives it, else by pidfds and looking.
 * Processes that come and go within one turn of the event loop may not be told of. Main thread only.
 */
export function openProcessTable(): ProcessTable {
  const table = openConnectorTable();
  return typeof table === "string" ? openPidfdTable() : table;
}

/**
 * Answers the errno name where the kernel does not tell of processes. `receiveBuffer`: bytes in which
 * events wait; after more of them everything is read anew.
 */
export function openConnectorTable(receiveBuffer?: number): ProcessTable | string {
  const list = new ProcessList();
  // First the events, then what there is: so nothing is missed in between.
  const connector = openProcessConnector((events, lost) => {
    if (lost) list.resynchronize();
    else apply(list, events);
  }, receiveBuffer);
  if (typeof connector === "string") return connector;
  list.resynchronize();
  return {
    source: "connector",
    running: () => list.values(),
    subscribe: (listener) => list.subscribe(listener),
    close: () => connector.close(),
  };
}

/** What is known of a process in the middle of a batch; `unread`: /proc is to be asked. */
type Draft = RunningProcess | "unread" | undefined;

/** Works the net result of a batch out first: most processes of a busy host are gone by then. */
function apply(list: ProcessList, events: readonly KernelProcessEvent[]): void {
  const drafts = new Map<number, Draft>();
  const known = (pid: number): Draft => (drafts.has(pid) ? drafts.get(pid) : list.get(pid));
  for (const event of events) {
    switch (event.kind) {
      case "fork":
        drafts.set(event.pid, inherited(known(event.parent), event.pid));
        break;
      case "exec":
        drafts.set(event.pid, "unread");
        break;
      case "name":
        drafts.set(event.pid, renamed(known(event.pid), event.comm));
        break;
      case "exit":
        drafts.set(event.pid, undefined);
        break;
      case "answer":
        break;
    }
  }
  for (const [pid, draft] of drafts) list.put(pid, draft === "unread" ? readProcess(pid) : draft);
}

const inherited = (parent: Draft, pid: number): Draft =>
  typeof parent === "object" ? { ...parent, pid } : "unread";

const renamed = (process: Draft, comm: string): Draft =>
  typeof process === "object" ? { ...process, comm } : "unread";
