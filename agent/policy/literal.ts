import type { AnyNode, ObjectExpression, Property, SpreadElement } from "acorn";
import type { Json } from "../../sdk/index.ts";

/** Says that a node is no literal. */
export type RefuseNode = (node: AnyNode, message: string, hint: string) => void;

/** Takes note of where a part stands. */
export type PlaceNode = (path: readonly string[], node: AnyNode) => void;

/** What a literal is read with. */
export interface LiteralReader {
  readonly refuse: RefuseNode;
  readonly place: PlaceNode;
}

const WRITE_OUT = "write it out here: it is read without running the policy";

/**
 * Reads plain data out of source: literals, arrays, objects and templates without expressions. Anything
 * that would have to be run is refused at its place, and the answer is then `undefined`.
 */
export function readLiteral(
  node: AnyNode,
  path: readonly string[],
  reader: LiteralReader,
): Json | undefined {
  reader.place(path, node);
  switch (node.type) {
    case "Literal":
      if (isPlain(node.value) && node.raw !== undefined) return node.value;
      break;
    case "TemplateLiteral": {
      const [quasi] = node.quasis;
      if (node.expressions.length === 0 && typeof quasi?.value.cooked === "string") {
        return quasi.value.cooked;
      }
      break;
    }
    case "UnaryExpression":
      if (node.operator === "-" && node.argument.type === "Literal") {
        const { value } = node.argument;
        if (typeof value === "number") return -value;
      }
      break;
    case "ArrayExpression":
      return readArray(node.elements, path, reader);
    case "ObjectExpression":
      return readObject(node, path, reader);
    default:
  }
  reader.refuse(node, `${path.join(".")} is computed`, WRITE_OUT);
  return undefined;
}

const isPlain = (value: unknown): value is string | number | boolean | null =>
  value === null ||
  typeof value === "string" ||
  typeof value === "boolean" ||
  (typeof value === "number" && Number.isFinite(value));

function readArray(
  elements: readonly (AnyNode | null)[],
  path: readonly string[],
  reader: LiteralReader,
): Json | undefined {
  const values: Json[] = [];
  for (const [index, element] of elements.entries()) {
    const value = element === null ? null : readLiteral(element, [...path, String(index)], reader);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

function readObject(
  node: ObjectExpression,
  path: readonly string[],
  reader: LiteralReader,
): Json | undefined {
  const entries = new Map<string, Json>();
  for (const property of node.properties) {
    const name = nameOf(property);
    if (name === undefined || property.type !== "Property") {
      reader.refuse(property, `a part of ${path.join(".")} is computed`, WRITE_OUT);
      return undefined;
    }
    if (entries.has(name)) {
      reader.refuse(property, `${name} stands twice in ${path.join(".")}`, "keep one of them");
      return undefined;
    }
    const inner = [...path, name];
    const value = readLiteral(property.value, inner, reader);
    if (value === undefined) return undefined;
    reader.place(inner, property);
    entries.set(name, value);
  }
  return Object.fromEntries(entries);
}

/** A property's name where it can be known; `undefined` for spreads, getters, methods and `[…]`. */
export function nameOf(property: Property | SpreadElement): string | undefined {
  if (property.type !== "Property" || property.computed || property.kind !== "init")
    return undefined;
  const { key } = property;
  if (key.type === "Identifier") return key.name === "__proto__" ? undefined : key.name;
  if (key.type !== "Literal") return undefined;
  const name = String(key.value);
  return name === "__proto__" ? undefined : name;
}

/** Takes note of where the parts of an object stand, as far as their names are written out. */
export function placeParts(node: AnyNode, path: readonly string[], place: PlaceNode): void {
  if (node.type !== "ObjectExpression") return;
  for (const property of node.properties) {
    const name = nameOf(property);
    if (name === undefined || property.type !== "Property") continue;
    place([...path, name], property);
    placeParts(property.value, [...path, name], place);
  }
}
