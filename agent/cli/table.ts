/** A cell, and how it is emphasised once its width is known. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

const GAP = "  ";

/**
 * Aligns rows under a heading. A text of several lines makes its row as high. The last column is not
 * padded; a column without any text is left out.
 */
export function table(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  paintHeading: (text: string) => string = (text) => text,
): readonly string[] {
  const used = heading.map((_, column) => rows.some((row) => (row[column]?.text ?? "") !== ""));
  const widths = heading.map((title, column) =>
    Math.max(
      textWidth(title),
      ...rows.flatMap((row) => (row[column]?.text ?? "").split("\n").map(textWidth)),
    ),
  );
  const line = (cells: readonly Cell[]): string =>
    cells
      .flatMap((cell, column) => (used[column] ? [padded(cell, widths[column] ?? 0)] : []))
      .join(GAP)
      .trimEnd();
  const head = line(heading.map((title) => ({ text: title, paint: paintHeading })));
  return [head, ...rows.flatMap((row) => heights(row).map(line))];
}

/** A row of cells with line breaks, as rows of cells without. */
function heights(row: readonly Cell[]): readonly (readonly Cell[])[] {
  const split = row.map((cell) => cell.text.split("\n"));
  const height = Math.max(...split.map((lines) => lines.length));
  return Array.from({ length: height }, (_, index) =>
    row.map((cell, column) => ({ ...cell, text: split[column]?.[index] ?? "" })),
  );
}

function padded(cell: Cell, width: number): string {
  const text = cell.paint === undefined ? cell.text : cell.paint(cell.text);
  return text + " ".repeat(Math.max(0, width - textWidth(cell.text)));
}

/** Terminal columns, near enough: East Asian wide characters take two. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : 1;
  return width;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
