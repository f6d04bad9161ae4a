/**
 * Time zones: which offset from UTC holds when. What is known comes from `Intl` alone, that is from the platform's time zone
 * database, and this is the only file of the core that asks it.
 *
 * Wall time is written as the milliseconds that UTC would have if its clocks showed the same: arithmetic over it needs no
 * zone. An offset holds over a *span*; spans end where clocks change, and at each turn of the UTC year, where nothing changes.
 *
 * Z1: an instant lies in exactly one span, and its wall time is the instant plus the span's offset.
 * Z2: a wall time that clocks skip stands for the first instant after the gap; one that they show twice for the first of the
 *     two. `instantOf` is therefore total, and does not decrease.
 * Z3: local days follow each other without overlap, from the first instant of one to the first of the next, also where clocks
 *     go back over midnight. A date that a zone skips is a day without length.
 */
import { MillraceError } from "../error/millrace-error.ts";
import { formatPath, type Path } from "../json.ts";
import { nearestName } from "../nearest-name.ts";

/** A stretch of time with one offset: `startMs` is in it, `endMs` is not. */
export interface OffsetSpan {
  readonly startMs: number;
  readonly endMs: number;
  readonly offsetMs: number;
}

export const dayMs = 86_400_000;

/** Clocks have differed from UTC by less than this, always and everywhere. */
const offsetMsMax = 16 * 3_600_000;
/** How far apart offsets are looked at: less than any was or will be kept (a week but an hour, Recife 2000 and Gaza 2040). */
const probeMs = 6 * dayMs;
/** More than there are names; it only bounds what odd spellings could add. */
const zonesMax = 2_000;

const zones = new Map<string, Zone>();

interface Zone {
  readonly format: Intl.DateTimeFormat;
  readonly years: Map<number, readonly OffsetSpan[]>;
}

/** The zone's name in its usual spelling; throws when there is none like it. */
export function parseTimeZone(value: unknown, path: Path = []): string {
  if (typeof value !== "string" || value === "") {
    throw new MillraceError("MILLRACE_TIME_ZONE_UNKNOWN", {
      message: `${formatPath(path)} must be the name of a time zone such as "Europe/Berlin", found ${JSON.stringify(value)}.`,
      fields: { path: formatPath(path) },
    });
  }
  if (!exists(value)) {
    const nearest = nearestZone(value);
    throw new MillraceError("MILLRACE_TIME_ZONE_UNKNOWN", {
      message: `${formatPath(path)}: no time zone is named "${value}"${nearest === undefined ? "." : `; did you mean "${nearest}"?`}`,
      fields: { path: formatPath(path), zone: value, ...(nearest === undefined ? {} : { nearest }) },
    });
  }
  // Names that the database keeps for the sake of age, such as "US/Eastern", are not listed, and stay as they are written.
  return namesByLowerCase().get(value.toLowerCase()) ?? value;
}

let usualNames: ReadonlyMap<string, string> | undefined;

function namesByLowerCase(): ReadonlyMap<string, string> {
  usualNames ??= new Map(
    ["UTC", ...Intl.supportedValuesOf("timeZone")].map((name) => [name.toLowerCase(), name]),
  );
  return usualNames;
}

/** The span that holds the instant. */
export function spanAt(zone: string, instantMs: number): OffsetSpan {
  const spans = spansOfYear(zoneOf(zone), new Date(instantMs).getUTCFullYear());
  for (const span of spans) if (instantMs < span.endMs) return span;
  throw new RangeError(`no span of ${zone} holds ${instantMs}`);
}

/** What the zone's clocks show at the instant. */
export function wallTimeOf(zone: string, instantMs: number): number {
  return instantMs + spanAt(zone, instantMs).offsetMs;
}

/** The instant at which the zone's clocks show the wall time first, or right after the gap that skips it (Z2). */
export function instantOf(zone: string, wallMs: number): number {
  // A day of slack: no offset has ever changed by more.
  let span = spanAt(zone, wallMs - offsetMsMax - dayMs);
  while (wallMs - span.offsetMs >= span.endMs) span = spanAt(zone, span.endMs);
  return Math.max(wallMs - span.offsetMs, span.startMs);
}

/** Days since 1970-01-01 of the local day that the instant belongs to (Z3). */
export function localDayOf(zone: string, instantMs: number): number {
  let day = Math.floor(wallTimeOf(zone, instantMs) / dayMs);
  while (startOfDay(zone, day) > instantMs) day -= 1;
  while (startOfDay(zone, day + 1) <= instantMs) day += 1;
  return day;
}

/** The first instant of a local day, given as days since 1970-01-01. */
export function startOfDay(zone: string, day: number): number {
  return instantOf(zone, day * dayMs);
}

function exists(zone: string): boolean {
  try {
    zoneOf(zone);
    return true;
  } catch {
    return false;
  }
}

function nearestZone(wrong: string): string | undefined {
  const names = [...namesByLowerCase().values()];
  const whole = nearestName(wrong, names);
  if (whole !== undefined) return whole;
  // People often write the city alone.
  const cities = new Map(names.map((name) => [name.slice(name.lastIndexOf("/") + 1), name]));
  const city = nearestName(wrong.slice(wrong.lastIndexOf("/") + 1).replaceAll(" ", "_"), cities.keys());
  return city === undefined ? undefined : cities.get(city);
}

function zoneOf(name: string): Zone {
  let zone = zones.get(name);
  if (!zone) {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    zone = { format, years: new Map() };
    if (zones.size >= zonesMax) zones.clear();
    zones.set(name, zone);
  }
  return zone;
}

function spansOfYear(zone: Zone, year: number): readonly OffsetSpan[] {
  let spans = zone.years.get(year);
  if (!spans) {
    spans = findSpans(zone.format, Date.UTC(year, 0), Date.UTC(year + 1, 0));
    zone.years.set(year, spans);
  }
  return spans;
}

function findSpans(format: Intl.DateTimeFormat, fromMs: number, toMs: number): OffsetSpan[] {
  const spans: OffsetSpan[] = [];
  let startMs = fromMs;
  let offsetMs = offsetAt(format, fromMs);
  for (let atMs = fromMs; atMs < toMs; atMs += probeMs) {
    const nextMs = Math.min(atMs + probeMs, toMs - 1_000);
    const nextOffsetMs = offsetAt(format, nextMs);
    if (nextOffsetMs === offsetMs) continue;
    const changeMs = findChange(format, atMs, nextMs, offsetMs);
    spans.push({ startMs, endMs: changeMs, offsetMs });
    startMs = changeMs;
    offsetMs = nextOffsetMs;
  }
  spans.push({ startMs, endMs: toMs, offsetMs });
  return spans;
}

/** The first whole second after `lowMs` at which `offsetMs` no longer holds; at `highMs` it does not. */
function findChange(format: Intl.DateTimeFormat, lowMs: number, highMs: number, offsetMs: number): number {
  let low = lowMs / 1_000;
  let high = highMs / 1_000;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(format, middle * 1_000) === offsetMs) low = middle;
    else high = middle;
  }
  return high * 1_000;
}

/** At a whole second. */
function offsetAt(format: Intl.DateTimeFormat, instantMs: number): number {
  const [month, day, year, hour, minute, second] = format.format(instantMs).split(/\D+/).map(Number);
  return Date.UTC(year ?? Number.NaN, (month ?? 0) - 1, day, hour, minute, second) - instantMs;
}
