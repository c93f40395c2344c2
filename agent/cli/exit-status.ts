/** What the commands end with. One table, so that scripts can rely on it. */
export const EXIT = {
  ok: 0,
  /** `check --strict`: warnings. Elsewhere: the command could not do its work. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  refused: 2,
} as const;

/** keepalived's -t. */
export const CONFIG_TEST_EXIT = {
  ok: 0,
  /** It would not run. */
  refused: 4,
  /** It would run, but not with all that was written. */
  ignored: 5,
  /** A script is not safe to run. */
  scriptSecurity: 6,
} as const;
