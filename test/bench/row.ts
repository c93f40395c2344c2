/** One line of the table of results. */
export interface Row {
  readonly what: string;
  readonly holdfast: string;
  readonly keepalived: string;
  /** Holdfast's figure over keepalived's, where both are one number. */
  readonly ratio?: number | undefined;
  readonly aim: string;
  readonly met: boolean;
}

/** A group of rows that one set-up gives, with what there is to say about all of them. */
export interface Section {
  readonly title: string;
  /** How it was measured, in sentences. */
  readonly method: string;
  readonly rows: readonly Row[];
}

export const ms = (seconds: number, digits = 1): string =>
  `${(seconds * 1_000).toFixed(digits)} ms`;
