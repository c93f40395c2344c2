/** What of PCRE2's options decides on the meaning of a pattern. */
export interface PcreOptions {
  caseless: boolean;
  multiline: boolean;
  dotall: boolean;
  extended: boolean;
  ungreedy: boolean;
  dollarEndOnly: boolean;
  utf: boolean;
  /** Plain groups capture nothing. */
  noCapture: boolean;
  /** `[]` is a class of nothing; else the bracket is its first character. */
  emptyClass: boolean;
  /** A reference to a group that is unset matches nothing at all, as in JavaScript. */
  unsetReference: boolean;
  /** `^` matches after a newline that ends the text too. */
  altCircumflex: boolean;
  /** Escapes as in JavaScript: \xhh, \uhhhh. */
  altEscapes: boolean;
}

export const noPcreOptions = (): PcreOptions => ({
  caseless: false,
  multiline: false,
  dotall: false,
  extended: false,
  ungreedy: false,
  dollarEndOnly: false,
  utf: false,
  noCapture: false,
  emptyClass: false,
  unsetReference: false,
  altCircumflex: false,
  altEscapes: false,
});

/** keepalived's 24 names. `undefined`: it changes nothing of what is matched; a text: why it cannot be kept. */
export const PCRE_OPTIONS: ReadonlyMap<
  string,
  { readonly sets: keyof PcreOptions } | { readonly refused: string } | undefined
> = new Map([
  ["allow_empty_class", { sets: "emptyClass" }],
  ["alt_bsux", { sets: "altEscapes" }],
  ["alt_circumflex", { sets: "altCircumflex" }],
  ["alt_verbnames", undefined],
  ["auto_callout", undefined],
  ["caseless", { sets: "caseless" }],
  ["dollar_endonly", { sets: "dollarEndOnly" }],
  ["dotall", { sets: "dotall" }],
  ["dupnames", undefined],
  ["extended", { sets: "extended" }],
  ["firstline", { refused: "a match in the first line only cannot be asked for" }],
  ["match_unset_backref", { sets: "unsetReference" }],
  ["multiline", { sets: "multiline" }],
  ["never_backslash_c", undefined],
  ["never_ucp", undefined],
  ["never_utf", undefined],
  ["no_auto_capture", { sets: "noCapture" }],
  ["no_auto_possess", undefined],
  ["no_dotstar_anchor", undefined],
  ["no_start_optimize", undefined],
  ["ucp", { refused: "\\d, \\s and \\w are of ASCII here; write \\p{L} and the like with utf" }],
  ["ungreedy", { sets: "ungreedy" }],
  ["use_offset_limit", undefined],
  ["utf", { sets: "utf" }],
]);
