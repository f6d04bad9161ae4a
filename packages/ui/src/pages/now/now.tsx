/** Is all well, and if not, what to do: what needs a person, the last and next hours, what is waited for, load. */
import { lazy, Suspense } from "react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { Overview, TimelineView } from "@millrace/protocol";
import { useProject } from "../../api/project.ts";
import { one } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { firstEvent } from "../../parts/first-code.ts";
import { Csv, type CsvRow } from "../../parts/csv.tsx";
import { Head } from "../../parts/head.tsx";
import { StartOne } from "../../parts/start-one.tsx";
import { Ago, Clock } from "../../parts/time.tsx";
import { Timeline } from "../../parts/timeline/timeline.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import "../../styles/now.css";
import { AttentionList } from "./attention.tsx";
import { EventRates } from "./event-rates.tsx";
import { Load } from "./load.tsx";
import { activityText, sinceText, urgentCount, verdictText } from "./sentence.ts";
import { WaitingFor } from "./waiting-for.tsx";

const FirstSteps = lazy(() =>
  import("../../project/first-steps.tsx").then((module) => ({ default: module.FirstSteps })),
);

const route = getRouteApi("/");
const spans = [1, 3, 12, 24] as const;

export function Now() {
  const { hours: chosen } = route.useSearch();
  const hours = spans.find((span) => String(span) === chosen);
  const project = useProject();
  const { data, error, refetch } = useQuery(one("overview", "/overview"));
  const timeline = useQuery({
    ...one("overview", "/timeline", { hours }),
    placeholderData: (before) => before,
  });
  // The server chooses where the reader does not.
  const shown = timeline.data && hoursOf(timeline.data);
  return (
    <div className="page">
      <Verdict overview={data} />
      {error && <Trouble error={error} onRetry={() => void refetch()} />}
      {project?.firstSteps && (
        <Suspense fallback={null}>
          <FirstSteps />
        </Suspense>
      )}
      {data && <AttentionList items={data.attention} />}
      {timeline.error && <Trouble error={timeline.error} onRetry={() => void timeline.refetch()} />}
      {data && timeline.data && isNew(data, timeline.data) ? (
        <FirstRun />
      ) : (
        <section className="block">
          <div className="block-head">
            <h2>The last and the next hours</h2>
            {timeline.data && (
              <Csv name="timeline" header={timelineHeader} rows={() => timelineRows(timeline.data)} />
            )}
            <nav aria-label="How far back" className="choices">
              {spans.map((span) => (
                <Link
                  key={span}
                  to="/"
                  search={{ hours: String(span) }}
                  replace
                  activeProps={{}}
                  className={span === shown ? "active" : undefined}
                  aria-current={span === shown ? "true" : undefined}
                >
                  {span} h
                </Link>
              ))}
            </nav>
          </div>
          {timeline.data ? <Timeline view={timeline.data} /> : <p className="quiet">Reading…</p>}
        </section>
      )}
      {data && (
        <div className="halves">
          <div className="parts">
            <WaitingFor waits={data.waits} />
            <EventRates />
          </div>
          <Load load={data.load} />
        </div>
      )}
    </div>
  );
}

function Verdict({ overview }: { readonly overview: Overview | undefined }) {
  if (!overview) return <Head title="Now" name="Now" />;
  const isWell = urgentCount(overview) === 0;
  return (
    <Head
      name={verdictText(overview)}
      title={
        <span className={isWell ? "verdict" : "verdict bad-text"}>
          <span aria-hidden="true">{isWell ? "●" : "▲"}</span> {verdictText(overview)}
        </span>
      }
    >
      {overview.lastFailure ? (
        <>
          The last failure was at <Clock at={overview.lastFailure.at} />, <Ago at={overview.lastFailure.at} />{" "}
          (
          <Link to="/runs/$run" params={{ run: overview.lastFailure.run }}>
            {overview.lastFailure.pipeline}
          </Link>
          )
        </>
      ) : (
        sinceText(overview)
      )}
      ; {activityText(overview)}.
    </Head>
  );
}

const timelineHeader = ["kind", "name", "state", "from", "to", "of"];

/** What is drawn. */
function timelineRows({ runs, ticks, events, pace, paceMs, from }: TimelineView): readonly CsvRow[] {
  const start = Date.parse(from);
  const at = (index: number): string => new Date(start + index * paceMs).toISOString();
  return [
    ...runs.map((run): CsvRow => [
      "run",
      run.id,
      run.state,
      run.startedAt ?? run.createdAt,
      run.endedAt,
      run.pipeline,
    ]),
    ...ticks.map((tick): CsvRow => ["due", "", "", tick.at, "", tick.pipeline]),
    ...events.map((event): CsvRow => ["event", event.position, "", event.at, "", event.type]),
    ...pace.map((count, index): CsvRow => ["entries", count, "", at(index), at(index + 1), ""]),
  ];
}

function hoursOf({ now, until }: TimelineView): number {
  return Math.round(((Date.parse(until) - Date.parse(now)) * 3) / 3_600_000);
}

/** Nothing ever ran here, as far as one sees. */
function isNew({ runs, lastFailure, waits }: Overview, { runs: blocks, events }: TimelineView): boolean {
  const live = [runs.queued, runs.running, runs.waiting, runs.quarantined];
  return (
    blocks.length === 0 &&
    events.length === 0 &&
    !lastFailure &&
    waits.total.count === 0 &&
    live.every(({ count }) => count === 0)
  );
}

function FirstRun() {
  return (
    <section className="empty">
      <p>
        Here stand the last and the next hours: runs as blocks, what waits as thin lines, what calendars start
        next, events. Nothing has run in them.
      </p>
      <StartOne />
      <p>Or send an event that a trigger listens to:</p>
      <Code text={firstEvent} />
    </section>
  );
}
