import type { KoffiFunc } from "koffi";
import koffi from "koffi";
import { KernelError } from "../ports/error.ts";
import { errnoName } from "./errno.ts";

/** The C library's functions that Node lacks. All answer -1 on failure; `errno` then tells why. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  send(fd: number, data: Uint8Array, length: number, flags: number): number;
  sendto(
    fd: number,
    data: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number;
  recv(fd: number, data: Uint8Array, length: number, flags: number): number;
  recvmsg(fd: number, message: Uint8Array, flags: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(
    fd: number,
    level: number,
    name: number,
    value: Uint8Array,
    length: Uint8Array,
  ): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  close(fd: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: Uint8Array | null): number;
  epoll_wait(epoll: number, events: Uint8Array, most: number, timeoutMs: number): number;
  clock_gettime(clock: number, time: Uint8Array): number;
  timerfd_create(clock: number, flags: number): number;
  timerfd_settime(fd: number, flags: number, value: Uint8Array, old: null): number;
  sched_setscheduler(thread: number, policy: number, parameters: Uint8Array): number;
  sched_getscheduler(thread: number): number;
  sched_getparam(thread: number, parameters: Uint8Array): number;
  sched_setaffinity(thread: number, length: number, mask: Uint8Array): number;
  setpriority(which: number, who: number, nice: number): number;
  setrlimit(resource: number, limits: Uint8Array): number;
  prlimit(pid: number, resource: number, limits: Uint8Array | null, old: Uint8Array | null): number;
  mlock2(start: bigint, length: bigint, flags: number): number;
  prctl(option: number, a: bigint, b: bigint, c: bigint, d: bigint): number;
  prctlText(option: number, text: string, b: bigint, c: bigint, d: bigint): number;
  signal(number: number, disposition: bigint): bigint;
  setns(fd: number, kind: number): number;
  unshare(kind: number): number;
  capget(header: Uint8Array, data: Uint8Array): number;
  capset(header: Uint8Array, data: Uint8Array): number;
  /** For calls that older C libraries do not have; the numbers from 424 on are the same everywhere. */
  syscall(number: number, a: number, b: number, c: number): number;
  syscallBytes(number: number, a: number, b: number, c: Uint8Array): number;
}

const PROTOTYPES: Readonly<Record<keyof Libc, string>> = {
  socket: "int socket(int, int, int)",
  bind: "int bind(int, const void *, uint32_t)",
  connect: "int connect(int, const void *, uint32_t)",
  send: "intptr_t send(int, const void *, size_t, int)",
  sendto: "intptr_t sendto(int, const void *, size_t, int, const void *, uint32_t)",
  recv: "intptr_t recv(int, void *, size_t, int)",
  recvmsg: "intptr_t recvmsg(int, void *, int)",
  setsockopt: "int setsockopt(int, int, int, const void *, uint32_t)",
  getsockopt: "int getsockopt(int, int, int, void *, void *)",
  getsockname: "int getsockname(int, void *, void *)",
  ioctl: "int ioctl(int, unsigned long, void *)",
  close: "int close(int)",
  epoll_create1: "int epoll_create1(int)",
  epoll_ctl: "int epoll_ctl(int, int, int, void *)",
  epoll_wait: "int epoll_wait(int, void *, int, int)",
  clock_gettime: "int clock_gettime(int, void *)",
  timerfd_create: "int timerfd_create(int, int)",
  timerfd_settime: "int timerfd_settime(int, int, const void *, void *)",
  sched_setscheduler: "int sched_setscheduler(int, int, const void *)",
  sched_getscheduler: "int sched_getscheduler(int)",
  sched_getparam: "int sched_getparam(int, void *)",
  sched_setaffinity: "int sched_setaffinity(int, size_t, const void *)",
  setpriority: "int setpriority(int, uint32_t, int)",
  setrlimit: "int setrlimit(int, const void *)",
  prlimit: "int prlimit(int, int, const void *, void *)",
  mlock2: "int mlock2(size_t, size_t, unsigned int)",
  prctl: "int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)",
  prctlText: "int prctl(int, const char *, unsigned long, unsigned long, unsigned long)",
  signal: "intptr_t signal(int, intptr_t)",
  setns: "int setns(int, int)",
  unshare: "int unshare(int)",
  capget: "int capget(void *, void *)",
  capset: "int capset(void *, const void *)",
  syscall: "intptr_t syscall(intptr_t, intptr_t, intptr_t, intptr_t)",
  syscallBytes: "intptr_t syscall(intptr_t, intptr_t, intptr_t, const void *)",
};

let loaded: Libc | undefined;

/** The C library of this process. It is bound on first use; throws a KernelError without one. */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

/**
 * `send` on one of Node's own threads, where it may block. `done` gets what `send` answers, but not the
 * errno. The bytes must stay as they are until then.
 */
export function sendApart(fd: number, data: Uint8Array, done: (sent: number) => void): void {
  const { send } = libc();
  (send as KoffiFunc<Libc["send"]>).async(fd, data, data.length, 0, (_error, sent) => done(sent));
}

/** `close` on one of Node's own threads: that of a packet socket takes milliseconds. */
export function closeApart(fd: number): void {
  const { close } = libc();
  (close as KoffiFunc<Libc["close"]>).async(fd, () => undefined);
}

/** The errno of the last call that failed; read it before anything else is called. */
export const lastErrno = (): string => errnoName(koffi.errno());

function load(): Libc {
  try {
    // The program itself is linked with the C library, whichever it is (glibc or musl).
    const program = koffi.load(null);
    const entries = Object.entries(PROTOTYPES).map(([name, prototype]) => [
      name,
      program.func(prototype),
    ]);
    return Object.fromEntries(entries) as Libc;
  } catch (error) {
    throw new KernelError(
      "libc-missing",
      `the C library cannot be called: ${error instanceof Error ? error.message : String(error)}`,
      "run Holdfast on Linux with glibc or musl, and reinstall its dependencies (npm ci)",
    );
  }
}

/** A 32-bit integer as the kernel reads it. */
export function int32(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}
