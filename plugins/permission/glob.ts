/**
 * Whether `pattern`, in which `*` stands for any text, fits `text` as a whole. A `*` in the text is
 * fitted by a `*` only: so a pattern can be held against a narrower one. Takes time in proportion to
 * the product of both lengths at most.
 */
export function globMatches(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resumeAt = 0;
  for (let index = 0; index < text.length; ) {
    if (pattern[at] === "*") {
      star = at;
      at += 1;
      resumeAt = index;
    } else if (pattern[at] === text[index]) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      resumeAt += 1;
      index = resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
