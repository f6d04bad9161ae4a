/** How long runs took over time: each run a dot, with the median and the 95th percentile of each stretch of time. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import type { GridPage } from "@millrace/protocol";
import { gridPath, one } from "../../api/queries.ts";
import { Download } from "../../parts/download.tsx";
import { useNow } from "../../parts/now.ts";
import { stateKind, stateWord } from "../../parts/state.tsx";
import { clockText, durationText } from "../../parts/time-text.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { bucketsOf, niceSteps, percentile, type Bucket, type Timed } from "./percentiles.ts";

const runsShown = 1_000;
const height = 300;
const width = 1_000;
const margin = { left: 64, right: 12, top: 12, bottom: 26 };

export function Durations({ pipeline }: { readonly pipeline: string }) {
  const { data, error } = useQuery(one("grid", gridPath(pipeline), { states: false, limit: runsShown }));
  const timed = useMemo(() => timedOf(data), [data]);
  if (error) return <Trouble error={error} />;
  if (!data) return <p className="quiet">Reading…</p>;
  if (timed.length < 2)
    return (
      <p className="quiet">
        Once two runs have ended, here stands how long runs take, and whether that changes.
      </p>
    );
  return <Chart timed={timed} pipeline={pipeline} isCut={data.nextCursor !== undefined} />;
}

function timedOf(page: GridPage | undefined): Timed[] {
  return (page?.runs ?? [])
    .flatMap(({ id, state, startedAt, endedAt }) =>
      startedAt === undefined || endedAt === undefined
        ? []
        : { id, state, at: Date.parse(endedAt), tookMs: Date.parse(endedAt) - Date.parse(startedAt) },
    )
    .sort((a, b) => a.at - b.at);
}

interface ChartProps {
  readonly timed: readonly Timed[];
  readonly pipeline: string;
  readonly isCut: boolean;
}

function Chart({ timed, pipeline, isCut }: ChartProps) {
  const now = useNow();
  const navigate = useNavigate();
  const figure = useRef<SVGSVGElement>(null);
  const [near, setNear] = useState<Timed>();
  const buckets = useMemo(() => bucketsOf(timed), [timed]);
  const all = timed.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const from = timed[0]!.at;
  const to = Math.max(from + 1, timed.at(-1)!.at);
  // What lasts longer than nearly all others stands at the upper edge, so that the others can be told apart.
  const top = Math.max(1, percentile(all, 0.99) * 1.15);
  const x = (at: number): number =>
    margin.left + ((width - margin.left - margin.right) * (at - from)) / (to - from);
  const y = (ms: number): number =>
    height - margin.bottom - (height - margin.top - margin.bottom) * Math.min(1, ms / top);
  const line = (value: (bucket: Bucket) => number): string =>
    buckets.map((bucket, at) => `${at === 0 ? "M" : "L"}${x(bucket.at)} ${y(value(bucket))}`).join("");
  return (
    <div className="durations">
      <p>
        Of the last {timed.length} runs{isCut ? "" : ", all that are kept,"} half took{" "}
        {durationText(percentile(all, 0.5))} or less, and 95 of 100 took {durationText(percentile(all, 0.95))}{" "}
        or less. <Trend buckets={buckets} />
      </p>
      <svg
        ref={figure}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Durations of ${timed.length} runs of ${pipeline}`}
        onMouseMove={(event) => {
          const box = figure.current!.getBoundingClientRect();
          const px = ((event.clientX - box.left) / box.width) * width;
          const py = ((event.clientY - box.top) / box.height) * height;
          setNear(nearest(timed, (one) => Math.hypot(x(one.at) - px, y(one.tookMs) - py)));
        }}
        onMouseLeave={() => setNear(undefined)}
        onClick={() => near && void navigate({ to: "/runs/$run", params: { run: near.id } })}
      >
        {niceSteps(top).map((ms) => (
          <g key={ms} className="step">
            <line x1={margin.left} x2={width - margin.right} y1={y(ms)} y2={y(ms)} />
            <text x={margin.left - 8} y={y(ms) + 4} textAnchor="end">
              {durationText(ms)}
            </text>
          </g>
        ))}
        {[0, 0.5, 1].map((part) => (
          <text
            key={part}
            className="when"
            x={x(from + (to - from) * part)}
            y={height - 8}
            textAnchor={part === 0 ? "start" : part === 1 ? "end" : "middle"}
          >
            {clockText(from + (to - from) * part, now)}
          </text>
        ))}
        {timed.map(({ id, at, tookMs, state }) => (
          <circle
            key={id}
            className={stateKind(state)}
            cx={x(at)}
            cy={y(tookMs)}
            r={state === "failed" ? 2.6 : 1.8}
          />
        ))}
        <path className="p95" d={line(({ p95 }) => p95)} />
        <path className="p50" d={line(({ p50 }) => p50)} />
        {near && <circle className="near" cx={x(near.at)} cy={y(near.tookMs)} r={5} />}
      </svg>
      <p className="quiet legend" role="status">
        {near ? (
          <>
            <span className="mono">{near.id}</span> {stateWord(near.state)} after {durationText(near.tookMs)},
            at {clockText(near.at, now)}
          </>
        ) : (
          <>
            <span className="key p50">median</span> <span className="key p95">95th percentile</span>{" "}
            <span className="key dot">each run, by its end</span>
          </>
        )}
        <span className="gap" />
        <Download
          name={`${pipeline}-durations.csv`}
          type="text/csv"
          text={() =>
            [
              "run,state,ended,took_ms",
              ...timed.map(
                ({ id, state, at, tookMs }) => `${id},${state},${new Date(at).toISOString()},${tookMs}`,
              ),
            ].join("\n")
          }
        >
          as CSV
        </Download>
      </p>
    </div>
  );
}

/** Whether the newest third takes longer than the oldest. */
function Trend({ buckets }: { readonly buckets: readonly Bucket[] }) {
  const third = Math.floor(buckets.length / 3);
  if (third < 1) return null;
  const mean = (part: readonly Bucket[]): number => part.reduce((sum, { p50 }) => sum + p50, 0) / part.length;
  const before = mean(buckets.slice(0, third));
  const after = mean(buckets.slice(-third));
  const ratio = after / Math.max(1, before);
  if (ratio > 1.25)
    return (
      <>
        They take longer lately: the median went from {durationText(before)} to {durationText(after)}.
      </>
    );
  if (ratio < 0.8)
    return (
      <>
        They are quicker lately: the median went from {durationText(before)} to {durationText(after)}.
      </>
    );
  return <>That does not change much.</>;
}

function nearest(timed: readonly Timed[], distance: (one: Timed) => number): Timed | undefined {
  let found: Timed | undefined;
  let least = 30;
  for (const one of timed) {
    const own = distance(one);
    if (own < least) [found, least] = [one, own];
  }
  return found;
}
