import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { KernelError } from "../ports/error.ts";
import { int32, libc } from "./libc.ts";
import { unixSocketAddress } from "./socket-address.ts";
import { AF_UNIX, SO_PEERCRED, SOCK_NONBLOCK_CLOEXEC, SOCK_STREAM } from "./socket-option.ts";

/**
 * Abstract names belong to the network namespace in which they were bound, whatever the file system is there,
 * and go with the process that bound them, however it ends. unix(7).
 */
export const HOLDER_NAME = "@holdfast/vrrp";
const RETRY_MS = 50;

/**
 * Makes this process the one that holds addresses in its network namespace, for as long as it lives: a second
 * one would take the addresses of the first for leftovers. Throws a KernelError where there is another.
 *
 * @param patienceMs so long another one may take to end: one whose supervisor died gives everything back first
 * @param name begins with "@"
 */
export async function claimNamespace(patienceMs: number, name = HOLDER_NAME): Promise<void> {
  let errno = await bind(name);
  for (let waited = 0; errno === "EADDRINUSE" && waited < patienceMs; waited += RETRY_MS) {
    await pause(RETRY_MS);
    errno = await bind(name);
  }
  // Who may not bind names at all goes without the claim.
  if (errno !== "EADDRINUSE") return;
  const pid = holderOf(name);
  if (pid === undefined) return;
  const which = pid === 0 ? "" : ` (process ${pid})`;
  const kill = pid === 0 ? "" : `, or kill -9 ${pid} if nothing else is left of it`;
  throw new KernelError(
    "another-agent",
    `another agent holds addresses in this network namespace${which}`,
    `stop it first: systemctl stop holdfast${kill}; one beside it needs a net_namespace of its own`,
  );
}

/** Answers the errno where it cannot be. */
function bind(name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer((asker) => asker.destroy());
    server.on("error", (error) => resolve("code" in error ? String(error.code) : "unknown"));
    server.listen(`\0${name.slice(1)}`, () => resolve(undefined));
    // A process that has nothing else to do may end.
    server.unref();
  });
}

/** The process that has the name; 0: in another namespace of processes; `undefined`: nobody, or it cannot be told. */
export function holderOf(name: string): number | undefined {
  const { socket, connect, getsockopt, close } = libc();
  const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK_CLOEXEC, 0);
  const address = unixSocketAddress(name);
  // struct ucred: three integers.
  const bytes = new Uint8Array(12);
  const { level, number } = SO_PEERCRED;
  const known =
    connect(fd, address, address.length) === 0 &&
    getsockopt(fd, level, number, bytes, int32(bytes.length)) === 0;
  close(fd);
  if (!known) return undefined;
  const view = new DataView(bytes.buffer);
  const uid = view.getUint32(4, true);
  // Anybody may bind a name. Only who could hold addresses counts.
  return uid === 0 || uid === process.geteuid?.() ? view.getInt32(0, true) : undefined;
}
