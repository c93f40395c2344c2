import type { Hostile } from "./hostile.ts";

const GIANT = "({ length: 2 ** 53 - 1 })";
const SPARSE = "const a = []; a.length = 2 ** 32 - 1;";

const stuck = (name: string, body: string): Hostile => ({
  name,
  body,
  ends: ["stuck", "interrupted", "out-of-memory"],
});

/** Loops inside of the engine's own functions: most never ask whether to stop. */
export const BUILTINS: readonly Hostile[] = [
  ...["indexOf", "includes", "lastIndexOf"].map((method) =>
    stuck(`${method} of a giant`, `Array.prototype.${method}.call(${GIANT}, 1)`),
  ),
  stuck("reverse of a giant", `Array.prototype.reverse.call(${GIANT})`),
  stuck("every of a giant", `Array.prototype.every.call(${GIANT}, Math.abs)`),
  stuck("forEach of a giant", `Array.prototype.forEach.call(${GIANT}, Math.abs)`),
  stuck("join of a giant", `Array.prototype.join.call(${GIANT})`),
  stuck("copyWithin of a giant", `Array.prototype.copyWithin.call(${GIANT}, 0, 1)`),
  stuck("unshift of a giant", "Array.prototype.unshift.call({ length: 2 ** 53 - 3 }, 1)"),
  stuck("splice of a giant", "Array.prototype.splice.call({ length: 2 ** 53 - 2 }, 0, 1)"),
  stuck(
    "concat of a giant",
    "[].concat({ length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true })",
  ),
  stuck("sort of a giant", `Array.prototype.sort.call(${GIANT})`),
  stuck("indexOf of a sparse array", `${SPARSE} a.indexOf(1)`),
  stuck("flat of a sparse array", `${SPARSE} a.flat()`),
  stuck("slice of a sparse array", `${SPARSE} a.slice(0, -1)`),
  stuck("sort of a sparse array", `${SPARSE} a.sort()`),
  stuck("join of a sparse array", `${SPARSE} a.join()`),
  stuck("toString of a sparse array", `${SPARSE} String(a)`),
  stuck(
    "a text in a text of nearly the same letters",
    "const t = 'a'.repeat(1e6); t.indexOf('a'.repeat(5e5) + 'b')",
  ),
  stuck(
    "split by nearly the same letters",
    "const t = 'a'.repeat(1e6); t.split('a'.repeat(5e5) + 'b')",
  ),
  stuck("normalize of combining marks", "('a' + '\\u0315\\u0316'.repeat(4e5)).normalize('NFD')"),
  stuck(
    "localeCompare of combining marks",
    "const t = 'a' + '\\u0315\\u0316'.repeat(4e5); t.localeCompare(t + 'b')",
  ),
  stuck("multiplication of giants", "let n = 3n ** 200000n; for (;;) n * n"),
  stuck("remainder of giants", "let n = 3n ** 400000n, m = 3n ** 200001n; for (;;) n % m"),
  stuck("sort of typed arrays", "const a = new Float64Array(3e5); for (;;) a.sort()"),
  stuck("JSON of a long list", "const a = new Array(3e5).fill(1); for (;;) JSON.stringify(a)"),
  stuck(
    "replaceAll that is quadratic",
    "const t = 'a'.repeat(1e6); for (;;) t.replaceAll('a'.repeat(5e5) + 'b', 'c')",
  ),
  stuck("text of a giant number", "for (;;) (3n ** 200000n).toString()"),
  stuck("fill of typed arrays", "const a = new Uint8Array(2e6); for (;;) a.fill(1)"),
  stuck("spread of a sparse array", "for (;;) [...new Array(1e5)]"),
];
