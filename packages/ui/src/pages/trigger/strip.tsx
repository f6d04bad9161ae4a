/** Firings on one line of time: simulated above, real below; those that only one of them has stand out. */
import { useLayoutEffect, useRef, useState } from "react";
import { useNow } from "../../parts/now.ts";
import { clockText } from "../../parts/time-text.ts";
import { marksOf, markText, placeOf, type Axis } from "../../parts/timeline/axis.ts";
import type { Beside } from "./beside.ts";

const left = 80;
const axisHeight = 20;
const laneHeight = 26;
const labelRoom = 36;

interface StripProps {
  readonly rows: readonly Beside[];
  readonly from: number;
  readonly to: number;
  readonly hasReal: boolean;
  readonly onOpen: (position: number) => void;
}

export function Strip({ rows, from, to, hasReal, onOpen }: StripProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  const now = useNow();
  const span = spanOf(rows, from, to);
  const axis: Axis = { ...span, width: Math.max(1, width - left - 8) };
  const lanes = [
    { name: "simulated", of: rows.filter(({ simulated }) => simulated) },
    ...(hasReal ? [{ name: "real", of: rows.filter(({ real }) => real) }] : []),
  ];
  const height = axisHeight + lanes.length * laneHeight;
  const marks = marksOf(axis).filter((mark) => placeOf(axis, mark) < axis.width - labelRoom);
  return (
    <div ref={box} className="strip">
      {width > 0 && (
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={`${lanes.map(({ name, of }) => `${of.length} ${name}`).join(", ")} firings from ${clockText(span.from, now)} to ${clockText(span.until, now)}`}
        >
          {marks.map((mark) => (
            <g key={mark}>
              <line
                x1={left + placeOf(axis, mark)}
                x2={left + placeOf(axis, mark)}
                y1={axisHeight - 4}
                y2={height}
              />
              <text x={left + placeOf(axis, mark) + 3} y={axisHeight - 7}>
                {markText(mark)}
              </text>
            </g>
          ))}
          {marks.length < 2 && (
            <>
              <text x={left} y={axisHeight - 7}>
                {clockText(span.from, now)}
              </text>
              <text x={width - 8} y={axisHeight - 7} textAnchor="end">
                {clockText(span.until, now)}
              </text>
            </>
          )}
          {lanes.map(({ name, of }, at) => {
            const y = axisHeight + at * laneHeight + laneHeight / 2;
            return (
              <g key={name}>
                <text x={left - 8} y={y + 4} textAnchor="end">
                  {name}
                </text>
                <line x1={left} x2={width - 8} y1={y} y2={y} />
                {of.map((row) => {
                  const x = left + placeOf(axis, Date.parse(row.at));
                  const isBoth = row.simulated !== undefined && row.real !== undefined;
                  const member = row.simulated?.members.find(({ position }) => position !== undefined);
                  const what = `${clockText(Date.parse(row.at), now)}${row.key === undefined ? "" : `, ${row.key}`}: ${isBoth || !hasReal ? name : `only ${name}`}`;
                  return isBoth || !hasReal ? (
                    <rect key={row.name} className="both" x={x - 1} y={y - 7} width={2} height={14}>
                      <title>{what}</title>
                    </rect>
                  ) : (
                    <path
                      key={row.name}
                      className="one"
                      d={`M ${x} ${y - 7} L ${x + 6} ${y} L ${x} ${y + 7} L ${x - 6} ${y} Z`}
                      onClick={() => member?.position !== undefined && onOpen(member.position)}
                    >
                      <title>{what}</title>
                    </path>
                  );
                })}
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}

/** The asked time, or the part of it in which anything fired, where that is small. */
function spanOf(
  rows: readonly Beside[],
  from: number,
  to: number,
): { readonly from: number; readonly until: number } {
  const oldest = rows.at(-1);
  const newest = rows[0];
  if (!oldest || !newest) return { from, until: to };
  const first = Date.parse(oldest.at);
  const last = Date.parse(newest.at);
  if (last - first > (to - from) / 8) return { from, until: to };
  const room = Math.max(1_000, (last - first) * 0.05);
  return { from: first - room, until: last + room };
}
