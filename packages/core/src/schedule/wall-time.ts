/** Wall time in the Gregorian calendar, as milliseconds that UTC would have (see `zone.ts`), and as text. */
import { dayMs } from "./zone.ts";

/** Days since 1970-01-01 of a date `2026-12-24`; `undefined` when there is no such date. */
export function parseDay(text: string): number | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (!match) return undefined;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || formatDay(ms / dayMs) !== text ? undefined : ms / dayMs;
}

export function formatDay(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** `2026-12-24`, `2026-12-24T06:00` or `2026-12-24T06:00:00`; `undefined` when it is none. */
export function parseWallTime(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
  if (!match) return undefined;
  const day = parseDay(match[1] ?? "");
  const [hour, minute, second] = [match[2] ?? 0, match[3] ?? 0, match[4] ?? 0].map(Number);
  if (day === undefined || hour === undefined || minute === undefined || second === undefined)
    return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return day * dayMs + ((hour * 60 + minute) * 60 + second) * 1_000;
}

export function formatWallTime(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 19);
}

/** 1 is Monday, 7 is Sunday. */
export function weekdayOf(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

/** The same time of day some months later; a day that the month lacks becomes its last. */
export function addMonths(wallMs: number, months: number): number {
  const date = new Date(wallMs);
  const month = date.getUTCFullYear() * 12 + date.getUTCMonth() + months;
  const firstMs = Date.UTC(Math.floor(month / 12), ((month % 12) + 12) % 12);
  const lastDay = new Date(Date.UTC(Math.floor(month / 12), (((month % 12) + 12) % 12) + 1, 0)).getUTCDate();
  const timeOfDayMs = ((wallMs % dayMs) + dayMs) % dayMs;
  return firstMs + (Math.min(date.getUTCDate(), lastDay) - 1) * dayMs + timeOfDayMs;
}

/** Whole months between two wall times, by year and month alone. */
export function monthsBetween(fromMs: number, toMs: number): number {
  const from = new Date(fromMs);
  const to = new Date(toMs);
  return (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
}
