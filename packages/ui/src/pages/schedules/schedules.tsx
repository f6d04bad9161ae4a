/** What schedules will start, as a calendar of a week or a day in a zone of one's choice; changes of the clocks are seen. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import type { ScheduleTicksView } from "@millrace/protocol";
import { list } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { firstSchedule } from "../../parts/first-code.ts";
import { Head } from "../../parts/head.tsx";
import { useNow } from "../../parts/now.ts";
import { relativeText } from "../../parts/time-text.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { Calendar } from "./calendar.tsx";
import { planOf, type Plan } from "./plan.ts";
import { addDays, isZone, mondayOf, wallOf, zonedDay, type ZonedDay } from "./zoned.ts";

const route = getRouteApi("/schedules");
const ticksAsked = 200;
/** What a calendar can show: pages of a hundred pipelines each. */
const pagesMax = 10;

export function Schedules() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const now = useNow();
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
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
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } =
    useInfiniteQuery({
      ...list<ScheduleTicksView>("triggers", "/schedules", {
        from: new Date(days[0]!.from).toISOString(),
        to: new Date(days.at(-1)!.to).toISOString(),
        ticks: ticksAsked,
      }),
      placeholderData: (before) => before,
    });
  const pages = (data?.length ?? 0) / 100;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && pages < pagesMax) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, pages, fetchNextPage]);
  const shown = useMemo(
    () => (data ?? []).filter(({ pipeline }) => search.find === undefined || pipeline.includes(search.find)),
    [data, search.find],
  );
  const plan = useMemo(() => planOf(shown, days, zone), [shown, days, zone]);
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
            {zones.map((name) => (
              <option key={name} value={name}>
                {name}
                {name === own ? " (yours)" : ""}
              </option>
            ))}
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
      </div>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : isPending ? (
        <p className="quiet">Reading…</p>
      ) : data.length === 0 ? (
        <NoSchedules />
      ) : (
        <Calendar plan={plan} days={days} zone={zone} now={now} />
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
  const singles = upcoming.filter(({ schedule }) => !bands.includes(schedule));
  const single = singles.length;
  const isPresent = days[0]!.from <= now && now < days.at(-1)!.to;
  const next = isPresent ? singles.find(({ at }) => at > now) : undefined;
  const often = bands.filter(({ paused }) => !paused).length;
  return (
    <p>
      {single === 1 ? "One run" : `${single} runs`} by schedule{" "}
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
