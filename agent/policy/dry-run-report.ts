/** One look of each check, and of `balance`, at the real host: `holdfast policy run --json`. */
export interface DryRunReport {
  readonly policy: string;
  /** Why it does not run; empty when it does. */
  readonly problems: readonly string[];
  readonly checks: readonly {
    /** `alive`; of `balance`: `balance SERVICE`. */
    readonly name: string;
    /** `failed`: it threw, took too long, or answered nonsense; a policy that runs counts it as bad. */
    readonly result: "good" | "bad" | "skipped" | "failed";
    readonly reason: string;
    readonly milliseconds: number;
  }[];
  /** What it would do to routers. */
  readonly claims: readonly {
    readonly router: string;
    /** `policy nginx/alive`, or `policy nginx` for what it said in passing. */
    readonly source: string;
    /** Added to the priority; `null`: the router would be in fault. */
    readonly weight: number | null;
    readonly reason: string;
  }[];
  /** The weights that it would give real servers. */
  readonly weights: readonly {
    readonly service: string;
    /** `10.0.0.1:80`. */
    readonly server: string;
    readonly weight: number;
    /** As configured. */
    readonly configured: number;
  }[];
  /** What it would tell, and what it said; none of it was sent. */
  readonly said: readonly {
    readonly kind: "mail" | "webhook" | "syslog" | "log" | "metric";
    /** Whom it is for, the level, or the name of the series. */
    readonly to: string;
    readonly text: string;
  }[];
  /** Lines for its grants in holdfast.conf: what it asks for and would not have there. */
  readonly ungranted: readonly string[];
}
