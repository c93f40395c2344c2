/** What is told of a body, in bytes. */
export const MOST_BODY_BYTES = 262_144;
/** What a body may take as JSON: control characters take six times their length. */
const MOST_JSON = 480_000;

/** The body as UTF-8, cut where it is too long; wrong bytes become U+FFFD. */
export function textWithin(chunks: readonly Buffer[]): {
  readonly text: string;
  readonly truncated: boolean;
} {
  const [only] = chunks;
  if (only === undefined) return { text: "", truncated: false };
  const bytes = chunks.length === 1 ? only : Buffer.concat(chunks);
  const cut = bytes.length > MOST_BODY_BYTES;
  // As a stream, a character that the cut splits is left out.
  const text = cut
    ? new TextDecoder().decode(bytes.subarray(0, MOST_BODY_BYTES), { stream: true })
    : bytes.toString("utf8");
  const fitting = asJsonWithin(text);
  return { text: fitting, truncated: cut || fitting.length < text.length };
}

function asJsonWithin(text: string): string {
  // The usual case needs no measuring.
  if (text.length * 6 <= MOST_JSON) return text;
  let fitting = text;
  for (;;) {
    const size = Buffer.byteLength(JSON.stringify(fitting));
    if (size <= MOST_JSON) return fitting;
    fitting = fitting.slice(0, Math.floor((fitting.length * MOST_JSON) / size) - 1);
  }
}
