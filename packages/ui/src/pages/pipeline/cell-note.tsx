/** What the cell below the pointer, or the selected one, says in a sentence; of what is not well with its reason. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { GridRun, TaskRunState, TaskRunView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { useNow } from "../../parts/now.ts";
import { State, stateWord } from "../../parts/state.tsx";
import { clockText, durationText } from "../../parts/time-text.ts";
import { failureText, firstLine, waitText } from "../run/sentence.ts";
import { stateAt, type GridView } from "./grid-model.ts";
import { durationOf, headHeight, type Cell } from "./grid-paint.ts";

interface CellNoteProps {
  readonly view: GridView;
  readonly cell: Cell | undefined;
  /** Where the cell is, from the corner of what is in view. */
  readonly x: number;
  readonly y: number;
  readonly size: { readonly width: number; readonly height: number };
}

/** A pointer that only passes asks for nothing. */
const restMs = 120;
const noteWidth = 360;

export function CellNote({ view, cell, x, y, size }: CellNoteProps) {
  const column = cell && view.columns[cell.column];
  const node = !cell || cell.row < 0 ? undefined : view.names[view.rows[cell.row]!];
  const state = column && cell && cell.row >= 0 ? stateAt(column, view.rows[cell.row]!) : undefined;
  if (!column) return <div id="cell-told" />;
  const isInView = x > -20 && x < size.width && y >= 0 && y < size.height;
  const isLow = y > size.height - 90;
  return (
    <div
      className={isInView ? "cell-note" : "unseen"}
      id="cell-told"
      role="status"
      style={
        isInView
          ? {
              right: Math.min(Math.max(0, size.width - x + 6), Math.max(0, size.width - noteWidth)),
              maxWidth: noteWidth,
              ...(isLow ? { bottom: size.height - y + 4 } : { top: Math.max(headHeight, y) + 22 }),
            }
          : {}
      }
    >
      {node === undefined ? (
        <RunNote run={column.run} />
      ) : (
        <NodeNote run={column.run} node={node} state={state} />
      )}
      <Link
        data-opens=""
        className="unseen"
        tabIndex={-1}
        to="/runs/$run"
        params={{ run: column.run.id }}
        search={node === undefined ? {} : { node }}
      >
        open
      </Link>
    </div>
  );
}

function RunNote({ run }: { readonly run: GridRun }) {
  const now = useNow();
  const took = durationOf(run, now);
  return (
    <>
      <p>
        <State state={run.state} /> {run.startedAt === undefined ? "" : `after ${durationText(took)}`}
        {run.generation > 1 && `, generation ${run.generation}`}
      </p>
      <RunLine run={run} />
    </>
  );
}

function RunLine({ run }: { readonly run: GridRun }) {
  const now = useNow();
  return (
    <p className="quiet">
      {run.partition === undefined ? "" : `${run.partition} · `}run of{" "}
      {clockText(Date.parse(run.createdAt), now)} · <span className="mono">{run.id}</span>
    </p>
  );
}

function NodeNote(props: {
  readonly run: GridRun;
  readonly node: string;
  readonly state: TaskRunState | undefined;
}) {
  const { run, node, state } = props;
  const now = useNow();
  const isRested = useRest(`${run.id} ${node}`);
  const { data } = useQuery({
    ...one("run", `/runs/${encodeURIComponent(run.id)}/nodes`, {
      node,
      limit: 1,
      ...(state === undefined ? {} : { state }),
    }),
    enabled: isRested && state !== undefined && state !== "pending",
    staleTime: run.endedAt === undefined ? 2_000 : Number.POSITIVE_INFINITY,
  });
  const found = data?.items[0];
  return (
    <>
      <p>
        {state === undefined ? (
          <>{node} was not part of this run.</>
        ) : (
          <>
            <State state={state} isBare /> {node} {sentence(state, found, now)}
          </>
        )}
      </p>
      <RunLine run={run} />
      {run.isCut && <p className="quiet">This run has more items than a grid looks at.</p>}
    </>
  );
}

function sentence(state: TaskRunState, found: TaskRunView | undefined, now: number): string {
  const word = stateWord(state);
  if (!found) return `${word}.`;
  const took =
    found.startedAt === undefined
      ? ""
      : ` ${found.endedAt === undefined ? "for" : "after"} ${durationText((found.endedAt === undefined ? now : Date.parse(found.endedAt)) - Date.parse(found.startedAt))}`;
  const attempt = found.attempts.at(-1)?.attempt ?? 1;
  const again = attempt > 1 ? `, at attempt ${attempt}` : "";
  const item = found.item === "" ? "" : ` (item ${found.item})`;
  if (state === "failed") return `failed${took}${again}${item}: ${failureText(found)}.`;
  if (state === "waiting") return `waits ${found.waits?.[0] ? waitText(found.waits[0], now) : ""}${item}.`;
  if (state === "succeeded") return `succeeded${took}${again}.`;
  if (found.reason) return `${word}${took}${again}${item}: ${firstLine(found.reason.message)}.`;
  return `${word}${took}${again}${item}.`;
}

/** Whether the same thing was looked at for a moment. */
function useRest(name: string): boolean {
  const [rested, setRested] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setRested(name), restMs);
    return () => clearTimeout(timer);
  }, [name]);
  return rested === name;
}
