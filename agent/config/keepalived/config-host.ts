/** What reading a configuration asks of the machine. All of it is synchronous and free of effects. */
export interface ConfigHost {
  /** Absolute directory that relative paths of the entry file start from. */
  readonly workingDirectory: string;
  /** `-i`, or else the first label of the host name; `@id` lines compare with it. */
  readonly configId: string;
  readFile(path: string): FileText;
  /**
   * Paths that match a pattern of `*`, `?` and `[…]`, sorted, without directories.
   * Braces are expanded by the caller. `directory` is where a relative pattern starts.
   */
  glob(pattern: string, directory: string): readonly string[];
  /** `undefined`: not set. */
  env(name: string): string | undefined;
  /** A random integer, both ends included. */
  random(min: number, max: number): number;
  /** The whole name of this host. */
  readonly hostName: string;
  /** Effective user of the agent. */
  readonly uid: number;
  /** What stands at an absolute path. A symbolic link at its end is not followed. */
  entry(path: string): PathEntry;
  /** The beginning of a regular file, executable or not: at most 64 KiB. */
  readProgram(path: string): FileText;
  /** An account by its name; `undefined`: there is none. */
  user(name: string): UserAccount | undefined;
  /** Number of a group by its name; `undefined`: there is none. */
  group(name: string): number | undefined;
}

export type FileText =
  | { readonly ok: true; readonly text: string }
  /** `errno`: a symbolic name such as ENOENT, EACCES, EISDIR. */
  | { readonly ok: false; readonly errno: string };

/** What the file system says of one path. */
export type PathEntry =
  | {
      readonly ok: true;
      readonly kind: "file" | "directory" | "link" | "other";
      readonly uid: number;
      readonly gid: number;
      /** Permissions with set-id and sticky bits, without the kind. */
      readonly mode: number;
      /** Of a link: where it points to, as it is written. */
      readonly target: string | undefined;
    }
  | { readonly ok: false; readonly errno: string };

export interface UserAccount {
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
  /** Every group of the user, the primary one included. */
  readonly groups: readonly number[];
}
