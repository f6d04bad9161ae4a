/** Hours below each other, days beside each other. An hour that clocks skip is hatched; one that they show twice says so. */
import { Link } from "@tanstack/react-router";
import { cellName, type Entry, type Plan } from "./plan.ts";
import { exactText } from "../../parts/time-text.ts";
import { wallOf, type ZonedDay } from "./zoned.ts";

interface CalendarProps {
  readonly plan: Plan;
  readonly days: readonly ZonedDay[];
  readonly zone: string;
  readonly now: number;
}

/** In a cell of a week; a day has room for all. */
const entriesShown = 6;
const hours = Array.from({ length: 24 }, (_, hour) => hour);

export function Calendar({ plan, days, zone, now }: CalendarProps) {
  const present = wallOf(zone, now);
  const tracks = { gridTemplateColumns: `52px repeat(${days.length}, minmax(0, 1fr))` };
  return (
    <div className="calendar" role="table" aria-label={`Schedules in ${zone}`}>
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
      {plan.bands.map((schedule) => (
        <div
          key={`${schedule.pipeline} ${schedule.operand ?? ""} ${schedule.schedule}`}
          className="calendar-row"
          role="row"
          style={{ gridTemplateColumns: "52px minmax(0, 1fr)" }}
        >
          <span role="cell" />
          <span role="cell">
            <Link
              to="/triggers/$pipeline"
              params={{ pipeline: schedule.pipeline }}
              className={schedule.paused ? "band paused cut" : "band cut"}
              title={`${schedule.pipeline}: ${schedule.schedule}`}
            >
              {schedule.paused && "‖ "}
              {schedule.pipeline} <span className="quiet">{schedule.schedule}</span>
            </Link>
          </span>
        </div>
      ))}
      {hours.map((hour) => (
        <div key={hour} className="calendar-row" role="row" style={tracks}>
          <span role="rowheader" className="quiet">
            {String(hour).padStart(2, "0")}:00
          </span>
          {days.map((day) => (
            <Hour
              key={day.day}
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
}

function ClockChange({ day }: { readonly day: ZonedDay }) {
  const skipped = day.hours.indexOf(0);
  const twice = day.hours.findIndex((count) => count > 1);
  if (skipped >= 0) return <span className="warn-text"> clocks go forward</span>;
  if (twice >= 0) return <span className="warn-text"> clocks go back</span>;
  return null;
}

interface HourProps {
  readonly day: ZonedDay;
  readonly hour: number;
  readonly entries: readonly Entry[];
  readonly isNow: boolean;
  readonly now: number;
  readonly shown: number;
}

function Hour({ day, hour, entries, isNow, now, shown }: HourProps) {
  const begins = day.hours[hour] ?? 1;
  const look = begins === 0 ? "skipped" : begins > 1 ? "twice" : "";
  return (
    <span role="cell" className={`hour ${look}${isNow ? " now" : ""}`}>
      {begins === 0 && <span className="quiet">is skipped</span>}
      {begins > 1 && <span className="quiet">comes twice</span>}
      {entries.slice(0, shown).map(({ schedule, at, time }) => (
        <Link
          key={`${schedule.pipeline} ${schedule.operand ?? ""} ${at}`}
          to="/triggers/$pipeline"
          params={{ pipeline: schedule.pipeline }}
          className={`tick cut${at < now ? " past" : ""}${schedule.paused ? " paused" : ""}`}
          title={titleOf({ schedule, at, time })}
        >
          <span className="quiet">{time}</span> {schedule.paused && "‖ "}
          {schedule.pipeline}
          {!schedule.alone && <span className="quiet"> and more</span>}
        </Link>
      ))}
      {entries.length > shown && (
        <Link to="/schedules" search={(before) => ({ ...before, span: "day", from: day.day })}>
          {entries.length - shown} more
        </Link>
      )}
    </span>
  );
}

function titleOf({ schedule, at }: Entry): string {
  return [
    `${schedule.pipeline}: ${schedule.schedule}`,
    exactText(at),
    schedule.paused ? "It is paused: this tick is kept until it is resumed." : "",
    schedule.alone ? "" : "Its condition asks for more than this tick.",
    schedule.jitterMs === undefined ? "" : "Its runs begin a little later, spread over time.",
  ]
    .filter((part) => part !== "")
    .join("\n");
}
