/** Time as a place on a line: where an instant stands, and which instants are worth a mark. */
export interface Axis {
  readonly from: number;
  readonly until: number;
  readonly width: number;
}

export function placeOf({ from, until, width }: Axis, at: number): number {
  return ((Math.min(Math.max(at, from), until) - from) / (until - from)) * width;
}

const minute = 60_000;
const steps = [1, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1_440].map((minutes) => minutes * minute);
/** Between two marks. */
const roomMin = 84;

/** Round instants in the reader's zone, as many as have room. */
export function marksOf(axis: Axis): readonly number[] {
  const { from, until, width } = axis;
  const step = steps.find((one) => (one / (until - from)) * width >= roomMin) ?? steps.at(-1)!;
  const offset = new Date(from).getTimezoneOffset() * minute;
  const first = Math.ceil((from - offset) / step) * step + offset;
  const marks: number[] = [];
  for (let at = first; at <= until; at += step) marks.push(at);
  return marks;
}

export function markText(at: number): string {
  const date = new Date(at);
  const text = `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
  return text === "00:00" ? `${date.getMonth() + 1}-${String(date.getDate()).padStart(2, "0")} 00:00` : text;
}
