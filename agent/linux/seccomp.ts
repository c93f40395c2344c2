import koffi from "koffi";
import type { BpfProgram } from "../wire/bpf.ts";
import { BPF, encodeBpf } from "../wire/bpf.ts";
import { lastErrno, libc } from "./libc.ts";

/** Numbers of system calls of one architecture. */
interface Architecture {
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly audit: number;
  readonly seccomp: number;
  readonly denied: readonly number[];
}

/**
 * What a process never needs that only speaks to the network: to execute something, look into other
 * processes, change namespaces, mounts, modules, keys, the clock or the machine. Name → x64, arm64.
 */
const DENIED: Readonly<Record<string, readonly [x64: number, arm64: number]>> = {
  execve: [59, 221],
  execveat: [322, 281],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  kcmp: [312, 272],
  setns: [308, 268],
  unshare: [272, 97],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_by_handle_at: [304, 265],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  clock_adjtime: [305, 266],
};

const ARCHITECTURES: Readonly<Partial<Record<string, Architecture>>> = {
  x64: {
    audit: 0xc000_003e,
    seccomp: 317,
    denied: Object.values(DENIED).map(([number]) => number),
  },
  arm64: {
    audit: 0xc000_00b7,
    seccomp: 277,
    denied: Object.values(DENIED).map(([, number]) => number),
  },
};

const SECCOMP_SET_MODE_FILTER = 1;
/** All threads, also those that run already; they get no_new_privs with it. */
const SECCOMP_FILTER_FLAG_TSYNC = 1;
/** Else kernels before 5.16 slow the process down, for the sake of other code in it, which there is none. */
const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;
const ALLOW = 0x7fff_0000;
/** SECCOMP_RET_ERRNO, EPERM and ENOSYS. */
const REFUSE = 0x0005_0001;
const UNKNOWN = 0x0005_0026;
/** What a kernel answers that was built without them. */
const ABSENT: ReadonlySet<string> = new Set(["EINVAL", "ENOSYS"]);
/** Where struct seccomp_data has the number and the architecture. */
const NUMBER = 0;
const ARCHITECTURE = 4;
/** Of x86: numbers from here on are those of another ABI (x32). */
const OTHER_ABI = 0x4000_0000;

/**
 * Has the kernel refuse these calls (EPERM) to every thread of this process, and to whatever it starts.
 * The process must have no_new_privs. Answers why it cannot be had; `undefined` also where the kernel has
 * no such filters, and where nobody knows the architecture's numbers.
 */
export function refuseSystemCalls(): string | undefined {
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) return undefined;
  const program = filter(architecture);
  const code = encodeBpf(program, true);
  // struct sock_fprog: the number of instructions, and a pointer at the next 8-byte boundary.
  const descriptor = new DataView(new ArrayBuffer(16));
  descriptor.setUint16(0, program.length, true);
  descriptor.setBigUint64(8, koffi.address(code), true);
  const bytes = new Uint8Array(descriptor.buffer);
  const { seccomp } = architecture;
  const done = libc().syscallBytes(
    seccomp,
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    bytes,
  );
  if (done > 0) return "a thread has a filter of its own";
  const errno = done === 0 ? undefined : lastErrno();
  return errno !== undefined && ABSENT.has(errno) ? undefined : errno;
}

function filter({ audit, denied }: Architecture): BpfProgram {
  const step = (code: number, k: number, jt = 0, jf = 0) => ({ code, k, jt, jf });
  return [
    step(BPF.LOAD_WORD, ARCHITECTURE),
    step(BPF.JUMP_EQUAL, audit, 1, 0),
    step(BPF.RETURN, UNKNOWN),
    step(BPF.LOAD_WORD, NUMBER),
    step(BPF.JUMP_ABOVE_OR_EQUAL, OTHER_ABI, 0, 1),
    step(BPF.RETURN, UNKNOWN),
    ...denied.map((number, at) => step(BPF.JUMP_EQUAL, number, denied.length - at, 0)),
    step(BPF.RETURN, ALLOW),
    step(BPF.RETURN, REFUSE),
  ];
}
