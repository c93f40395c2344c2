/** How one test in the guest ended: a line of JSON on the guest's stdout. */
export interface GuestResult {
  /** The file, the suites, the test. */
  readonly title: string;
  /** Why it was skipped. */
  readonly skipped: string | undefined;
  /** What it failed with. */
  readonly failure: string | undefined;
  /** What whoever reads the outcome is to know all the same. */
  readonly remark?: string;
}
