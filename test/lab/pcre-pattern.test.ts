import assert from "node:assert/strict";
import { test } from "node:test";
import koffi from "koffi";
import type { PcreOptions } from "../../agent/config/keepalived/lower/virtual-server/pcre-options.ts";
import {
  noPcreOptions,
  PCRE_OPTIONS,
} from "../../agent/config/keepalived/lower/virtual-server/pcre-options.ts";
import { translatePattern } from "../../agent/config/keepalived/lower/virtual-server/pcre-pattern.ts";

/*
 * Patterns put together at random, matched by the library that keepalived uses and by JavaScript as they
 * are translated: both must find the same, wherever the translation does not refuse.
 */

/** PCRE2_… bits of options, by keepalived's names. */
const BITS: Readonly<Record<string, number>> = {
  allow_empty_class: 0x1,
  alt_bsux: 0x2,
  caseless: 0x8,
  dollar_endonly: 0x10,
  dotall: 0x20,
  extended: 0x80,
  match_unset_backref: 0x200,
  multiline: 0x400,
  no_auto_capture: 0x2000,
  ungreedy: 0x4_0000,
  utf: 0x8_0000,
  alt_circumflex: 0x20_0000,
};

function openLibrary() {
  const library = koffi.load("libpcre2-8.so.0");
  return {
    compile: library.func(
      "void *pcre2_compile_8(const uint8_t *, size_t, uint32_t, _Out_ int *, _Out_ size_t *, void *)",
    ),
    room: library.func("void *pcre2_match_data_create_from_pattern_8(void *, void *)"),
    match: library.func(
      "int pcre2_match_8(void *, const uint8_t *, size_t, size_t, uint32_t, void *, void *)",
    ),
    vector: library.func("void *pcre2_get_ovector_pointer_8(void *)"),
    freeRoom: library.func("void pcre2_match_data_free_8(void *)"),
    freeCode: library.func("void pcre2_code_free_8(void *)"),
  };
}

function libraryOrNone(): ReturnType<typeof openLibrary> | undefined {
  try {
    return openLibrary();
  } catch {
    return undefined;
  }
}

const library = libraryOrNone();

/** What the library finds in each text; `undefined`: it does not take the pattern. */
function theirs(pattern: string, names: readonly string[], texts: readonly Buffer[]) {
  assert.ok(library !== undefined);
  const bytes = Buffer.from(pattern);
  const bits = names.reduce((sum, name) => sum | (BITS[name] ?? 0), 0);
  const code = library.compile(bytes, bytes.length, bits, [0], [0], null);
  if (code === null) return undefined;
  const room = library.room(code, null);
  const found = texts.map((text) => {
    const status: number = library.match(code, text, text.length, 0, 0, room, null);
    if (status < 0) return undefined;
    const [from, to] = koffi.decode(library.vector(room), "size_t", 2) as readonly number[];
    return text.subarray(Number(from), Number(to)).toString("latin1");
  });
  library.freeRoom(room);
  library.freeCode(code);
  return found;
}

function optionsOf(names: readonly string[]): PcreOptions {
  const options = noPcreOptions();
  for (const name of names) {
    const option = PCRE_OPTIONS.get(name);
    if (option !== undefined && "sets" in option) options[option.sets] = true;
  }
  return options;
}

function ours(pattern: string, flags: string, text: Buffer): string | undefined {
  const unicode = flags.includes("u");
  const found = new RegExp(pattern, flags).exec(text.toString(unicode ? "utf8" : "latin1"))?.[0];
  return found === undefined || !unicode ? found : Buffer.from(found).toString("latin1");
}

const PARTS: readonly string[] = [
  ..."ab.^$()|*+? #-]{}é",
  ..."\\n \\s \\S \\d \\b \\B \\h \\v \\H \\V \\N \\w \\W \\A \\z \\Z \\. \\x62 \\101 \\e \\0 \\1".split(
    " ",
  ),
  ..."[ab] [^a] [\\s] [^\\S] []a] [[:alpha:]] [\\h-b] [a-] [é]".split(" "),
  ..."(?: (?=a) (?!b) (?<=a) (?<n> ?? {1,2} a++ \\R \\K \\Qa.\\E (?i) (?s)".split(" "),
];
/** Without U+0085: PCRE2 takes \S? before \v for possessive, though both match that byte. */
const TEXTS: readonly Buffer[] = [
  ...["", "a", "ab\n", "a\nb", "\n", "aab ba\r\nb", "A.b", "é b", "a é\n\na", "b#a ]-{}"],
  ...["\u00a0x\u2028 a", "\x1b\t\va", "ÉéàA\x00"],
].map((text) => Buffer.from(text));

/** Numbers from 0 to below 1, the same in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const skip = library === undefined ? "needs libpcre2-8" : false;

test("a translated pattern finds what PCRE2 finds", { skip, timeout: 60_000 }, () => {
  const next = numbers(1);
  const pick = <Value>(values: readonly Value[]): Value => {
    const value = values[Math.floor(next() * values.length)];
    assert.ok(value !== undefined);
    return value;
  };
  let compared = 0;
  for (let run = 0; run < 20_000; run += 1) {
    const pattern = Array.from({ length: 1 + Math.floor(next() * 6) }, () => pick(PARTS)).join("");
    const names = Object.keys(BITS).filter(() => next() < 0.15);
    const translated = translatePattern(pattern, optionsOf(names));
    if (!translated.ok) continue;
    const found = theirs(pattern, names, TEXTS);
    if (found === undefined) continue;
    const own = TEXTS.map((text) => ours(translated.pattern, translated.flags, text));
    assert.deepEqual(own, found, `${JSON.stringify(pattern)} ${names.join(" ")}`);
    compared += 1;
  }
  assert.ok(compared > 5_000, `${compared} compared`);
});
