/** Digits of the largest number of 64 bits. */
const DIGITS = 20;

/** Numbers of a store as text that compares as they do. */
export const epochOf = (...numbers: readonly (bigint | number | string)[]): string =>
  numbers.map((number) => String(number).padStart(DIGITS, "0")).join(".");
