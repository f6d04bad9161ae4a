/** Times of events: RFC 3339, to the microsecond. */
const pattern =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?(?:([Zz])|([+-])(\d\d):(\d\d))$/;

/** ms since 1970, with a fraction for microseconds; nothing when the text is not a time of the years 1 to 9999. */
export function parseEventTime(text: string): number | undefined {
  const parts = pattern.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second, fraction, , sign, offsetHours, offsetMinutes] = parts;
  // A leap second counts as the second after it.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  if (Number(offsetHours ?? 0) > 23 || Number(offsetMinutes ?? 0) > 59) return undefined;
  const at = new Date(0);
  at.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (at.getUTCMonth() !== Number(month) - 1 || at.getUTCDate() !== Number(day)) return undefined;
  at.setUTCHours(Number(hour), Number(minute), Number(second));
  const offsetMs = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * 60_000;
  const whole = at.getTime() - (sign === "-" ? -offsetMs : offsetMs);
  const microseconds = fraction === undefined ? 0 : Number(fraction.padEnd(6, "0").slice(0, 6));
  if (whole < timeMin || whole >= timeEnd) return undefined;
  // So far from 1970 the last microsecond is rounded up to the year 10000.
  return Math.min(whole + microseconds / 1_000, timeEnd - 1 / 32);
}

const timeMin = new Date(0).setUTCFullYear(1, 0, 1);
const timeEnd = Date.UTC(10_000, 0);

/** The time in UTC, with as many digits as it needs from milliseconds on. */
export function formatEventTime(time: number): string {
  const whole = Math.floor(time);
  const microseconds = Math.round((time - whole) * 1_000);
  if (microseconds >= 1_000) return formatEventTime(whole + 1);
  const text = new Date(whole).toISOString();
  return microseconds === 0 ? text : `${text.slice(0, -1)}${String(microseconds).padStart(3, "0")}Z`;
}
