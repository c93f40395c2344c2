import { lastErrno, libc } from "./libc.ts";

/** Numbers of linux/capability.h. */
const CAPABILITIES = {
  dacReadSearch: 2,
  netAdmin: 12,
  netRaw: 13,
  ipcLock: 14,
  sysNice: 23,
  sysResource: 24,
} as const;

export type Capability = keyof typeof CAPABILITIES;

/** _LINUX_CAPABILITY_VERSION_3: sets of 64 bits, in two halves. */
const VERSION = 0x2008_0522;
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4n;
/** As many as the sets have room for; the kernel has fewer, and says so. */
const MOST = 64;

/**
 * From now on the main thread has no capability but these, of those that it has; nor have threads that
 * it starts, and nothing that they execute. Answers the errno name of a refusal.
 */
export function keepCapabilities(kept: readonly Capability[]): string | undefined {
  const numbers = new Set<number>(kept.map((name) => CAPABILITIES[name]));
  dropFromBounds(numbers);
  libc().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0n, 0n, 0n);
  // struct __user_cap_header_struct, and two of __user_cap_data_struct: effective, permitted, inheritable.
  const header = new Uint8Array(Uint32Array.of(VERSION, 0).buffer);
  const sets = new Uint32Array(6);
  const bytes = new Uint8Array(sets.buffer);
  if (libc().capget(header, bytes) !== 0) return lastErrno();
  for (const half of [0, 1]) {
    const mask = maskOf(numbers, half);
    const permitted = (sets[half * 3 + 1] ?? 0) & mask;
    sets.set([permitted, permitted, 0], half * 3);
  }
  return libc().capset(header, bytes) === 0 ? undefined : lastErrno();
}

/** Needs CAP_SETPCAP: whoever lacks it has what the service manager has left. */
function dropFromBounds(kept: ReadonlySet<number>): void {
  for (let number = 0; number < MOST; number += 1) {
    if (!kept.has(number)) libc().prctl(PR_CAPBSET_DROP, BigInt(number), 0n, 0n, 0n);
  }
}

const maskOf = (numbers: ReadonlySet<number>, half: number): number =>
  [...numbers].reduce(
    (mask, number) => (number >> 5 === half ? mask | (1 << (number & 31)) : mask),
    0,
  );
