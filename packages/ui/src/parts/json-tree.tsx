/** A JSON value as a tree that opens; long lists and texts are shown in parts. */
import { useState } from "react";
import type { Json } from "@millrace/core";

const shownFirst = 50;
const textFirst = 500;

export function JsonTree({
  value,
  name,
  depth = 0,
}: {
  readonly value: Json;
  readonly name?: string;
  readonly depth?: number;
}) {
  const [isOpen, setOpen] = useState(depth < 2);
  const [shown, setShown] = useState(shownFirst);
  const label = name === undefined ? null : <span className="quiet">{name}: </span>;
  if (value === null || typeof value !== "object")
    return (
      <div className="json">
        {label}
        <Leaf value={value} />
      </div>
    );
  const entries = Object.entries(value);
  const summary = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  return (
    <div className="json">
      <button type="button" className="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? "▾" : "▸"} {label}
        <span className="quiet">{summary}</span>
      </button>
      {isOpen && (
        <div className="inside">
          {entries.slice(0, shown).map(([key, part]) => (
            <JsonTree key={key} name={key} value={part} depth={depth + 1} />
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

function Leaf({ value }: { readonly value: string | number | boolean | null }) {
  const [isWhole, setWhole] = useState(false);
  const text = JSON.stringify(value);
  if (text.length <= textFirst || isWhole) return <span className={typeof value}>{text}</span>;
  return (
    <span className="string">
      {text.slice(0, textFirst)}…{" "}
      <button type="button" className="fold" onClick={() => setWhole(true)}>
        {text.length - textFirst} characters more
      </button>
    </span>
  );
}
