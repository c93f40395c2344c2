import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PcreOptions } from "../../../agent/config/keepalived/lower/virtual-server/pcre-options.ts";
import {
  noPcreOptions,
  PCRE_OPTIONS,
} from "../../../agent/config/keepalived/lower/virtual-server/pcre-options.ts";
import { translatePattern } from "../../../agent/config/keepalived/lower/virtual-server/pcre-pattern.ts";

/** The options of these names. */
function optionsOf(names: string): PcreOptions {
  const options = noPcreOptions();
  for (const name of names.split(" ").filter((each) => each !== "")) {
    const option = PCRE_OPTIONS.get(name);
    if (option !== undefined && "sets" in option) options[option.sets] = true;
  }
  return options;
}

/** As a body is matched: in characters with `u`, else in bytes. */
function matched(pattern: string, names: string, body: string): string | undefined {
  const translated = translatePattern(pattern, optionsOf(names));
  assert.ok(translated.ok, `${pattern}: ${translated.ok ? "" : translated.reason}`);
  const { flags } = translated;
  const text = flags.includes("u") ? body : Buffer.from(body).toString("latin1");
  return new RegExp(translated.pattern, flags).exec(text)?.[0];
}

/** What PCRE2 10.42 finds first with a pattern, options and a text; `undefined`: nothing. */
const ROWS: readonly (readonly [
  pattern: string,
  options: string,
  body: string,
  found: string | undefined,
])[] = [
  ["ok", "", "all ok", "ok"],
  ["OK", "caseless", "all ok", "ok"],
  ["(?i)OK", "", "all ok", "ok"],
  ["a.c", "", "a\nc", undefined],
  ["a.c", "", "a\rc", "a\rc"],
  ["a.c", "dotall", "a\nc", "a\nc"],
  ["ok$", "", "ok\n", "ok"],
  ["ok$", "dollar_endonly", "ok\n", undefined],
  ["ok$", "", "ok\nmore", undefined],
  ["ok$", "multiline", "ok\nmore", "ok"],
  ["^more", "", "ok\nmore", undefined],
  ["^more", "multiline", "ok\nmore", "more"],
  ["^more", "multiline", "ok\rmore", undefined],
  ["\\Aok\\Z", "", "ok\n", "ok"],
  ["ok\\z", "", "ok\n", undefined],
  ["a b # remark\n c", "extended", "abc", "abc"],
  ["a(?#remark)b", "", "ab", "ab"],
  ["a+", "ungreedy", "aaa", "a"],
  ["a+?", "ungreedy", "aaa", "aaa"],
  ["a+?", "", "aaa", "a"],
  ["a{2}", "", "aaa", "aa"],
  ["a{x", "", "a{x", "a{x"],
  ["[]a]+", "", "]a", "]a"],
  ["[^]a]+", "", "]ab", "b"],
  ["[[:digit:]x]+", "", "a12x", "12x"],
  ["[a\\]b]+", "", "]ab", "]ab"],
  ["[[]", "", "[", "["],
  ["\\s", "", "a\u00a0b", undefined],
  ["a\\sb", "", "a\tb", "a\tb"],
  ["[\\S]+", "", " ab ", "ab"],
  ["\\x41\\x{42}\\103", "", "ABC", "ABC"],
  ["\\Qa.b\\E.", "", "a.bc", "a.bc"],
  ["\\/status\\-\\.", "", "/status-.", "/status-."],
  ["é+", "", "éé", "\u00c3\u00a9"],
  ["é+", "utf", "éé", "éé"],
  ["É", "utf caseless", "é", "é"],
  ["\\p{L}+", "utf", "1é2", "é"],
  ["\\pL+", "utf", "1é2", "é"],
  ["(?<year>\\d+)", "", "in 2026", "2026"],
  ["(?P<year>\\d+)", "", "in 2026", "2026"],
  ["(a)|b\\1", "match_unset_backref", "b", "b"],
  ["(?<=a)b(?!c)", "", "abc ab", "b"],
  ["\\N+", "", "a\nb", "a"],
  ["\\h\\v", "", "a \nb", " \n"],
  ["\\cA\\a\\e", "", "\x01\x07\x1b", "\x01\x07\x1b"],
  ["", "", "x", ""],
];

const REFUSED: readonly (readonly [pattern: string, options: string, reason: RegExp])[] = [
  ["a++", "", /possessive/],
  ["(?>a)", "", /\(\?>/],
  ["(?R)", "", /\(\?R/],
  ["(*COMMIT)a", "", /\(\*C/],
  ["a(?i)b", "", /\(\?i/],
  ["(a)\\1", "", /match_unset_backref/],
  ["\\Ka", "", /\\K/],
  ["\\R", "", /\\R/],
  ["\\pL", "", /utf/],
  ["é", "caseless", /utf/],
  ["\\x{100}", "", /utf/],
  ["[a", "", /class/],
  ["(a", "", /no pattern/],
  ["a{2,1}", "", /no pattern/],
  ["[[:^alpha:]]", "", /alpha/],
];

describe("patterns of PCRE2", () => {
  for (const [pattern, options, body, found] of ROWS) {
    test(`${JSON.stringify(pattern)} ${options} in ${JSON.stringify(body)}`, () => {
      assert.equal(matched(pattern, options, body), found);
    });
  }

  for (const [pattern, options, reason] of REFUSED) {
    test(`${JSON.stringify(pattern)} ${options} is refused`, () => {
      const translated = translatePattern(pattern, optionsOf(options));
      assert.match(translated.ok ? "" : translated.reason, reason);
    });
  }

  test("bytes mean themselves, whatever they are", () => {
    for (let code = 1; code < 128; code += 1) {
      const character = String.fromCharCode(code);
      const escaped = /\w/.test(character) ? character : `\\${character}`;
      assert.equal(matched(escaped, "", character), character);
      const inClass = /\w/.test(character) ? `[${character}]` : `[\\${character}]`;
      assert.equal(matched(inClass, "", character), character);
    }
  });
});
