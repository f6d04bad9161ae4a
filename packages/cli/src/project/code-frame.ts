export interface CodeFrameOptions {
  readonly line: number;
  /** From 1. */
  readonly column?: number;
  /** How many characters are underlined. */
  readonly length?: number;
  /** Lines shown before and after. */
  readonly around?: number;
}

const lineWidthMax = 160;

/** The lines of `text` around a place, numbered, with a caret below it. Empty when the line is not there. */
export function codeFrame(text: string, options: CodeFrameOptions): string {
  const around = options.around ?? 2;
  const lines = text.split(/\r?\n/);
  if (options.line < 1 || options.line > lines.length) return "";
  const first = Math.max(1, options.line - around);
  const last = Math.min(lines.length, options.line + around);
  const width = String(last).length;
  const rows: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const line = (lines[number - 1] ?? "").replaceAll("\t", " ").slice(0, lineWidthMax);
    const mark = number === options.line ? ">" : " ";
    rows.push(`${mark} ${String(number).padStart(width)} | ${line}`.trimEnd());
    if (number === options.line && options.column !== undefined && options.column <= line.length + 1) {
      const room = Math.max(1, line.length - options.column + 1);
      const carets = "^".repeat(Math.min(Math.max(1, options.length ?? 1), room));
      rows.push(`  ${" ".repeat(width)} | ${" ".repeat(options.column - 1)}${carets}`);
    }
  }
  return rows.join("\n");
}
