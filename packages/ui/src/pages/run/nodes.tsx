/** The nodes of a run as an outline, each with its time beside it: queued, attempts, waits, what stood between them. */
import { useMemo, type CSSProperties } from "react";
import { unreachable } from "@millrace/core";
import { State, stateKind, stateWord } from "../../parts/state.tsx";
import { resolveColors, saveSvg } from "../../parts/svg-file.ts";
import { Table, type Column } from "../../parts/table.tsx";
import { durationText } from "../../parts/time-text.ts";
import type { PathStep, RunSpan } from "../../parts/timeline/critical-path.ts";
import { ganttColors, ganttSvg } from "../../parts/timeline/gantt-svg.ts";
import {
  offsetMarks,
  segmentKind,
  segmentText,
  type GanttRow,
  type Stretch,
} from "../../parts/timeline/gantt.ts";
import { ganttRows } from "./gantt-rows.ts";
import type { LiveRun } from "./use-run.ts";

interface NodesProps {
  readonly live: LiveRun;
  readonly selected: string | undefined;
  readonly span: RunSpan;
  readonly way: readonly PathStep[];
  readonly onOpen: (node: string) => void;
}

export function Nodes({ live, selected, span, way, onOpen }: NodesProps) {
  const rows = useMemo(
    () => ganttRows(live, { span, way }),
    // Its version stands for what the picture tells.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [live.version, live.picture, span, way],
  );
  const columns: readonly Column<GanttRow>[] = [
    { name: "node", width: "minmax(160px, 1.2fr)", cell: (row) => <NodeName row={row} /> },
    {
      name: "",
      width: "minmax(110px, 1fr)",
      cell: ({ told, state }) => (
        <span className={state === "failed" ? "bad-text" : "quiet"} title={told}>
          {told}
        </span>
      ),
    },
    { name: "took", width: "72px", isNumber: true, cell: ({ took }) => took },
    {
      name: "time",
      width: "minmax(200px, 2.4fr)",
      head: <Marks span={span} />,
      cell: (row) => <Bars row={row} span={span} />,
    },
  ];
  return (
    <div className="gantt">
      <Table
        label="Nodes"
        rows={rows}
        columns={columns}
        keyOf={({ id }) => id}
        selected={selected}
        onOpen={({ id }) => onOpen(id)}
        empty={<p>Its pipeline has no nodes.</p>}
      />
      <p className="legend quiet">
        {legend.map(([kind, text]) => (
          <span key={kind}>
            <i className={kind} aria-hidden="true" /> {text}
          </span>
        ))}
        <button
          type="button"
          className="fold link"
          onClick={() => {
            const title = `${live.run.pipeline} ${live.run.id}, ${durationText(span.until - span.from)} in all`;
            saveSvg(`${live.run.id}-timeline`, ganttSvg({ title, rows, span }, resolveColors(ganttColors)));
          }}
        >
          save as SVG
        </button>
      </p>
    </div>
  );
}

const legend = [
  ["ran good", "ran"],
  ["ran bad", "failed attempt"],
  ["queued", "queued"],
  ["waited", "waited"],
  ["between", "between attempts"],
  ["way", "longest way"],
] as const;

function NodeName({ row: { id, lead, state, way } }: { readonly row: GanttRow }) {
  return (
    <>
      <span className="mono quiet lead">{lead}</span>
      <State state={state} isBare /> {way ? <b title={`${id}: on the longest way`}>{id}</b> : id}
    </>
  );
}

function place({ from, until }: Stretch, span: RunSpan): CSSProperties {
  const whole = span.until - span.from;
  const left = Math.min(100, Math.max(0, (100 * (from - span.from)) / whole));
  const right = Math.min(100, Math.max(left, (100 * (until - span.from)) / whole));
  return { left: `${left}%`, width: `max(2px, ${right - left}%)` };
}

function Marks({ span }: { readonly span: RunSpan }) {
  const whole = span.until - span.from;
  return (
    <span className="marks">
      {offsetMarks(span).map(({ at, text }) => (
        <i key={text} style={{ left: `${(100 * (at - span.from)) / whole}%` }}>
          {text}
        </i>
      ))}
      <span className="unseen">time, {durationText(whole)} in all</span>
    </span>
  );
}

function Bars({ row, span }: { readonly row: GanttRow; readonly span: RunSpan }) {
  const { segments, whole, way, state } = row;
  return (
    <span className="span" role="img" aria-label={barsText(row)}>
      {whole && <i className={`ran ${stateKind(state)}`} style={place(whole, span)} title={row.told} />}
      {segments.map((segment) => (
        <i
          key={`${segment.kind} ${segment.from}`}
          className={segment.kind === "ran" ? `ran ${segmentKind(segment, state)}` : segment.kind}
          style={place(segment, span)}
          title={`${segmentText(segment)}, ${durationText(segment.until - segment.from)}`}
        />
      ))}
      {way && <i className="way" style={place(way, span)} />}
    </span>
  );
}

function barsText({ state, segments, way }: GanttRow): string {
  const parts = segments.map((segment) => {
    const took = durationText(segment.until - segment.from);
    switch (segment.kind) {
      case "ran":
        return `ran ${took}`;
      case "queued":
      case "waited":
        return `${segment.kind} ${took}`;
      case "between":
        return `${took} between attempts`;
      default:
        return unreachable(segment.kind);
    }
  });
  return [stateWord(state), ...parts, ...(way ? ["on the longest way"] : [])].join(", ");
}
