/**
 * A long list as lines of fixed height: only those that are seen are in the document. Keys walk over them (`keys.ts`): once a detail is
 * open beside the list, it follows.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { firstLinkOf, useListKeys } from "./keys.ts";

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
  /** Called with whether the first line is in view, as that changes. */
  readonly onTop?: (isTop: boolean) => void;
  /** What stands where there is no row. */
  readonly empty: ReactNode;
}

const lineHeight = 28;
/** Lines before and after those that are seen. */
const overscan = 12;

export function Table<Row>(props: TableProps<Row>) {
  const { label, rows, columns, keyOf, selected, onOpen, onEnd, onTop, empty } = props;
  const wasTop = useRef(true);
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
  // By its key: lines come in above it.
  const [presentKey, setPresentKey] = useState<string>();
  const placeOf = (key: string | undefined): number =>
    key === undefined ? -1 : rows.findIndex((row) => keyOf(row) === key);
  const selectedAt = placeOf(selected);
  const isOpen = selectedAt >= 0 && onOpen !== undefined;
  const present = isOpen ? selectedAt : placeOf(presentKey);

  useListKeys(body, {
    move: (step, isFresh) => {
      const start = isFresh && step === -1 ? rows.length : present;
      const at = Math.min(rows.length - 1, Math.max(0, start + step));
      const row = rows[at];
      if (row === undefined) return false;
      setPresentKey(keyOf(row));
      if (isOpen) onOpen(row);
      virtual.scrollToIndex(at);
      // The line may come into the document with the scrolling.
      body.current?.focus({ preventScroll: true });
      return isFresh || at !== present;
    },
    open: () => {
      const row = rows[present];
      if (row === undefined) return false;
      if (onOpen) onOpen(row);
      else firstLinkOf(body.current?.querySelector('[aria-current="true"]'))?.click();
      return true;
    },
  });

  function scrolled({ currentTarget }: React.UIEvent): void {
    const isTop = currentTarget.scrollTop < lineHeight / 2;
    if (isTop !== wasTop.current) onTop?.(isTop);
    wasTop.current = isTop;
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
      <div
        className="body"
        ref={body}
        role="rowgroup"
        tabIndex={0}
        data-list={label}
        data-keys=""
        onScroll={scrolled}
      >
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
                aria-current={index === present ? "true" : undefined}
                className="line"
                style={{ position: "absolute", insetInline: 0, transform: `translateY(${start}px)` }}
                onClick={(event) => {
                  if ((event.target as Element).closest("a, button, input, label")) return;
                  setPresentKey(key);
                  onOpen?.(row);
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
