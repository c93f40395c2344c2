/** Bytes of which single hexadecimal digits may be anything. */
export interface ReplyPattern {
  readonly values: Uint8Array;
  /** Set bits are compared. */
  readonly masks: Uint8Array;
}

/** From hexadecimal digits and `x`, two for a byte; `undefined` for anything else. */
export function parseReplyPattern(text: string): ReplyPattern | undefined {
  if (!/^(?:[0-9a-fx]{2})*$/i.test(text)) return undefined;
  const bytes = (digit: (character: string) => string): Uint8Array =>
    Uint8Array.from(Buffer.from(text.replace(/./g, digit), "hex"));
  const isAny = (character: string): boolean => character === "x" || character === "X";
  return {
    values: bytes((character) => (isAny(character) ? "0" : character)),
    masks: bytes((character) => (isAny(character) ? "0" : "f")),
  };
}

/** Whether it begins so; more may follow. */
export function fitsPattern({ values, masks }: ReplyPattern, reply: Uint8Array): boolean {
  if (reply.length < values.length) return false;
  return values.every((value, at) => ((reply[at] ?? 0) & (masks[at] ?? 0)) === value);
}
