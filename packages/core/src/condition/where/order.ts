/** The order of texts, and times. */

/** Negative, zero or positive. By code point, as UTF-8 and databases order, which differs from that of code units. */
export function compareText(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all that one unit can hold. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

const rfc3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt ]((?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60))(?:\.(\d{1,9})\d*)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const charactersMax = 64;

/** The milliseconds of a time in RFC 3339, or `undefined`. Parts of a millisecond are cut off; a leap second is the next. */
export function parseTime(text: string): number | undefined {
  if (text.length > charactersMax) return undefined;
  const match = rfc3339.exec(text);
  if (!match) return undefined;
  const [, date = "", clock = "", fraction = "", zone = ""] = match;
  const leap = clock.endsWith(":60");
  const milliseconds = fraction.padEnd(3, "0").slice(0, 3);
  const plain = `${date}T${leap ? `${clock.slice(0, -2)}59` : clock}.${leap ? "999" : milliseconds}`;
  const ms = Date.parse(`${plain}${zone.toUpperCase()}`);
  if (!Number.isFinite(ms) || !isRealDate(date)) return undefined;
  return leap ? ms + 1 : ms;
}

/** `Date.parse` takes 31 February for a day in March. */
function isRealDate(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`);
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(date);
}
