type Cell = string | number | null;

/** A table for people: numbers to the right, words to the left, null as a dash. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(text))];
  const widths = head.map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? "").length)),
  );
  const isNumber = head.map((_, column) =>
    rows.every((row) => typeof row[column] !== "string" || row[column] === ""),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumber[column] === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(head), rule, ...cells.slice(1).map(line)].join("\n");
}

function text(cell: Cell): string {
  if (cell === null) return "-";
  if (typeof cell === "string") return cell;
  if (Math.abs(cell) >= 1000) return Math.round(cell).toLocaleString("en");
  return String(Number(cell.toPrecision(3)));
}
