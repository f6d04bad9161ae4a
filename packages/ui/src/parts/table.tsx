/** A long list as lines of fixed height: only those that are seen are in the document. `j`, `k` and the arrows move, Enter opens. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type KeyboardEvent, type ReactNode } from "react";

export interface Column<Row> {
  readonly name: string;
  /** As a track of a grid: `120px`, `minmax(160px, 2fr)`. */
  readonly width: string;
  readonly isNumber?: true;
  /** In the header, in place of its name. */
  readonly head?: ReactNode;
  readonly cell: (row: Row) => ReactNode;
}

export interface TableProps<Row> {
  /** What the list is of: for who does not see it. */
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly selected?: string | undefined;
  readonly onOpen?: (row: Row) => void;
  /** Called when the end comes near. */
  readonly onEnd?: () => void;
  /** What stands where there is no row. */
  readonly empty: ReactNode;
}

const lineHeight = 28;
/** Lines before and after those that are seen. */
const overscan = 12;

export function Table<Row>(props: TableProps<Row>) {
  const { label, rows, columns, keyOf, selected, onOpen, onEnd, empty } = props;
  const body = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => body.current,
    estimateSize: () => lineHeight,
    overscan,
  });
  const lines = virtual.getVirtualItems();
  const last = lines.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - overscan) onEnd?.();
  }, [last, rows.length, onEnd]);
  const at = rows.findIndex((row) => keyOf(row) === selected);

  function move(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !onOpen) return;
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
    if (next === undefined) return;
    onOpen(next);
    virtual.scrollToIndex(rows.indexOf(next));
  }

  if (rows.length === 0) return <div className="empty">{empty}</div>;
  const tracks = { "--columns": columns.map(({ width }) => width).join(" ") } as React.CSSProperties;
  return (
    <div className="table" style={tracks} role="table" aria-label={label} aria-rowcount={rows.length}>
      <div className="header" role="row">
        {columns.map(({ name, isNumber, head }) => (
          <span key={name} role="columnheader" className={isNumber ? "number" : undefined}>
            {head ?? name}
          </span>
        ))}
      </div>
      <div className="body" ref={body} role="rowgroup" tabIndex={0} onKeyDown={move} data-list={label}>
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {lines.map(({ index, start }) => {
            const row = rows[index];
            if (row === undefined) return null;
            const key = keyOf(row);
            return (
              <div
                key={key}
                role="row"
                aria-rowindex={index + 1}
                aria-selected={onOpen ? key === selected : undefined}
                className="line"
                style={{ position: "absolute", insetInline: 0, transform: `translateY(${start}px)` }}
                onClick={(event) => {
                  if (!(event.target as Element).closest("a, button")) onOpen?.(row);
                }}
              >
                {columns.map(({ name, isNumber, cell }) => (
                  <span key={name} role="cell" className={isNumber ? "number" : undefined}>
                    {cell(row)}
                  </span>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
