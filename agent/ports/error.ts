/** The host refused: a missing permission, feature or device. The remedy is what to do next. */
export class KernelError extends Error {
  override readonly name = "KernelError";
  readonly code: string;
  readonly remedy: string;

  constructor(code: string, message: string, remedy: string) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}
