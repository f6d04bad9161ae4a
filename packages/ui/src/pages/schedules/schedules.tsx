/** What schedules will start, as a calendar of a week or a day in a zone of one's choice; changes of the clocks are seen. */
import { useInfiniteQuery, type UseInfiniteQueryResult } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { list } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { Download } from "../../parts/download.tsx";
import { firstSchedule } from "../../parts/first-code.ts";
import { Head } from "../../parts/head.tsx";
import { useNow } from "../../parts/now.ts";
import { relativeText } from "../../parts/time-text.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { zoneName } from "../../parts/zone.ts";
import { Calendar } from "./calendar.tsx";
import { Outcomes } from "./outcome.ts";
import { planOf, type Plan } from "./plan.ts";
import { scheduleCsv } from "./schedule-csv.ts";
import { addDays, isZone, mondayOf, wallOf, zonedDay, type ZonedDay } from "./zoned.ts";

const route = getRouteApi("/schedules");
const ticksAsked = 200;
const pageSize = 500;
/** As many as a week has of what is not a band. */
const runsAsked = 60;
/** What a calendar can show. */
const schedulesMax = 1_000;

/** Pipelines that a sentence names. */
const namesShown = 3;
const allZones = Intl.supportedValuesOf("timeZone");

/** One page after the other, up to what a calendar can show. */
function useAllPages(query: UseInfiniteQueryResult<readonly unknown[]>): void {
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const count = data?.length ?? 0;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && count < schedulesMax) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, count, fetchNextPage]);
}

export function Schedules() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const now = useNow();
  const own = zoneName();
  const zone = search.zone !== undefined && isZone(search.zone) ? search.zone : own;
  const today = wallOf(zone, now).day;
  const isDay = search.span === "day";
  const asked = search.from !== undefined && /^\d{4}-\d\d-\d\d$/.test(search.from) ? search.from : today;
  const first = isDay ? asked : mondayOf(asked);
  const count = isDay ? 1 : 7;
  const days = useMemo(
    () => Array.from({ length: count }, (_, at) => zonedDay(zone, addDays(first, at))),
    [zone, first, count],
  );
  const query = useInfiniteQuery({
    ...list("triggers", "/schedules", {
      from: new Date(days[0]!.from).toISOString(),
      to: new Date(days.at(-1)!.to).toISOString(),
      ticks: ticksAsked,
      limit: pageSize,
    }),
    placeholderData: (before) => before,
  });
  const { data, error, isPending, refetch } = query;
  const span = { from: new Date(days[0]!.from).toISOString(), to: new Date(days.at(-1)!.to).toISOString() };
  // What sums up the past is asked for less often than what changes at once.
  const runs = useInfiniteQuery({
    ...list("overview", "/schedules/runs", { ...span, ticks: runsAsked, limit: 200 }),
    placeholderData: (before) => before,
  });
  useAllPages(runs);
  useAllPages(query);
  const shown = useMemo(
    () => (data ?? []).filter(({ pipeline }) => search.find === undefined || pipeline.includes(search.find)),
    [data, search.find],
  );
  // Once, not with each page.
  const isWhole = !runs.hasNextPage || (runs.data?.length ?? 0) >= schedulesMax;
  const outcomes = useMemo(() => new Outcomes(isWhole ? (runs.data ?? []) : []), [isWhole, runs.data]);
  // To the minute: what is past changes no sooner.
  const minute = Math.floor(now / 60_000) * 60_000;
  const plan = useMemo(
    () => planOf(shown, { days, zone, outcomes, now: minute }),
    [shown, days, zone, outcomes, minute],
  );
  const zones = [...new Set([zone, own, "UTC", ...(data ?? []).flatMap(({ tz }) => tz ?? [])])];
  const go = (day: string) => ({ ...search, from: day });
  return (
    <div className="page fills">
      <Head title="Schedules" name="Schedules">
        {data && data.length > 0 && <Sentence plan={plan} now={now} days={days} />}
      </Head>
      <div className="filters">
        <Link to="/schedules" search={go(addDays(first, -count))} className="button" aria-label="earlier">
          ‹
        </Link>
        <Link to="/schedules" search={({ from: _from, ...rest }) => rest} className="button">
          {isDay ? "today" : "this week"}
        </Link>
        <Link to="/schedules" search={go(addDays(first, count))} className="button" aria-label="later">
          ›
        </Link>
        <label className="inline">
          <span className="unseen">span</span>
          <select
            className="field"
            value={isDay ? "day" : "week"}
            onChange={({ target }) =>
              void navigate({ search: (before) => ({ ...before, span: target.value }) })
            }
          >
            <option value="week">week</option>
            <option value="day">day</option>
          </select>
        </label>
        <label className="inline">
          <span className="unseen">zone</span>
          <select
            className="field"
            value={zone}
            onChange={({ target }) =>
              void navigate({ search: (before) => ({ ...before, zone: target.value }) })
            }
          >
            <optgroup label="in use">
              {zones.map((name) => (
                <option key={name} value={name}>
                  {name}
                  {name === own ? " (yours)" : ""}
                </option>
              ))}
            </optgroup>
            <optgroup label="all">
              {allZones
                .filter((name) => !zones.includes(name))
                .map((name) => (
                  <option key={name}>{name}</option>
                ))}
            </optgroup>
          </select>
        </label>
        <input
          className="field"
          type="search"
          data-filter
          aria-label="pipeline"
          placeholder="pipeline  /"
          value={search.find ?? ""}
          onChange={({ target: { value } }) =>
            void navigate({
              search: ({ find: _find, ...rest }) => (value === "" ? rest : { ...rest, find: value }),
              replace: true,
            })
          }
        />
        <span className="gap" />
        {data && data.length > 0 && (
          <Download name={`schedules-${first}.csv`} type="text/csv" text={() => scheduleCsv(plan)}>
            as CSV
          </Download>
        )}
      </div>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : isPending ? (
        <p className="quiet">Reading…</p>
      ) : data.length === 0 ? (
        <NoSchedules />
      ) : (
        <Calendar plan={plan} days={days} zone={zone} now={minute} />
      )}
    </div>
  );
}

