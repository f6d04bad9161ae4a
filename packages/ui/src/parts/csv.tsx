/** What a chart or list shows, as a file that tables are read from. */
import { Download } from "./download.tsx";

export type CsvRow = readonly (string | number | undefined)[];

/** RFC 4180; what a spreadsheet would take for a formula is told to be text. */
export function csvText(header: readonly string[], rows: readonly CsvRow[]): string {
  return [header, ...rows].map((row) => `${row.map(cellText).join(",")}\r\n`).join("");
}

function cellText(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

interface CsvProps {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly header: readonly string[];
  readonly rows: () => readonly CsvRow[];
}

export function Csv({ name, header, rows }: CsvProps) {
  return (
    <Download name={`${name}.csv`} type="text/csv" text={() => csvText(header, rows())}>
      CSV
    </Download>
  );
}
