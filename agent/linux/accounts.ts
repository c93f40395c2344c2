import { createRequire } from "node:module";
import type koffiType from "koffi";
import type { UserAccount } from "../config/keepalived/config-host.ts";
import { KernelError } from "../ports/error.ts";

/** The C library's view of users and groups, NSS included: files, LDAP, systemd and the others. */
export interface Accounts {
  user(name: string): UserAccount | undefined;
  group(name: string): number | undefined;
}

/** The first members of struct passwd and struct group, which glibc and musl share. */
interface PasswordEntry {
  readonly pw_uid: number;
  readonly pw_gid: number;
}
interface GroupEntry {
  readonly gr_gid: number;
}

/** NGROUPS_MAX: the most groups that the kernel lets a process have. */
const MOST_GROUPS = 65_536;

let loaded: Accounts | undefined;

/** Bound on first use. Throws a KernelError without a C library. */
export function accounts(): Accounts {
  loaded ??= load();
  return loaded;
}

function load(): Accounts {
  try {
    return bind();
  } catch (error) {
    throw new KernelError(
      "libc-missing",
      `the C library cannot be called: ${error instanceof Error ? error.message : String(error)}`,
      "run Holdfast on Linux with glibc or musl, and reinstall its dependencies (npm ci)",
    );
  }
}

function bind(): Accounts {
  // Most files name nobody, and it takes longer to load than they take to read.
  const koffi: typeof koffiType = createRequire(import.meta.url)("koffi");
  const program = koffi.load(null);
  const passwordEntry = koffi.struct({
    pw_name: "const char *",
    pw_passwd: "const char *",
    pw_uid: "uint32_t",
    pw_gid: "uint32_t",
  });
  const groupEntry = koffi.struct({
    gr_name: "const char *",
    gr_passwd: "const char *",
    gr_gid: "uint32_t",
  });
  const getpwnam = program.func("void *getpwnam(const char *)");
  const getgrnam = program.func("void *getgrnam(const char *)");
  const getgrouplist = program.func("int getgrouplist(const char *, uint32_t, void *, void *)");
  const groupsOf = (name: string, gid: number): readonly number[] => {
    const groups = new Uint32Array(MOST_GROUPS);
    const count = new Int32Array([MOST_GROUPS]);
    const answer: number = getgrouplist(name, gid, groups, count);
    return answer < 0 ? [gid] : [...groups.subarray(0, count[0])];
  };
  return {
    user: (name) => {
      const pointer: unknown = getpwnam(name);
      if (pointer === null) return undefined;
      const { pw_uid: uid, pw_gid: gid } = koffi.decode(pointer, passwordEntry) as PasswordEntry;
      return { uid, gid, groups: groupsOf(name, gid) };
    },
    group: (name) => {
      const pointer: unknown = getgrnam(name);
      return pointer === null
        ? undefined
        : (koffi.decode(pointer, groupEntry) as GroupEntry).gr_gid;
    },
  };
}
