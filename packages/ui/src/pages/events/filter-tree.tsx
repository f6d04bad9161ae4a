/** An event as a tree whose values filter the feed by a click. */
import { useState } from "react";
import type { Json } from "@millrace/core";

export type Path = readonly (string | number)[];
type Scalar = string | number | boolean | null;

const shownFirst = 50;
const textShown = 300;

interface FilterTreeProps {
  readonly value: Json;
  readonly path: Path;
  readonly name: string;
  readonly depth?: number;
  /** What a click on a value does, in words; `data.country`. */
  readonly title: string;
  readonly onPick: (path: Path, value: Scalar) => void;
  /** Whether a value is picked. */
  readonly isPicked?: (path: Path) => boolean;
}

export function FilterTree(props: FilterTreeProps) {
  const { value, path, name, depth = 0, title, onPick, isPicked } = props;
  const [isOpen, setOpen] = useState(depth < 3);
  const [shown, setShown] = useState(shownFirst);
  if (value === null || typeof value !== "object") {
    const text = JSON.stringify(value);
    const isLong = text.length > textShown;
    return (
      <div className="json">
        <span className="quiet">{name}: </span>
        <button
          type="button"
          className={`pick ${typeof value}`}
          title={title}
          aria-pressed={isPicked?.(path)}
          disabled={isLong}
          onClick={() => onPick(path, value)}
        >
          {isLong ? `${text.slice(0, textShown)}…` : text}
        </button>
      </div>
    );
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  return (
    <div className="json">
      <button type="button" className="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? "▾" : "▸"} <span className="quiet">{name}: </span>
        <span className="quiet">{isList ? `[${entries.length}]` : `{${entries.length}}`}</span>
      </button>
      {isOpen && (
        <div className="inside">
          {entries.slice(0, shown).map(([key, inner]) => (
            <FilterTree
              {...props}
              key={key}
              name={key}
              value={inner}
              path={[...path, isList ? Number(key) : key]}
              depth={depth + 1}
            />
          ))}
          {entries.length > shown && (
            <button type="button" className="fold" onClick={() => setShown(shown + shownFirst * 4)}>
              … {entries.length - shown} more
            </button>
          )}
        </div>
      )}
    </div>
  );
}
