/** Firings as ticks on a line of time: simulated above, real below. */
import { useNow } from "../../parts/now.ts";
import { clockText } from "../../parts/time-text.ts";
import type { Beside } from "./beside.ts";

const width = 1_000;
const left = 72;

export function Strip({
  rows,
  from,
  to,
}: {
  readonly rows: readonly Beside[];
  readonly from: number;
  readonly to: number;
}) {
  const now = useNow();
  const x = (at: string): number => left + ((width - left - 4) * (Date.parse(at) - from)) / (to - from);
  const lines = [
    { name: "simulated", y: 8, of: rows.filter(({ simulated }) => simulated) },
    { name: "real", y: 34, of: rows.filter(({ real }) => real) },
  ];
  return (
    <svg
      className="strip"
      viewBox={`0 0 ${width} 72`}
      role="img"
      aria-label="Simulated firings above real ones"
    >
      {lines.map(({ name, y, of }) => (
        <g key={name} className={name}>
          <text x={0} y={y + 13}>
            {name}
          </text>
          <line x1={left} x2={width} y1={y + 18} y2={y + 18} />
          {of.map((row) => (
            <rect
              key={row.name}
              className={row.simulated && row.real ? "both" : "one"}
              x={x(row.at) - 1}
              y={y}
              width={2}
              height={18}
            />
          ))}
        </g>
      ))}
      <text x={left} y={68}>
        {clockText(from, now)}
      </text>
      <text x={width} y={68} textAnchor="end">
        now
      </text>
    </svg>
  );
}
