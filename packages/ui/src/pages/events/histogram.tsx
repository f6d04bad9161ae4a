/** How many entries came when: a line for each type, or source, on one axis. A name filters; a bar shows what came until its end. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { QueryAt, EventHistogram, EventSeries } from "@millrace/protocol";
import { get } from "../../api/client.ts";
import { listen } from "../../api/live.ts";
import { useNow } from "../../parts/now.ts";
import { Csv, type CsvRow } from "../../parts/csv.tsx";
import { numberText } from "../../parts/number-text.ts";
import { clockText, durationText } from "../../parts/time-text.ts";
import { marksOf, markText, placeOf, type Axis } from "../../parts/timeline/axis.ts";
import type { EventFilter } from "./feed.ts";

const route = getRouteApi("/events");
const laneHeight = 18;
const axisHeight = 18;
const labelRoom = 36;
const lanesMax = 6;
const gatherMs = 3_000;
/** A filter costs a look at each entry. */
const gatherFilteredMs = 15_000;
const spans = [
  ["10m", "10 minutes", 600_000],
  ["1h", "hour", 3_600_000],
  ["6h", "6 hours", 21_600_000],
  ["1d", "day", 86_400_000],
  ["7d", "7 days", 604_800_000],
] as const;

export function Histogram({ filter }: { readonly filter: EventFilter }) {
  const { by = "type", span = "1h" } = route.useSearch();
  const navigate = route.useNavigate();
  const queries = useQueryClient();
  const length = spans.find(([id]) => id === span)?.[2] ?? spans[1][2];
  const { data } = useQuery({
    queryKey: ["event-histogram", by, length, filter],
    queryFn: ({ signal }) => {
      const until = filter.until === undefined ? Date.now() : Date.parse(filter.until);
      const times = { since: new Date(until - length).toISOString(), until: new Date(until).toISOString() };
      return get(
        "/events/histogram",
        { ...filter, ...times, by } as QueryAt<"GET", "/events/histogram">,
        signal,
      );
    },
    staleTime: Infinity,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const wait = filter.where === undefined ? gatherMs : gatherFilteredMs;
  useEffect(() => {
    if (filter.until !== undefined) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unlisten = listen("log", {
      onData: () => {
        timer ??= setTimeout(() => {
          timer = undefined;
          void queries.invalidateQueries({ queryKey: ["event-histogram"] });
        }, wait);
      },
    });
    return () => {
      clearTimeout(timer);
      unlisten();
    };
  }, [queries, wait, filter.until]);
  return (
    <section aria-label="When they came" className="histogram">
      <div className="filters">
        <span className="quiet">{data ? `${numberText(data.counted)} in the last` : "The last"}</span>
        <select
          className="field"
          aria-label="span"
          value={span}
          onChange={({ target }) =>
            void navigate({ search: (before) => ({ ...before, span: target.value }), replace: true })
          }
        >
          {spans.map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
        <select
          className="field"
          aria-label="by"
          value={by}
          onChange={({ target }) =>
            void navigate({ search: (before) => ({ ...before, by: target.value }), replace: true })
          }
        >
          <option value="type">by type</option>
          <option value="source">by source</option>
        </select>
        {filter.until !== undefined && (
          <span>
            up to {clockText(Date.parse(filter.until), Date.now())}{" "}
            <Link to="/events" search={({ until: _until, ...rest }) => rest}>
              to now
            </Link>
          </span>
        )}
        {data && data.series.length > 0 && (
          <Csv name="events" header={["from", by, "events"]} rows={() => rowsOf(data)} />
        )}
        {data?.from !== undefined && (
          <span className="quiet">
            there were very many: those since {clockText(Date.parse(data.from), Date.now())} are counted
          </span>
        )}
      </div>
      {data && data.series.length > 0 && <Lanes histogram={data} by={by} />}
    </section>
  );
}

/** Each stretch in which there were some. */
function rowsOf({ since, stretchMs, series }: EventHistogram): CsvRow[] {
  return series.flatMap(({ name = "others", counts }) =>
    counts.flatMap((count, at): CsvRow[] =>
      count === 0 ? [] : [[new Date(Date.parse(since) + at * stretchMs).toISOString(), name, count]],
    ),
  );
}

function Lanes({ histogram, by }: { readonly histogram: EventHistogram; readonly by: string }) {
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
  const { series, since, until, stretchMs } = histogram;
  const shown = gathered(series);
  const axis: Axis = { from: Date.parse(since), until: Date.parse(until), width };
  const most = Math.max(1, ...shown.flatMap(({ counts }) => counts));
  const height = shown.length * laneHeight + axisHeight;
  const marks = marksOf(axis).filter((mark) => placeOf(axis, mark) < width - labelRoom);
  return (
    <div className="lanes">
      <ul>
        {shown.map(({ name, counts }) => (
          <li key={name ?? ""} style={{ height: laneHeight }}>
            {name === undefined ? (
              <span className="quiet">others</span>
            ) : (
              <Link to="/events" search={(before) => ({ ...before, [by]: name })} title={name}>
                {name}
              </Link>
            )}{" "}
            <span className="number quiet">{numberText(counts.reduce((sum, one) => sum + one, 0))}</span>
          </li>
        ))}
      </ul>
      <div ref={box}>
        {width > 0 && (
          <svg
            width={width}
            height={height}
            role="group"
            aria-label={`${numberText(histogram.counted)} entries from ${clockText(axis.from, now)} to ${clockText(axis.until, now)}`}
          >
            {marks.map((mark) => (
              <g key={mark}>
                <line x1={placeOf(axis, mark)} x2={placeOf(axis, mark)} y1={0} y2={height - axisHeight + 4} />
                <text x={placeOf(axis, mark) + 3} y={height - 4}>
                  {markText(mark)}
                </text>
              </g>
            ))}
            {shown.map(({ name, counts }, lane) =>
              counts.map((count, at) => {
                if (count === 0) return null;
                const begin = axis.from + at * stretchMs;
                const x = placeOf(axis, begin);
                const tall = Math.max(2, (laneHeight - 4) * (count / most));
                const what = `${numberText(count)} ${name ?? "others"} in ${durationText(stretchMs)} from ${clockText(begin, now)}`;
                return (
                  <Link
                    key={`${name ?? ""} ${at}`}
                    to="/events"
                    search={(before) => ({
                      ...before,
                      ...(name === undefined ? {} : { [by]: name }),
                      until: new Date(begin + stretchMs).toISOString(),
                    })}
                    tabIndex={-1}
                    aria-label={what}
                  >
                    <title>{what}</title>
                    <rect
                      x={x}
                      y={(lane + 1) * laneHeight - tall}
                      width={Math.max(1, placeOf(axis, begin + stretchMs) - x - 1)}
                      height={tall}
                    />
                  </Link>
                );
              }),
            )}
          </svg>
        )}
      </div>
    </div>
  );
}

/** The lines that have room; the rest together. */
function gathered(series: readonly EventSeries[]): readonly EventSeries[] {
  if (series.length <= lanesMax) return series;
  const rest = series.slice(lanesMax - 1);
  const counts = rest[0]!.counts.map((_, at) => rest.reduce((sum, line) => sum + (line.counts[at] ?? 0), 0));
  return [...series.slice(0, lanesMax - 1), { counts }];
}