function Sentence({
  plan,
  now,
  days,
}: {
  readonly plan: Plan;
  readonly now: number;
  readonly days: readonly ZonedDay[];
}) {
  const { upcoming, bands } = plan;
  const often = bands.filter(({ schedule }) => !schedule.paused).length;
  const inBands = new Set(bands.map(({ schedule }) => schedule));
  const singles = upcoming.filter(
    ({ schedule, became }) => !inBands.has(schedule) && became.kind !== "before",
  );
  const past = singles.filter(({ became }) => became.kind !== "coming");
  const failed = past.filter(({ became }) => became.kind === "ran" && became.state === "failed").length;
  const missed = past.filter(({ became }) => became.kind === "missed").length;
  const late = past.filter(({ became }) => became.kind === "ran" && became.late !== undefined).length;
  const overlapping = [
    ...new Set(
      [...singles, ...bands]
        .filter(({ overlap }) => overlap !== undefined)
        .map(({ schedule }) => schedule.pipeline),
    ),
  ];
  const troubles = [
    failed === 0 ? "" : `${failed} failed`,
    missed === 0 ? "" : `${missed} ${missed === 1 ? "was" : "were"} missed`,
    late === 0 ? "" : `${late} began late`,
  ].filter((part) => part !== "");
  const single = singles.length;
  const isPresent = days[0]!.from <= now && now < days.at(-1)!.to;
  const next = isPresent ? singles.find(({ at }) => at > now) : undefined;
  return (
    <p>
      {single === 0 ? "No run" : single === 1 ? "One run" : `${single} runs`} by schedule{" "}
      {days.length === 1 ? "on this day" : "in this week"}
      {often > 0 &&
        `, and ${often === 1 ? "one pipeline" : `${often} pipelines`} that ${often === 1 ? "runs" : "run"} all the time`}
      .{" "}
      {next && (
        <>
          The next of these is{" "}
          <Link to="/pipelines/$pipeline" params={{ pipeline: next.schedule.pipeline }}>
            {next.schedule.pipeline}
          </Link>{" "}
          {relativeText(next.at, now)}.
        </>
      )}
      {troubles.length > 0 && <> Of those that are over {troubles.join(", ")}.</>}
      {overlapping.length > 0 && (
        <span className="warn-text">
          {" "}
          Likely to run still when the next tick comes:{" "}
          {overlapping.slice(0, namesShown).map((pipeline, at) => (
            <span key={pipeline}>
              {at > 0 && ", "}
              <Link to="/pipelines/$pipeline" params={{ pipeline }} search={{ tab: "durations" }}>
                {pipeline}
              </Link>
            </span>
          ))}
          {overlapping.length > namesShown && ` and ${overlapping.length - namesShown} more`}.
        </span>
      )}
    </p>
  );
}

function NoSchedules() {
  return (
    <div className="empty">
      <p>Here stands what will start, hour by hour. A pipeline names its schedule:</p>
      <Code text={firstSchedule} />
    </div>
  );
}
