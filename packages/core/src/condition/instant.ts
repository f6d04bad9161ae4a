/** Reads an event's own time: RFC 3339, or a number of seconds or milliseconds since 1970 as text. */
export function readInstant(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const number = Number(text);
  // Seconds reach this bound in the year 5138, milliseconds have passed it in 1973.
  if (Number.isFinite(number)) return Math.abs(number) < 100_000_000_000 ? number * 1_000 : number;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
