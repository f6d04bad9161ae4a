import { useNow } from "./now.ts";
import { clockText, durationText, exactText, relativeText } from "./time-text.ts";

interface TimeProps {
  /** ISO 8601. */
  readonly at: string;
}

/** `3 min ago`, with the instant at a hover. */
export function Ago({ at }: TimeProps) {
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={exactText(ms)}>
      {relativeText(ms, useNow())}
    </time>
  );
}

/** `14:02:11`, with the instant and UTC at a hover. */
export function Clock({ at }: TimeProps) {
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={exactText(ms)}>
      {clockText(ms, useNow())}
    </time>
  );
}

/** How long something took, or takes as yet. */
export function Took({ from, to }: { readonly from: string | undefined; readonly to?: string | undefined }) {
  const now = useNow();
  if (from === undefined) return <span className="quiet">–</span>;
  const until = to === undefined ? now : Date.parse(to);
  return <span title={`since ${exactText(Date.parse(from))}`}>{durationText(until - Date.parse(from))}</span>;
}
