/**
 * The shared timeline: runs as blocks by pipeline, what waits as thin lines, what calendars start next as hollow marks, events
 * as ticks over their pace. Time goes to the right; the line is the present.
 */
import { Link } from "@tanstack/react-router";
import { useLayoutEffect, useMemo, useRef, useState } from "react";
import type { TimelineView } from "@millrace/protocol";
import { useNow } from "../now.ts";
import { numberText } from "../number-text.ts";
import { stateKind, stateWord } from "../state.tsx";
import { clockText, durationText } from "../time-text.ts";
import { marksOf, markText, placeOf, type Axis } from "./axis.ts";
import { chosenRows, rowsOf, type Block, type TimelineRow } from "./rows.ts";

const rowHeight = 22;
const lineHeight = 7;
const axisHeight = 22;
const paceHeight = 34;
const rowsFirst = 14;
const blockMin = 3;
const tickRadius = 3.5;
const tickRoom = 9;

export function Timeline({ view }: { readonly view: TimelineView }) {
  const [isWhole, setWhole] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const rows = useMemo(() => rowsOf(view), [view]);
  const shown = isWhole ? rows : chosenRows(rows, rowsFirst);
  const axis: Axis = { from: Date.parse(view.from), until: Date.parse(view.until), width };
  const present = Math.max(useNow(), Date.parse(view.now));
  const heights = shown.map(({ lines }) => Math.max(rowHeight, lines * lineHeight + 8));
  const tops = heights.map((_, at) => axisHeight + sum(heights.slice(0, at)));
  const body = axisHeight + sum(heights);
  return (
    <>
      <div className="timeline">
        <ul className="names" style={{ paddingTop: axisHeight }} aria-label="Pipelines of the timeline">
          {shown.map(({ pipeline }, at) => (
            <li key={pipeline} style={{ height: heights[at] }}>
              <Link to="/runs" search={{ pipeline }} title={pipeline}>
                {pipeline}
              </Link>
            </li>
          ))}
          <li className="quiet" style={{ height: paceHeight }}>
            <Link to="/events">events</Link>
          </li>
        </ul>
        <div ref={box} className="drawing">
          {width > 0 && (
            <svg
              width={width}
              height={body + paceHeight}
              role="group"
              aria-label={`Runs and events from ${clockText(axis.from, present)} to ${clockText(axis.until, present)}`}
            >
              <AxisMarks axis={axis} height={body + paceHeight} present={present} />
              {shown.map((row, at) => (
                <Row
                  key={row.pipeline}
                  row={row}
                  axis={axis}
                  top={tops[at]!}
                  height={heights[at]!}
                  present={present}
                />
              ))}
              <Pace view={view} axis={axis} top={body} />
              <Present axis={axis} at={present} height={body + paceHeight} />
            </svg>
          )}
        </div>
      </div>
      <Notes view={view} rows={rows} shown={shown.length} onWhole={() => setWhole(true)} />
    </>
  );
}

interface AxisMarksProps {
  readonly axis: Axis;
  readonly height: number;
  readonly present: number;
}

function AxisMarks({ axis, height, present }: AxisMarksProps) {
  const nowAt = placeOf(axis, present);
  return marksOf(axis).map((at) => {
    const x = Math.round(placeOf(axis, at)) + 0.5;
    const hasRoom = x > 18 && x < axis.width - 18 && Math.abs(x - nowAt) > 36;
    return (
      <g key={at}>
        <line x1={x} x2={x} y1={axisHeight - 4} y2={height} className="grid" />
        {hasRoom && (
          <text x={x} y={12} textAnchor="middle">
            {markText(at)}
          </text>
        )}
      </g>
    );
  });
}

interface RowProps {
  readonly row: TimelineRow;
  readonly axis: Axis;
  readonly top: number;
  readonly height: number;
  readonly present: number;
}

function Row({ row, axis, top, height, present }: RowProps) {
  const inner = row.lines * lineHeight;
  const first = top + (height - inner) / 2;
  return (
    <g>
      <line x1={0} x2={axis.width} y1={top + height - 0.5} y2={top + height - 0.5} className="grid" />
      {row.blocks.map((block) => (
        <RunMark
          key={`${block.run.id} ${block.run.generation}`}
          block={block}
          axis={axis}
          y={row.lines === 1 ? top + height / 2 - 5 : first + block.line * lineHeight}
          height={row.lines === 1 ? 10 : lineHeight - 1}
          present={present}
        />
      ))}
      {tickGroups(row.ticks, axis).map((group) => (
        <TickMark
          key={group[0]}
          pipeline={row.pipeline}
          ticks={group}
          axis={axis}
          y={top + height / 2}
          present={present}
        />
      ))}
    </g>
  );
}

/** Ticks that would lie over each other are one mark. */
function tickGroups(ticks: readonly number[], axis: Axis): readonly (readonly number[])[] {
  const groups: number[][] = [];
  for (const at of ticks) {
    const last = groups.at(-1);
    if (last && placeOf(axis, at) - placeOf(axis, last.at(-1)!) < tickRoom) last.push(at);
    else groups.push([at]);
  }
  return groups;
}

interface TickMarkProps {
  readonly pipeline: string;
  readonly ticks: readonly number[];
  readonly axis: Axis;
  readonly y: number;
  readonly present: number;
}

