/** The host refused: a missing permission, feature or device. The remedy is what to do next. */
export class KernelError extends Error {
  override readonly name = "KernelError";
  readonly code: string;
  readonly remedy: string;
  /** Only just now: it says nothing of what the host can do. */
  readonly passing: boolean;

  constructor(code: string, message: string, remedy: string, passing = false) {
    super(message);
    this.code = code;
    this.remedy = remedy;
    this.passing = passing;
  }
}
