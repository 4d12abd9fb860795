import { styleText } from "node:util";
import { show } from "./text.js";

/** A column: its heading, and what of a row stands in it. */
export type Column<T> = readonly [heading: string, cell: (row: T) => unknown];

/** Where a table goes. */
export interface Terminal {
  /** Characters in a line; undefined where there is no end. */
  columns: number | undefined;
  colors: boolean;
}

const NARROW = 12;
const GAP = 2;

/** Rows under their headings; on a terminal too narrow, the widest columns give way. */
export function table<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  { columns: width, colors }: Terminal,
): string {
  const cells = rows.map((row) => columns.map(([, cell]) => show(cell(row))));
  const widths = columns.map(([heading], at) =>
    Math.max(heading.length, ...cells.map((line) => line[at]?.length ?? 0)),
  );
  if (width !== undefined) fit(widths, width - GAP * (widths.length - 1));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, at) => cut(text, widths[at] ?? 0).padEnd(widths[at] ?? 0))
      .join(" ".repeat(GAP))
      .trimEnd();
  const head = line(columns.map(([heading]) => heading));
  return [colors ? styleText("dim", head) : head, ...cells.map(line)].join("\n");
}

/** Names of fields before their values; what has no value is left out. */
export function fields(value: object): string {
  const given = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  const width = Math.max(0, ...given.map(([name]) => name.length));
  return given.map(([name, field]) => `${name.padEnd(width)}  ${show(field)}`).join("\n");
}

function fit(widths: number[], room: number): void {
  for (;;) {
    const over = widths.reduce((sum, width) => sum + width, 0) - room;
    const widest = Math.max(...widths);
    if (over <= 0 || widest <= NARROW) return;
    const at = widths.indexOf(widest);
    const next = Math.max(NARROW, ...widths.filter((width) => width < widest));
    widths[at] = Math.max(next, widest - over, NARROW);
    if (widths[at] === widest) widths[at] = widest - 1;
  }
}

const cut = (text: string, width: number) =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
