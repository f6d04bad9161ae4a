/** Hours below each other, days beside each other. An hour that clocks skip is hatched; one that they show twice says so. */
import { Link, useRouter } from "@tanstack/react-router";
import { memo, type KeyboardEvent, type MouseEvent } from "react";
import { cellName, type Band, type Entry, type Plan } from "./plan.ts";
import { Tick } from "./tick.tsx";
import { wallOf, type ZonedDay } from "./zoned.ts";

interface CalendarProps {
  readonly plan: Plan;
  readonly days: readonly ZonedDay[];
  readonly zone: string;
  readonly now: number;
}

/** In a cell of a week; a day has room for all. */
const entriesShown = 4;
const hours = Array.from({ length: 24 }, (_, hour) => hour);

/** Drawn anew only as what it shows changes, and each minute. */
export const Calendar = memo(function Calendar({ plan, days, zone, now }: CalendarProps) {
  const router = useRouter();
  function follow(event: MouseEvent<HTMLElement>): void {
    const tick = (event.target as Element).closest<HTMLAnchorElement>("a.tick");
    if (!tick || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
      return;
    event.preventDefault();
    router.history.push(tick.getAttribute("href") ?? "/");
  }
  const present = wallOf(zone, now);
  const tracks = { gridTemplateColumns: `52px repeat(${days.length}, minmax(0, 1fr))` };
  return (
    <div
      className="calendar"
      role="table"
      aria-label={`Schedules in ${zone}`}
      tabIndex={0}
      onKeyDown={move}
      onClick={follow}
    >
      <div className="calendar-row calendar-head" role="row" style={tracks}>
        <span role="columnheader" className="quiet">
          {days.length === 1 ? "" : " "}
          <span className="unseen">hour</span>
        </span>
        {days.map((day) => (
          <span key={day.day} role="columnheader" className={day.day === present.day ? "today" : undefined}>
            <Link to="/schedules" search={(before) => ({ ...before, span: "day", from: day.day })}>
              {new Date(`${day.day}T12:00:00Z`).toLocaleDateString(undefined, {
                timeZone: "UTC",
                weekday: "short",
                day: "numeric",
                month: "short",
              })}
            </Link>
            <ClockChange day={day} />
          </span>
        ))}
      </div>
      {plan.bands.map((band) => (
        <Often
          key={`${band.schedule.pipeline} ${band.schedule.operand ?? ""} ${band.schedule.schedule}`}
          band={band}
        />
      ))}
      {hours.map((hour) => (
        <div key={hour} className="calendar-row" role="row" style={tracks}>
          <span role="rowheader" className="quiet">
            {String(hour).padStart(2, "0")}:00
          </span>
          {days.map((day, at) => (
            <Hour
              key={day.day}
              place={at}
              day={day}
              hour={hour}
              entries={plan.entries.get(cellName(day.day, hour)) ?? []}
              isNow={day.day === present.day && hour === present.hour}
              now={now}
              shown={days.length === 1 ? Number.POSITIVE_INFINITY : entriesShown}
            />
          ))}
        </div>
      ))}
    </div>
  );
});

function ClockChange({ day }: { readonly day: ZonedDay }) {
  const hoursOfDay = (day.to - day.from) / 3_600_000;
  if (hoursOfDay === 24) return null;
  return (
    <span className="warn-text">
      {" "}
      clocks go {hoursOfDay < 24 ? "forward" : "back"}: {hoursOfDay} h
    </span>
  );
}

/** What comes so often that its ticks would hide all others, with how the last of them went. */
function Often({ band: { schedule, overlap, counts, lastRun } }: { readonly band: Band }) {
  const { pipeline, paused } = schedule;
  return (
    <div className="calendar-row" role="row" style={{ gridTemplateColumns: "52px minmax(0, 1fr)" }}>
      <span role="cell" />
      <span role="cell" className={paused ? "band paused cut" : "band cut"}>
        <Link to="/triggers/$pipeline" params={{ pipeline }} title={`${pipeline}: ${schedule.schedule}`}>
          {paused && "‖ "}
          {pipeline}
        </Link>{" "}
        <span className="quiet">{schedule.schedule}</span>
        {counts.ran > 0 && (
          <>
            {" · "}
            <Link to="/runs" search={{ pipeline }}>
              ran {counts.ran === 1 ? "once" : `${counts.ran} times`} of late
            </Link>
          </>
        )}
        {counts.failed > 0 && (
          <>
            {", "}
            <Link to="/runs" search={{ pipeline, state: "failed" }} className="bad-text">
              ✕ {counts.failed} failed
            </Link>
          </>
        )}
        {counts.missed > 0 && <span className="quiet">, – {counts.missed} without a run</span>}
        {lastRun !== undefined && (
          <>
            {" · "}
            <Link to="/runs/$run" params={{ run: lastRun }}>
              the last one
            </Link>
          </>
        )}
        {overlap !== undefined && (
          <span className="warn-text">
            {" · "}
            <span aria-hidden="true">◫</span>{" "}
            {overlap === "always" ? "its runs overlap" : "some of its runs overlap"}
          </span>
        )}
      </span>
    </div>
  );
}

/** `j`, `k` and the arrows go through the ticks, in the order of time within a day. */
function move(event: KeyboardEvent<HTMLElement>): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  const day = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step === undefined && day === undefined) return;
  const ticks = [...event.currentTarget.querySelectorAll<HTMLElement>("a.tick")];
  const dayOf = (tick: Element): number =>
    Number(tick.closest<HTMLElement>("[data-day]")?.dataset["day"] ?? 0);
  const inOrder = ticks.toSorted((a, b) => dayOf(a) - dayOf(b));
  const here = inOrder.indexOf(document.activeElement as HTMLElement);
  event.preventDefault();
  if (here < 0) return inOrder[0]?.focus();
  if (step !== undefined) return inOrder[here + step]?.focus();
  const wanted = dayOf(inOrder[here]!) + day!;
  return inOrder.find((tick) => dayOf(tick) === wanted)?.focus();
}

interface HourProps {
  /** The how manieth day it is. */
  readonly place: number;
  readonly day: ZonedDay;
  readonly hour: number;
  readonly entries: readonly Entry[];
  readonly isNow: boolean;
  readonly now: number;
  readonly shown: number;
}

function Hour({ place, day, hour, entries, isNow, now, shown }: HourProps) {
  const begins = day.hours[hour] ?? 1;
  const look = begins < 1 ? "skipped" : begins > 1 ? "twice" : "";
  return (
    <span role="cell" className={`hour ${look}${isNow ? " now" : ""}`} data-day={place}>
      {begins < 1 && <span className="quiet">{begins === 0 ? "is skipped" : "half of it is skipped"}</span>}
      {begins > 1 && <span className="quiet">{begins === 2 ? "comes twice" : "half of it comes twice"}</span>}
      {entries.slice(0, shown).map((entry) => (
        <Tick
          key={`${entry.schedule.pipeline} ${entry.schedule.operand ?? ""} ${entry.at}`}
          entry={entry}
          now={now}
        />
      ))}
      {entries.length > shown && (
        <Link to="/schedules" search={(before) => ({ ...before, span: "day", from: day.day })}>
          {entries.length - shown} more
        </Link>
      )}
    </span>
  );
}
