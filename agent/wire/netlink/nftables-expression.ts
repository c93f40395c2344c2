import type { BodyWriter } from "./attribute.ts";
import {
  COMPARE,
  DATA,
  EXPRESSION,
  IMMEDIATE,
  LOOKUP,
  LOOKUP_FLAG,
  META,
  META_KEY,
  OPERATOR,
  PAYLOAD,
  PAYLOAD_BASE,
  VERDICT,
  VERDICT_CODE,
  VERDICT_REGISTER,
} from "./nftables-numbers.ts";

/** One step of a rule. Registers: 1–4 hold 16 bytes each, 8–23 are the same in words of four. */
export type Expression =
  | { readonly kind: "meta"; readonly key: keyof typeof META_KEY; readonly to: number }
  | {
      readonly kind: "payload";
      readonly base: keyof typeof PAYLOAD_BASE;
      /** Bytes. */
      readonly offset: number;
      readonly length: number;
      readonly to: number;
    }
  | {
      readonly kind: "compare";
      readonly from: number;
      readonly operator: keyof typeof OPERATOR;
      readonly value: Uint8Array;
    }
  | {
      readonly kind: "lookup";
      readonly from: number;
      readonly set: string;
      /** Goes on where it is not in the set. */
      readonly inverted?: boolean;
    }
  | { readonly kind: "verdict"; readonly verdict: keyof typeof VERDICT };

const KERNEL_NAME: Readonly<Record<Expression["kind"], string>> = {
  meta: "meta",
  payload: "payload",
  compare: "cmp",
  lookup: "lookup",
  verdict: "immediate",
};

/** Writes NFTA_EXPR_NAME and NFTA_EXPR_DATA. */
export function writeExpression(writer: BodyWriter, expression: Expression): void {
  writer
    .attributeText(EXPRESSION.name, KERNEL_NAME[expression.kind])
    .nested(EXPRESSION.data, (data) => writeData(data, expression));
}

function writeData(writer: BodyWriter, expression: Expression): void {
  switch (expression.kind) {
    case "meta":
      writer.attributeU32Network(META.key, META_KEY[expression.key]);
      writer.attributeU32Network(META.destination, expression.to);
      break;
    case "payload":
      writer.attributeU32Network(PAYLOAD.destination, expression.to);
      writer.attributeU32Network(PAYLOAD.base, PAYLOAD_BASE[expression.base]);
      writer.attributeU32Network(PAYLOAD.offset, expression.offset);
      writer.attributeU32Network(PAYLOAD.length, expression.length);
      break;
    case "compare":
      writer.attributeU32Network(COMPARE.source, expression.from);
      writer.attributeU32Network(COMPARE.operator, OPERATOR[expression.operator]);
      writer.nested(COMPARE.data, (data) => data.attributeBytes(DATA.value, expression.value));
      break;
    case "lookup":
      writer.attributeU32Network(LOOKUP.source, expression.from);
      writer.attributeText(LOOKUP.set, expression.set);
      if (expression.inverted === true) {
        writer.attributeU32Network(LOOKUP.flags, LOOKUP_FLAG.inverted);
      }
      break;
    case "verdict":
      writer.attributeU32Network(IMMEDIATE.destination, VERDICT_REGISTER);
      writer.nested(IMMEDIATE.data, (data) =>
        data.nested(DATA.verdict, (inside) =>
          inside.attributeU32Network(VERDICT_CODE, VERDICT[expression.verdict]),
        ),
      );
      break;
  }
}
