import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import type { Node, Program } from "acorn";
import { parse } from "acorn";
import type { Position } from "../config/position.ts";

/** Where a node of JavaScript stands in the file that it was made of. */
export type PositionOf = (node: Node) => Position;

/** Parses JavaScript that esbuild wrote. */
export const parsed = (code: string): Program =>
  parse(code, { ecmaVersion: "latest", sourceType: "module", locations: true });

/**
 * Maps nodes back to their source.
 *
 * @param fileOf the file to show for a source of the map; `undefined` for what has no file
 */
export function positionsFrom(
  sourceMap: string,
  fileOf: (source: string) => string,
  fallback: Position,
): PositionOf {
  const map = new TraceMap(sourceMap);
  return (node) => {
    const start = node.loc?.start;
    if (start === undefined) return fallback;
    const found = originalPositionFor(map, start);
    if (found.source === null) return fallback;
    return { file: fileOf(found.source), line: found.line, column: found.column + 1 };
  };
}

/** Every node below one, itself first. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* nodesOf(child);
    }
  }
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
