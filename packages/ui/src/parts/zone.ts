/** In whose time instants are shown: the browser's own zone, UTC, or another one of the reader's choice, which the browser keeps. */
import { useSyncExternalStore } from "react";

const keptAs = "millrace.zone";
/** The browser's own. */
const local = "local";

const listeners = new Set<() => void>();
let chosen: string | undefined;

/** `local`, `UTC` or a zone's name. */
export function zoneChoice(): string {
  if (chosen === undefined) {
    const kept = typeof localStorage === "undefined" ? null : localStorage.getItem(keptAs);
    chosen = kept !== null && isZone(kept) ? kept : local;
  }
  return chosen;
}

export function chooseZone(zone: string): void {
  chosen = zone === local || isZone(zone) ? zone : local;
  localStorage.setItem(keptAs, chosen);
  for (const listener of listeners) listener();
}

export function useZoneChoice(): string {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, zoneChoice);
}

export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The chosen one by its name. */
export function zoneName(): string {
  return zoneChoice() === local ? ownZone() : zoneChoice();
}

/** `CET`, `EST`, `UTC`: some languages know the names of some zones alone. */
export function zoneShortName(at: number): string {
  const names = ["en-GB", "en-US"].map((language) =>
    Intl.DateTimeFormat(language, { timeZone: zoneName(), timeZoneName: "short" })
      .formatToParts(at)
      .find(({ type }) => type === "timeZoneName"),
  );
  const texts = names.map((name) => name?.value ?? zoneName());
  return texts.find((text) => !/^GMT[+-]/.test(text)) ?? texts[0]!;
}

export function isZone(zone: string): boolean {
  if (zone === local) return true;
  try {
    return zone !== "" && Intl.DateTimeFormat("en", { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

const second = 1_000;
const minute = 60 * second;
/** Offsets change at quarters of an hour at the most. */
const quarter = 15 * minute;
const offsets = new Map<string, number>();
const offsetsMax = 5_000;
const formats = new Map<string, Intl.DateTimeFormat>();

export function wallFormat(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  formats.set(zone, format);
  return format;
}

/** How far the chosen zone's clocks are ahead of UTC, in ms. */
export function zoneOffset(at: number): number {
  const choice = zoneChoice();
  if (choice === "UTC") return 0;
  if (choice === local) return -new Date(at).getTimezoneOffset() * minute;
  const from = Math.floor(at / quarter) * quarter;
  const name = `${choice} ${from}`;
  const known = offsets.get(name);
  if (known !== undefined) return known;
  const parts = new Map(
    wallFormat(choice)
      .formatToParts(from)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const wall = Date.UTC(
    parts.get("year")!,
    parts.get("month")! - 1,
    parts.get("day"),
    parts.get("hour"),
    parts.get("minute"),
    parts.get("second"),
  );
  if (offsets.size > offsetsMax) offsets.clear();
  offsets.set(name, wall - from);
  return wall - from;
}

/** What clocks of the chosen zone show: a date whose parts in UTC are theirs. */
export function wallClock(at: number): Date {
  return new Date(at + zoneOffset(at));
}

/** The instant at which the chosen zone's clocks show this, given as `wallClock` gives it; the first of two. */
export function instantOf(wall: number): number {
  const first = wall - zoneOffset(wall);
  return wall - zoneOffset(first);
}
