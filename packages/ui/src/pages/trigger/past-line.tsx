/** The timeline of a trigger's past: a lane for each operand, what fired below, and the slider that chooses a moment on it. */
import { getRouteApi, Link } from "@tanstack/react-router";
import { useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import type { TriggerHistoryView, TriggerMomentView } from "@millrace/protocol";
import { useNow } from "../../parts/now.ts";
import { clockText } from "../../parts/time-text.ts";
import { marksOf, markText, placeOf, type Axis } from "../../parts/timeline/axis.ts";
import { lanesOf, momentId, placeAt, spanOf, type Lane } from "./past-model.ts";

const route = getRouteApi("/triggers/$pipeline");
const laneHeight = 20;
const axisHeight = 20;
const labelRoom = 36;

interface PastLineProps {
  readonly history: TriggerHistoryView;
  /** The place of the chosen moment; absent: now. */
  readonly chosen: number | undefined;
  readonly onChoose: (place: number | undefined) => void;
}

export function PastLine({ history, chosen, onChoose }: PastLineProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  const now = useNow();
  const { moments } = history;
  const lanes = lanesOf(history);
  const span = spanOf(history);
  const axis: Axis = { ...span, width };
  const height = axisHeight + lanes.length * laneHeight;
  const marks = marksOf(axis).filter((mark) => placeOf(axis, mark) < width - labelRoom);
  const at = chosen === undefined ? undefined : moments[chosen];
  const x = at ? placeOf(axis, Date.parse(at.at)) : width;

  function step(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = (chosen ?? moments.length) + by;
    onChoose(next >= moments.length ? undefined : Math.max(0, next));
  }

  return (
    <div className="past">
      <ul className="names" aria-hidden="true" style={{ paddingTop: axisHeight }}>
        {lanes.map(({ name, kind }) => (
          <li
            key={`${kind} ${name}`}
            className={kind === "operand" ? undefined : "quiet"}
            style={{ height: laneHeight }}
            title={name}
          >
            {name}
          </li>
        ))}
      </ul>
      <div ref={box} className="drawing">
        {width > 0 && (
          <svg
            width={width}
            height={height}
            role="group"
            aria-label={`Moments from ${clockText(span.from, now)} to ${clockText(span.until, now)}`}
          >
            {marks.map((mark) => (
              <g key={mark} className="axis">
                <line x1={placeOf(axis, mark)} x2={placeOf(axis, mark)} y1={axisHeight - 4} y2={height} />
                <text x={placeOf(axis, mark) + 3} y={axisHeight - 7}>
                  {markText(mark)}
                </text>
              </g>
            ))}
            {marks.length < 2 && (
              <g className="axis">
                <text x={0} y={axisHeight - 7}>
                  {clockText(span.from, now)}
                </text>
                <text x={width} y={axisHeight - 7} textAnchor="end">
                  {clockText(span.until, now)}
                </text>
              </g>
            )}
            {history.pauses.map(({ from, to }) => (
              <rect
                key={from.position}
                className="pause"
                x={placeOf(axis, Date.parse(from.at))}
                width={Math.max(
                  2,
                  placeOf(axis, to ? Date.parse(to.at) : span.until) - placeOf(axis, Date.parse(from.at)),
                )}
                y={axisHeight}
                height={height - axisHeight}
              >
                <title>{`paused from ${clockText(Date.parse(from.at), now)}${to ? ` to ${clockText(Date.parse(to.at), now)}` : ""}`}</title>
              </rect>
            ))}
            {lanes.map((lane, index) => (
              <LaneMarks
                key={`${lane.kind} ${lane.name}`}
                lane={lane}
                moments={moments}
                axis={axis}
                y={axisHeight + index * laneHeight + laneHeight / 2}
                chosen={chosen}
              />
            ))}
            <line className="cursor" x1={x} x2={x} y1={axisHeight - 4} y2={height} />
          </svg>
        )}
        <input
          type="range"
          className="slider"
          aria-label="Moment of the past"
          aria-valuetext={at ? clockText(Date.parse(at.at), now) : "now"}
          min={span.from}
          max={span.until}
          step="any"
          value={at ? Date.parse(at.at) : span.until}
          onKeyDown={step}
          onChange={({ target }) => {
            const time = target.valueAsNumber;
            if (time >= span.until - (span.until - span.from) * 0.01) onChoose(undefined);
            else onChoose(Math.max(0, placeAt(moments, time)));
          }}
        />
      </div>
    </div>
  );
}

interface LaneMarksProps {
  readonly lane: Lane;
  readonly moments: readonly TriggerMomentView[];
  readonly axis: Axis;
  readonly y: number;
  readonly chosen: number | undefined;
}

function LaneMarks({ lane, moments, axis, y, chosen }: LaneMarksProps) {
  const now = useNow();
  return (
    <g className={`lane ${lane.kind}`}>
      <line x1={0} x2={axis.width} y1={y} y2={y} />
      {lane.at.map((place) => {
        const moment = moments[place]!;
        const x = placeOf(axis, Date.parse(moment.at));
        const what = wordsOf(moment, lane, clockText(Date.parse(moment.at), now));
        const look = place === chosen ? "mark chosen" : "mark";
        return (
          <Link
            key={place}
            from={route.id}
            to="."
            search={(before) => ({ ...before, at: momentId(moment) })}
            replace
            tabIndex={-1}
            aria-label={what}
          >
            <title>{what}</title>
            <rect className="catch" x={x - 4} y={y - 9} width={8} height={18} />
            {lane.kind === "fired" ? (
              <path
                className={moment.firings.some(({ real }) => real) ? look : `${look} unmade`}
                d={`M ${x} ${y - 6} L ${x + 6} ${y} L ${x} ${y + 6} L ${x - 6} ${y} Z`}
              />
            ) : (
              <rect className={look} x={x - 1} y={y - 7} width={2} height={14} />
            )}
          </Link>
        );
      })}
    </g>
  );
}

function wordsOf(moment: TriggerMomentView, { name, kind }: Lane, clock: string): string {
  if (kind === "fired") return `fired at ${clock}`;
  if (kind === "time") return `time decided at ${clock}`;
  const { event, position } = moment;
  return event
    ? `${name}: ${event.type}${event.subject === undefined ? "" : ` ${event.subject}`}, entry ${position}, ${clock}`
    : `${name}: its time, ${clock}`;
}
