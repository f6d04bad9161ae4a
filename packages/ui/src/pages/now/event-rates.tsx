/** How many events come each minute, by source. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { EventRatesView, EventRateView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { Csv } from "../../parts/csv.tsx";
import { numberText } from "../../parts/number-text.ts";
import { ShortTable, type ShortColumn } from "../../parts/short-table.tsx";
import { clockText } from "../../parts/time-text.ts";
import { Trouble } from "../../parts/trouble.tsx";

const barWidth = 6;
const barsHeight = 18;

export function EventRates() {
  const { data, error } = useQuery(one("overview", "/event-rates"));
  return (
    <section className="block">
      <div className="block-head">
        <h2>Events a minute</h2>
        {data && data.sources.length > 0 && (
          <>
            <span className="quiet">the last {data.sources[0]!.counts.length} minutes, by source</span>
            <Csv
              name="event-rates"
              header={["minute", ...data.sources.map(({ source }) => source)]}
              rows={() =>
                data.sources[0]!.counts.map((_, at) => [
                  new Date(Date.parse(data.from) + at * data.stretchMs).toISOString(),
                  ...data.sources.map(({ counts }) => counts[at]),
                ])
              }
            />
          </>
        )}
      </div>
      {error && <Trouble error={error} />}
      {data && (
        <ShortTable
          label="Events a minute"
          rows={data.sources}
          columns={columnsOf(data)}
          keyOf={({ source }) => source}
          empty={<p>No event came in the last half hour.</p>}
        />
      )}
      {data?.areMore && <p className="quiet">… and other sources with fewer events.</p>}
    </section>
  );
}

function columnsOf(rates: EventRatesView): readonly ShortColumn<EventRateView>[] {
  const text = (count: number, { isAbout }: EventRateView) => `${isAbout ? "≈ " : ""}${numberText(count)}`;
  return [
    {
      name: "source",
      isLong: true,
      cell: ({ source }) => (
        <Link to="/events" search={{ source }}>
          {source}
        </Link>
      ),
    },
    { name: "the last half hour", cell: (row) => <Bars row={row} rates={rates} /> },
    // The last minute has not ended.
    { name: "last minute", isNumber: true, cell: (row) => text(row.counts.at(-2) ?? 0, row) },
    { name: "at most", isNumber: true, cell: (row) => text(Math.max(...row.counts), row) },
  ];
}

function Bars({ row, rates }: { readonly row: EventRateView; readonly rates: EventRatesView }) {
  const { source, counts } = row;
  const most = Math.max(1, ...counts);
  const from = Date.parse(rates.from);
  return (
    <svg
      width={counts.length * barWidth}
      height={barsHeight}
      role="img"
      aria-label={`${source}: ${numberText(counts.at(-2) ?? 0)} in the last minute, at most ${numberText(most)}`}
      className="bars"
    >
      {counts.map((count, at) => {
        if (count === 0) return null;
        const height = Math.max(1, (count / most) * barsHeight);
        return (
          <rect key={at} x={at * barWidth} y={barsHeight - height} width={barWidth - 1} height={height}>
            <title>{`${numberText(count)} from ${clockText(from + at * rates.stretchMs, from)}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
