/** A short list as a table that is in the document as a whole: what is never more than some hundred lines. */
import { useRef, type ReactNode } from "react";
import "../styles/short-table.css";
import { useLineKeys } from "./keys.ts";

export interface ShortColumn<Row> {
  readonly name: string;
  readonly isNumber?: true;
  /** Text of it goes on in a next line rather than out of sight. */
  readonly isLong?: true;
  readonly cell: (row: Row) => ReactNode;
}

interface ShortTableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly ShortColumn<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly selected?: string | undefined;
  readonly empty?: ReactNode;
}

export function ShortTable<Row>({ label, rows, columns, keyOf, selected, empty }: ShortTableProps<Row>) {
  const body = useRef<HTMLTableSectionElement>(null);
  useLineKeys(body);
  if (rows.length === 0) return <div className="empty">{empty}</div>;
  return (
    <table className="short-table" aria-label={label}>
      <thead>
        <tr>
          {columns.map(({ name, isNumber }) => (
            <th key={name} scope="col" className={isNumber ? "number" : undefined}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {rows.map((row) => {
          const key = keyOf(row);
          return (
            <tr key={key} className={key === selected ? "selected" : undefined} tabIndex={-1} data-keys="">
              {columns.map(({ name, isNumber, isLong, cell }) => (
                <td key={name} className={isNumber ? "number" : isLong ? "long" : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
