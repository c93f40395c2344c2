/**
 * One's-complement sum of 16-bit words over `bytes[start, end)`, added to `sum` and not yet folded.
 * Parts may be summed one after another as long as only the last has an odd length. RFC 1071 §1.
 */
export function sumOf(bytes: Uint8Array, sum = 0, start = 0, end: number = bytes.length): number {
  let total = sum;
  let at = start;
  for (; at + 1 < end; at += 2) total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (at < end) total += (bytes[at] ?? 0) << 8;
  return total;
}

/** The sum folded to 16 bits. 0xffff: the summed bytes, with their checksum, are intact. */
export function foldSum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return folded;
}

/** The Internet checksum of what was summed with the checksum field zero. RFC 1071. */
export const checksumOf = (sum: number): number => ~foldSum(sum) & 0xffff;

/**
 * Sum of the pseudo-header in front of an upper-layer message of `length` bytes. The IPv4 (RFC 5798
 * §5.2.8, RFC 793) and the IPv6 (RFC 8200 §8.1) layouts differ, but their sums are the same.
 */
export function pseudoHeaderSum(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): number {
  return sumOf(destination, sumOf(source)) + protocol + (length >>> 16) + (length & 0xffff);
}