function TickMark({ pipeline, ticks, axis, y, present }: TickMarkProps) {
  const [first, last] = [ticks[0]!, ticks.at(-1)!];
  const x = placeOf(axis, first);
  const what =
    ticks.length === 1
      ? `${pipeline} is due at ${clockText(first, present)}`
      : `${pipeline} is due ${ticks.length} times, from ${clockText(first, present)} to ${clockText(last, present)}`;
  return (
    <rect
      x={x - tickRadius}
      y={y - tickRadius}
      width={placeOf(axis, last) - x + 2 * tickRadius}
      height={2 * tickRadius}
      rx={tickRadius}
      className={ticks.length === 1 ? "tick-ahead" : "tick-ahead many"}
    >
      <title>{`${what}\n${utcText(first)}`}</title>
    </rect>
  );
}

interface RunMarkProps {
  readonly block: Block;
  readonly axis: Axis;
  readonly y: number;
  readonly height: number;
  readonly present: number;
}

function RunMark({ block, axis, y, height, present }: RunMarkProps) {
  const { run, begin } = block;
  const isOpen = run.endedAt === undefined;
  const end = isOpen ? present : block.end;
  const x = placeOf(axis, begin);
  const width = Math.max(blockMin, placeOf(axis, end) - x);
  const isThin = run.state === "waiting";
  const what = `${run.pipeline} ${stateWord(run.state)}, ${clockText(begin, present)}, ${durationText(end - begin)}${
    run.reason === undefined ? "" : `: ${run.reason.split("\n", 1)[0]}`
  }`;
  return (
    <Link to="/runs/$run" params={{ run: run.id }} tabIndex={-1} aria-label={what}>
      <title>{`${what}\n${utcText(begin)}`}</title>
      {isThin && <rect x={x} y={y - 2} width={width} height={height + 4} className="catch" />}
      <rect
        x={x}
        y={isThin ? y + height / 2 - 1 : y}
        width={width}
        height={isThin ? 2 : height}
        rx={1}
        className={`run ${stateKind(run.state)} ${run.state}`}
      />
      {run.state === "failed" && width < 8 && (
        <rect x={x - 1} y={y - 2} width={blockMin + 2} height={height + 4} className="run bad" />
      )}
    </Link>
  );
}

function Pace({
  view,
  axis,
  top,
}: {
  readonly view: TimelineView;
  readonly axis: Axis;
  readonly top: number;
}) {
  const most = Math.max(1, ...view.pace);
  const room = paceHeight - 12;
  const from = Date.parse(view.from);
  const perMinute = view.paceMs / 60_000;
  return (
    <g>
      {view.pace.map((count, at) => {
        if (count === 0) return null;
        const x = placeOf(axis, from + at * view.paceMs);
        const height = Math.max(1, (count / most) * room);
        const width = Math.max(1, placeOf(axis, from + (at + 1) * view.paceMs) - x - 1);
        return (
          <rect key={at} x={x} y={top + paceHeight - height} width={width} height={height} className="pace">
            <title>{`${numberText(count)} entries of the log in ${durationText(view.paceMs)} from ${clockText(
              from + at * view.paceMs,
              axis.until,
            )}: ${(count / perMinute).toFixed(count / perMinute < 10 ? 1 : 0)} a minute`}</title>
          </rect>
        );
      })}
      {view.events.map(({ position, type, subject, at }) => {
        const x = placeOf(axis, Date.parse(at));
        const what = `${type}${subject === undefined ? "" : ` ${subject}`} at ${clockText(Date.parse(at), axis.until)}`;
        return (
          <Link
            key={position}
            to="/events"
            search={{ event: String(position) }}
            tabIndex={-1}
            aria-label={what}
          >
            <title>{`${what}\n${utcText(Date.parse(at))}`}</title>
            <rect x={x - 2} y={top + 2} width={5} height={9} className="catch" />
            <line x1={x} x2={x} y1={top + 3} y2={top + 10} className="event" />
          </Link>
        );
      })}
    </g>
  );
}

/** At a hover, below the time in the chosen zone. */
function utcText(at: number): string {
  return new Date(at).toISOString();
}

function Present({
  axis,
  at,
  height,
}: {
  readonly axis: Axis;
  readonly at: number;
  readonly height: number;
}) {
  const x = Math.round(placeOf(axis, at)) + 0.5;
  return (
    <g className="present">
      <line x1={x} x2={x} y1={axisHeight - 6} y2={height} />
      <rect x={x - 14} y={1} width={28} height={14} />
      <text x={x} y={12} textAnchor="middle">
        now
      </text>
    </g>
  );
}

interface NotesProps {
  readonly view: TimelineView;
  readonly rows: readonly TimelineRow[];
  readonly shown: number;
  readonly onWhole: () => void;
}

/** What is not drawn, and the events' pace. */
function Notes({ view, rows, shown, onWhole }: NotesProps) {
  const perMinute = view.paceMs / 60_000;
  // The last stretch has not ended.
  const last = view.pace.at(-2) ?? 0;
  const most = Math.max(0, ...view.pace);
  const limits = [
    view.endedOfStretch === undefined
      ? undefined
      : `of each ${durationText(view.paceMs)} at most ${view.endedOfStretch} ended runs are drawn, and those that failed`,
    view.areLiveMore ? "of running and waiting runs the newest are drawn" : undefined,
  ].filter((text) => text !== undefined);
  return (
    <p className="quiet timeline-notes">
      {rows.length > shown && (
        <button type="button" className="fold" onClick={onWhole}>
          {rows.length - shown} more {rows.length - shown === 1 ? "pipeline" : "pipelines"}
        </button>
      )}
      <span>
        events: {rateText(last / perMinute)} a minute, at most {rateText(most / perMinute)}
      </span>
      {limits.map((text) => (
        <span key={text}>{text}</span>
      ))}
    </p>
  );
}

function rateText(value: number): string {
  return value >= 10 || Number.isInteger(value) ? numberText(Math.round(value)) : value.toFixed(1);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The element's width, as it changes. */
function useWidth(box: React.RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
