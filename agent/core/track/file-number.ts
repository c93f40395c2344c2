const LARGEST = 2_147_483_647;
const SMALLEST = -2_147_483_648;

/** White space, sign, then a hexadecimal, an octal or a decimal number. */
const NUMBER = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/;

/**
 * The number that a tracked file holds, as keepalived reads it: what comes after the number plays no
 * part, without one it is 0, and so it is without a file. `undefined`: no number of 32 bits; the one
 * from before goes on to count.
 */
export function fileNumber(content: string | undefined): number | undefined {
  const [, sign = "", digits = "0"] = NUMBER.exec(content ?? "") ?? [];
  const magnitude = /^0[0-7]/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  const value = sign === "-" && magnitude !== 0 ? -magnitude : magnitude;
  return value >= SMALLEST && value <= LARGEST ? value : undefined;
}
