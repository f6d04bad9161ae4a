/** Draws the part of a grid that is in view on a canvas: a mark for each state is drawn once and copied into its cells. */
import { gridStates, type RunState } from "@millrace/protocol";
import { stateKind, stateMark, type AnyState } from "../../parts/state.tsx";
import { wallClock } from "../../parts/zone.ts";
import { stateAt, type GridView } from "./grid-model.ts";

export const cellWidth = 13;
export const cellHeight = 17;
export const headHeight = 72;
/** Of the head: what the bars of durations take. */
const barsHeight = 44;
const labelEvery = 70;

export interface Cell {
  /** −1: the head. */
  readonly row: number;
  readonly column: number;
}

export interface Colors {
  readonly [name: string]: string;
}

const colorNames = ["paper", "paper-2", "ink", "ink-2", "line", "line-2", "accent", "on-accent"];
const kinds = ["good", "busy", "wait", "warn", "bad", "off"];

/** Colours as the theme has them now: `light-dark()` is worked out by an element. */
export function readColors(element: HTMLElement): Colors {
  const probe = document.createElement("span");
  element.append(probe);
  const names = [...colorNames, ...kinds, ...kinds.map((kind) => `${kind}-fill`)];
  const colors: { [name: string]: string } = {};
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    colors[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colors;
}

export interface Frame {
  readonly view: GridView;
  readonly colors: Colors;
  /** Of the canvas, and how far the grid below it is scrolled. */
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly hovered: Cell | undefined;
  readonly selected: Cell | undefined;
  /** The duration that a bar of full height stands for, in ms. */
  readonly longest: number;
  readonly now: number;
}

interface Mark {
  readonly image: HTMLCanvasElement;
  readonly pattern: CanvasPattern;
}

const marks = new Map<string, Mark>();

export function paint(canvas: HTMLCanvasElement, frame: Frame): void {
  const { width, height, colors } = frame;
  const ratio = devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  paintLines(context, frame);
  paintCells(context, frame, ratio);
  context.fillStyle = colors["paper"]!;
  context.fillRect(0, 0, width, headHeight);
  paintHead(context, frame);
}

function firstColumn({ left }: Frame): number {
  return Math.max(0, Math.floor(left / cellWidth));
}

function lastColumn({ left, width, view }: Frame): number {
  return Math.min(view.columns.length - 1, Math.floor((left + width) / cellWidth));
}

/** The row and the column that are looked at. */
function paintLines(context: CanvasRenderingContext2D, frame: Frame): void {
  const { hovered, selected, colors, left, top, width, height } = frame;
  for (const [cell, color] of [
    [hovered, colors["paper-2"]],
    [selected, colors["paper-2"]],
  ] as const) {
    if (!cell || color === undefined) continue;
    context.fillStyle = color;
    context.fillRect(cell.column * cellWidth - left, 0, cellWidth, height);
    if (cell.row >= 0) context.fillRect(0, headHeight + cell.row * cellHeight - top, width, cellHeight);
  }
}

function paintCells(context: CanvasRenderingContext2D, frame: Frame, ratio: number): void {
  const { view, left, top, height, colors, selected } = frame;
  const firstRow = Math.max(0, Math.floor(top / cellHeight));
  const lastRow = Math.min(view.rows.length - 1, Math.floor((top + height - headHeight) / cellHeight));
  for (let column = firstColumn(frame); column <= lastColumn(frame); column += 1) {
    const own = view.columns[column]!;
    const x = column * cellWidth - left;
    for (let row = firstRow; row <= lastRow;) {
      const state = stateAt(own, view.rows[row]!);
      let end = row + 1;
      while (end <= lastRow && stateAt(own, view.rows[end]!) === state) end += 1;
      const y = headHeight + row * cellHeight - top;
      if (state !== undefined) paintStretch(context, markOf(state, colors, ratio), x, y, end - row);
      row = end;
    }
  }
  if (!selected) return;
  context.strokeStyle = colors["accent"]!;
  context.lineWidth = 2;
  const y = selected.row < 0 ? 1 : headHeight + selected.row * cellHeight - top;
  context.strokeRect(
    selected.column * cellWidth - left,
    y,
    cellWidth,
    selected.row < 0 ? headHeight - 2 : cellHeight,
  );
}

/** Cells below each other of one state are filled at once: most of them are. */
function paintStretch(
  context: CanvasRenderingContext2D,
  { image, pattern }: Mark,
  x: number,
  y: number,
  count: number,
): void {
  if (count === 1) {
    context.drawImage(image, x, y, cellWidth, cellHeight);
    return;
  }
  context.save();
  context.translate(x, y);
  context.scale(cellWidth / image.width, cellHeight / image.height);
  context.fillStyle = pattern;
  context.fillRect(0, 0, image.width, image.height * count);
  context.restore();
}

function markOf(state: AnyState, colors: Colors, ratio: number): Mark {
  const kind = stateKind(state);
  const name = `${state} ${colors[kind]} ${colors[`${kind}-fill`]} ${ratio}`;
  const known = marks.get(name);
  if (known) return known;
  const mark = document.createElement("canvas");
  mark.width = Math.round(cellWidth * ratio);
  mark.height = Math.round(cellHeight * ratio);
  const context = mark.getContext("2d")!;
  context.scale(mark.width / cellWidth, mark.height / cellHeight);
  // What is well is a block; all else has its mark, so that it is told apart in grey as well.
  if (state !== "skipped" && state !== "pending" && state !== "upstream_failed") {
    context.fillStyle = colors[`${kind}-fill`]!;
    context.beginPath();
    context.roundRect(1, 1, cellWidth - 2, cellHeight - 2, 2);
    context.fill();
  }
  if (state !== "succeeded") {
    context.fillStyle = state === "failed" ? "#fff" : colors[kind]!;
    context.font = `${state === "failed" ? "bold " : ""}10px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(stateMark(state), cellWidth / 2, cellHeight / 2 + 0.5);
  }
  const made = { image: mark, pattern: context.createPattern(mark, "repeat")! };
  marks.set(name, made);
  return made;
}

function paintHead(context: CanvasRenderingContext2D, frame: Frame): void {
  const { view, left, colors, longest, now, width, selected, hovered } = frame;
  const base = headHeight - 5;
  let labelled = Number.NEGATIVE_INFINITY;
  let day = "";
  context.textBaseline = "top";
  context.textAlign = "left";
  for (let column = firstColumn(frame); column <= lastColumn(frame); column += 1) {
    const { run } = view.columns[column]!;
    const x = column * cellWidth - left;
    const isNear = selected?.column === column || hovered?.column === column;
    const bar = Math.max(2, barsHeight * Math.min(1, Math.sqrt(durationOf(run, now) / longest)));
    context.fillStyle = headColor(run.state, colors, isNear);
    context.fillRect(x + 1.5, base - bar, cellWidth - 3, bar);
    const date = wallClock(Date.parse(run.createdAt));
    const ownDay = date.toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
    const isNewDay = ownDay !== day;
    if (x - labelled >= labelEvery || (isNewDay && x - labelled >= labelEvery * 0.7)) {
      const time = date.toISOString().slice(11, 16);
      context.fillStyle = colors["line-2"]!;
      context.fillRect(x, 2, 1, 14);
      context.fillStyle = colors["ink-2"]!;
      context.font = "11px system-ui, sans-serif";
      context.fillText(isNewDay ? ownDay : time, x + 4, 3);
      labelled = x;
      day = ownDay;
    }
  }
  context.fillStyle = colors["line-2"]!;
  context.fillRect(0, headHeight - 1, width, 1);
}

function headColor(state: RunState, colors: Colors, isNear: boolean): string {
  const kind = stateKind(state);
  return colors[isNear ? kind : `${kind}-fill`]!;
}

export function durationOf(
  run: { readonly startedAt?: string; readonly endedAt?: string },
  now: number,
): number {
  if (run.startedAt === undefined) return 0;
  return Math.max(0, (run.endedAt === undefined ? now : Date.parse(run.endedAt)) - Date.parse(run.startedAt));
}

/** For a legend: those that a grid can show. */
export const shownStates: readonly AnyState[] = gridStates;
