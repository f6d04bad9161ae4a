/** A run's timeline as a file: all of its rows. */
import { stateKind, stateMark, stateWord } from "../state.tsx";
import { escapeXml, fitText, svgFace, svgMono, type Palette } from "../svg-file.ts";
import { offsetMarks, segmentKind, segmentText, type GanttRow, type Stretch } from "./gantt.ts";

export interface GanttPicture {
  /** The sentence above it. */
  readonly title: string;
  readonly rows: readonly GanttRow[];
  readonly span: Stretch;
}

/** Of `styles/run.css`. */
export const ganttColors: { readonly [name: string]: string } = {
  paper: "var(--paper)",
  ink: "var(--ink)",
  ink2: "var(--ink-2)",
  line: "var(--line)",
  goodInk: "var(--good)",
  busyInk: "var(--busy)",
  waitInk: "var(--wait)",
  warnInk: "var(--warn)",
  badInk: "var(--bad)",
  offInk: "var(--off)",
  good: "var(--good-fill)",
  busy: "var(--busy-fill)",
  bad: "var(--bad-fill)",
  off: "var(--off-fill)",
  queued: "var(--off)",
  waited: "var(--wait)",
  between: "var(--warn)",
};

const width = 1_280;
const nameWidth = 300;
const tookWidth = 76;
const barsAt = nameWidth + tookWidth + 12;
const barsWidth = width - barsAt - 16;
const rowHeight = 22;
const headHeight = 56;
const footHeight = 34;

export function ganttSvg({ title, rows, span }: GanttPicture, colors: Palette): string {
  const height = headHeight + rows.length * rowHeight + footHeight;
  const whole = span.until - span.from;
  const place = (at: number): number =>
    barsAt + (Math.min(Math.max(at - span.from, 0), whole) / whole) * barsWidth;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${svgFace}" font-size="12" fill="${colors["ink"]}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${colors["paper"]}"/>`,
    `<text x="12" y="22" font-size="13">${escapeXml(fitText(title, width - 24, 13))}</text>`,
  ];
  for (const { at, text } of offsetMarks(span)) {
    const x = Math.round(place(at)) + 0.5;
    parts.push(
      `<line x1="${x}" x2="${x}" y1="${headHeight - 4}" y2="${height - footHeight}" stroke="${colors["line"]}"/>`,
      `<text x="${x}" y="${headHeight - 9}" text-anchor="middle" font-size="11" fill="${colors["ink2"]}">${text}</text>`,
    );
  }
  for (const [index, row] of rows.entries())
    parts.push(rowSvg(row, headHeight + index * rowHeight, { place, colors }));
  parts.push(legend(height - 12, colors), "</svg>");
  return parts.join("\n");
}

interface Drawing {
  readonly place: (at: number) => number;
  readonly colors: Palette;
}

function rowSvg(row: GanttRow, top: number, { place, colors }: Drawing): string {
  const { id, lead, state, took, told, segments, whole, way } = row;
  const middle = top + rowHeight / 2;
  const leadWidth = lead.length * 7.2;
  const box = (
    { from, until }: Stretch,
    {
      color,
      height,
      y,
    }: { readonly color: string | undefined; readonly height: number; readonly y?: number },
    title: string,
  ): string => {
    const x = place(from);
    const wide = Math.max(1.5, place(until) - x);
    return `<rect x="${x.toFixed(1)}" y="${y ?? middle - height / 2}" width="${wide.toFixed(1)}" height="${height}" rx="1" fill="${color}"><title>${escapeXml(title)}</title></rect>`;
  };
  return [
    `<g><title>${escapeXml(`${id}: ${stateWord(state)}. ${told}`)}</title>`,
    `<line x1="0" x2="${width}" y1="${top + rowHeight - 0.5}" y2="${top + rowHeight - 0.5}" stroke="${colors["line"]}"/>`,
    `<text x="12" y="${middle + 4}" font-family="${svgMono}" xml:space="preserve" fill="${colors["ink2"]}">${escapeXml(lead)}</text>`,
    `<text x="${12 + leadWidth}" y="${middle + 4}" fill="${colors[`${stateKind(state)}Ink`]}">${escapeXml(stateMark(state))}</text>`,
    `<text x="${28 + leadWidth}" y="${middle + 4}"${way ? ' font-weight="600"' : ""}>${escapeXml(fitText(id, nameWidth - 34 - leadWidth, 12))}</text>`,
    `<text x="${nameWidth + tookWidth}" y="${middle + 4}" text-anchor="end">${escapeXml(took)}</text>`,
    whole ? box(whole, { color: colors[stateKind(state)] ?? colors["off"], height: 10 }, told) : "",
    ...segments.map((segment) => {
      const kind = segmentKind(segment, state);
      return box(
        segment,
        { color: colors[kind], height: segment.kind === "ran" ? 10 : 2 },
        segmentText(segment),
      );
    }),
    way ? box(way, { color: colors["ink"], height: 2, y: top + rowHeight - 4 }, "on the longest way") : "",
    "</g>",
  ].join("");
}

const kinds = [
  ["good", 10, "ran"],
  ["bad", 10, "failed"],
  ["queued", 2, "queued"],
  ["waited", 2, "waited"],
  ["between", 2, "between attempts"],
  ["ink", 2, "longest way"],
] as const;

function legend(y: number, colors: Palette): string {
  return kinds
    .map(([color, height, text], at) => {
      const x = barsAt + at * 120;
      return `<rect x="${x}" y="${y - 4 - height / 2}" width="18" height="${height}" fill="${colors[color]}"/><text x="${x + 24}" y="${y}" font-size="11" fill="${colors["ink2"]}">${text}</text>`;
    })
    .join("");
}
