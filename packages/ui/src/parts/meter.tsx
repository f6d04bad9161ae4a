/** How much of something is used, as a bar and in words: `3 of 4`. */
import "../styles/short-table.css";
import { numberText } from "./number-text.ts";

interface MeterProps {
  readonly used: number;
  readonly of: number;
  /** What it is of: for who does not see it. */
  readonly label: string;
}

export function Meter({ used, of, label }: MeterProps) {
  const share = of === 0 ? 0 : Math.min(1, used / of);
  return (
    <span className="meter-line">
      <span
        className={share >= 1 ? "meter full" : "meter"}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={Math.max(of, used)}
        aria-valuenow={used}
      >
        <i style={{ width: `${share * 100}%` }} />
      </span>
      <span className="figures">
        {numberText(used)} of {numberText(of)}
      </span>
    </span>
  );
}
