/** Groups that are to be gone when this process is. */
const mortal = new Set<ProcessGroup>();
let guarded = false;

/** A process group that this process started: its leader is its own child and began a session. */
export class ProcessGroup {
  readonly #id: number;
  #gone = false;
  #killTimer: NodeJS.Timeout | undefined;

  /** `mortal`: it gets SIGKILL when this process exits before `release`. */
  constructor(leader: number, { mortal: dies }: { readonly mortal: boolean }) {
    this.#id = leader;
    if (!dies) return;
    mortal.add(this);
    if (guarded) return;
    guarded = true;
    process.on("exit", () => {
      for (const group of mortal) group.signal("SIGKILL");
    });
  }

  /** Whether anybody is left in it. */
  get populated(): boolean {
    return this.signal(0);
  }

  /**
   * Answers whether there was anybody to hear. Once there was nobody, nothing is sent any more: the
   * number may belong to another then. While a member lives, the kernel does not give it anew.
   */
  signal(signal: "SIGTERM" | "SIGKILL" | 0): boolean {
    if (this.#gone) return false;
    try {
      process.kill(-this.#id, signal);
    } catch (error) {
      // EPERM: they are there, as somebody whom we may not signal.
      this.#gone = !(error instanceof Error && "code" in error && error.code === "EPERM");
    }
    return !this.#gone;
  }

  /** SIGTERM, and SIGKILL for those that are left after `graceMs`; then `done`. */
  end(graceMs: number, done: () => void): void {
    if (this.#killTimer !== undefined) return;
    this.signal("SIGTERM");
    this.#killTimer = setTimeout(() => {
      this.signal("SIGKILL");
      done();
    }, graceMs);
  }

  /** No more signals will be needed. */
  release(): void {
    clearTimeout(this.#killTimer);
    mortal.delete(this);
  }
}
