/** Days and hours of a zone, over changes of its clocks. Days are named as `2026-11-27`. */
import { wallFormat } from "../../parts/zone.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;

interface Wall {
  readonly day: string;
  readonly hour: number;
  readonly minute: number;
}

export function wallOf(zone: string, at: number): Wall {
  const parts = new Map(
    wallFormat(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  return {
    day: `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`,
    hour: Number(parts.get("hour")),
    minute: Number(parts.get("minute")),
  };
}

/** How far the zone's clocks are ahead of UTC, in ms. */
function offsetAt(zone: string, at: number): number {
  const { day, hour, minute } = wallOf(zone, at);
  return (
    Date.parse(`${day}T00:00:00Z`) + hour * hourMs + minute * minuteMs - Math.floor(at / minuteMs) * minuteMs
  );
}

/** `+02:00`, to tell the two times apart that a night with a change has. */
export function offsetText(zone: string, at: number): string {
  const minutes = Math.round(offsetAt(zone, at) / minuteMs);
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "−" : "+"}${String(Math.floor(size / 60)).padStart(2, "0")}:${String(size % 60).padStart(2, "0")}`;
}

/** The first instant of a day: where midnight is skipped, that at which the day begins. */
export function startOfDay(zone: string, day: string): number {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const first = midnight - offsetAt(zone, midnight);
  // The offset of a moment near it may be another one.
  const second = midnight - offsetAt(zone, first);
  return wallOf(zone, second).day === day ? second : Math.max(first, second);
}

export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * 24 * hourMs).toISOString().slice(0, 10);
}

/** The Monday of its week. */
export function mondayOf(day: string): string {
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  return addDays(day, -weekday);
}

export interface ZonedDay {
  readonly day: string;
  readonly from: number;
  readonly to: number;
  /** How much of each hour of the clock there is: 0 where clocks skip it, 2 where they go back over it, 0.5 where they skip half. */
  readonly hours: readonly number[];
}

export function zonedDay(zone: string, day: string): ZonedDay {
  const from = startOfDay(zone, day);
  const to = startOfDay(zone, addDays(day, 1));
  const hours = Array.from({ length: 24 }, () => 0);
  // Clocks change by half hours, too: on Lord Howe Island.
  for (let at = from; at < to; at += hourMs / 2) hours[wallOf(zone, at).hour]! += 0.5;
  return { day, from, to, hours };
}

export function isZone(zone: string): boolean {
  try {
    wallFormat(zone);
    return true;
  } catch {
    return false;
  }
}
