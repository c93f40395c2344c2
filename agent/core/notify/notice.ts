/** What a plain value of JSON is. */
export type NoticeData =
  | null
  | boolean
  | number
  | string
  | readonly NoticeData[]
  | { readonly [key: string]: NoticeData };

/** Where a notice goes. Equal targets are served in order, one after another. */
export type NoticeTarget =
  | { readonly kind: "mail"; readonly to: readonly string[]; readonly from: string | undefined }
  /** `url` may refer to secrets (`${secret:name}`), which are put in when it is sent. */
  | {
      readonly kind: "webhook";
      readonly preset: string;
      readonly url: string;
    }
  | { readonly kind: "syslog" };

export type Severity = "info" | "warning" | "critical" | "resolved";

/** One thing to be told. Plain JSON: it waits on disk. */
export interface Notice {
  readonly target: NoticeTarget;
  /** Who wants it told: `policy nginx`, `keepalived.conf`. */
  readonly source: string;
  readonly title: string;
  readonly text: string;
  readonly severity: Severity;
  /** For a webhook without preset: the body as it stands. */
  readonly json: NoticeData | undefined;
  /** Notices of one target and key within `throttleMs` are told once, and the others counted. */
  readonly key: string;
  readonly throttleMs: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
}
