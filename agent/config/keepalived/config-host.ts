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
}

export type FileText =
  | { readonly ok: true; readonly text: string }
  /** `errno`: a symbolic name such as ENOENT, EACCES, EISDIR. */
  | { readonly ok: false; readonly errno: string };
