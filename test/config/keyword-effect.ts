/** What a keyword that works does, and what shows it. */
export type KeywordEffect =
  /** It becomes a value of the configuration, which the agent's code looks at. */
  | { readonly by: "value"; readonly values: readonly string[]; readonly proof: Proof }
  /** It changes how the file is read, in this source file. */
  | { readonly by: "reading"; readonly source: string; readonly proof: Proof }
  /** What it asks for is so in any case. */
  | { readonly by: "always"; readonly why: string; readonly proof: Proof };

/** A test file below test/, and words that its test has; the keyword itself where left out. */
export type Proof = readonly [file: string, words?: string];

export const value = (values: string, proof: Proof): KeywordEffect => ({
  by: "value",
  values: values.split(" "),
  proof,
});
export const reading = (source: string, proof: Proof): KeywordEffect => ({
  by: "reading",
  source,
  proof,
});
export const always = (why: string, proof: Proof): KeywordEffect => ({ by: "always", why, proof });
