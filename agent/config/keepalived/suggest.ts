/** Longest word for which a correction is sought. */
const longestWord = 64;

/**
 * The candidate nearest to a word, or `undefined` when none is near: letters of either case count
 * as equal, and one slip is allowed for every three letters.
 */
export function nearest(word: string, candidates: Iterable<string>): Suggestion | undefined {
  if (word.length > longestWord) return undefined;
  const wanted = word.toLowerCase();
  let bound = Math.min(3, Math.max(1, Math.floor(wanted.length / 3)));
  let found: Suggestion | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), bound);
    if (distance > bound) continue;
    found = { word: candidate, distance };
    if (distance === 0) break;
    bound = distance - 1;
  }
  return found;
}

export interface Suggestion {
  readonly word: string;
  readonly distance: number;
}

/**
 * Damerau–Levenshtein distance (insertions, deletions, substitutions, neighbours swapped); any
 * number above `bound` once it is known to be larger.
 */
export function editDistance(a: string, b: string, bound: number): number {
  if (Math.abs(a.length - b.length) > bound) return bound + 1;
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = nextRow(a, b, i, row, before);
    if (Math.min(...next) > bound) return bound + 1;
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Distances of the first `i` letters of `a` from every beginning of `b`. */
function nextRow(
  a: string,
  b: string,
  i: number,
  row: readonly number[],
  before: readonly number[],
): readonly number[] {
  const next = [i];
  for (let j = 1; j <= b.length; j += 1) {
    const same = a[i - 1] === b[j - 1];
    const edited = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    const kept = (row[j - 1] ?? 0) + (same ? 0 : 1);
    const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
    next.push(Math.min(edited, kept, swapped ? (before[j - 2] ?? 0) + 1 : kept));
  }
  return next;
}
