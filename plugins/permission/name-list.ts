import { globMatches } from "./glob.ts";
import type { PatternList } from "./pattern-list.ts";
import { bad, patternList } from "./pattern-list.ts";

/** What names of one kind look like. */
export interface NameForm {
  /** Keyword of the permission. */
  readonly permission: string;
  readonly example: string;
  readonly longest: number;
}

/**
 * A permission that lists names: of programs, of interfaces. In a grant `*` stands for any text; a
 * policy that writes it asks for all that it covers.
 */
export function nameList({ permission, example, longest }: NameForm): PatternList<string> {
  return patternList({
    permission,
    example,
    read: (text) =>
      text === "" || text.length > longest || /[/\s\p{Cc}]/u.test(text)
        ? bad(`is no name: 1 to ${longest} characters without spaces and slashes`)
        : { ok: true, pattern: text },
    covers: globMatches,
  });
}
