/** A pipeline's history: runs are columns, the newest at the right, nodes are rows. Arrow keys walk, Enter opens the run at the node. */
import { getRouteApi, Link } from "@tanstack/react-router";
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { Code } from "../../parts/code.tsx";
import { useNow } from "../../parts/now.ts";
import { Trouble } from "../../parts/trouble.tsx";
import type { GridView } from "./grid-model.ts";
import { CellNote } from "./cell-note.tsx";
import {
  cellHeight,
  cellWidth,
  durationOf,
  headHeight,
  paint,
  readColors,
  type Cell,
  type Colors,
} from "./grid-paint.ts";
import { useGrid, type Grid as Runs } from "./use-grid.ts";

const route = getRouteApi("/pipelines/$pipeline");
/** Of runs that last longer than nearly all others a bar is cut, so that the others keep a height. */
const longestShare = 0.98;
/** What is selected goes into the address a moment later: browsers take only so many changes of it. */
const settleMs = 250;
const olderFrom = 400;

export function Grid({ pipeline }: { readonly pipeline: string }) {
  const grid = useGrid(pipeline);
  const { view, error } = grid;
  if (error && !view) return <Trouble error={error} />;
  if (!view) return <p className="quiet">Reading…</p>;
  if (view.columns.length === 0) return <NoRuns pipeline={pipeline} />;
  return (
    <>
      {error && <Trouble error={error} />}
      <Cells grid={grid} view={view} />
    </>
  );
}

function Cells({ grid, view }: { readonly grid: Runs; readonly view: GridView }) {
  const { hasOlder, readOlder, isReading } = grid;
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [place, setPlace] = useState({ left: 0, top: 0 });
  const [hovered, setHovered] = useState<Cell>();
  const [selected, select] = useSelected(view);
  const colors = useColors(canvas);
  const isActive = view.columns.some(({ run }) => run.endedAt === undefined);
  const seconds = useNow();
  const now = isActive ? seconds : 0;
  const longest = useMemo(() => longestOf(view, now), [view, now]);
  useKeptRight(scroller, view.columns.length);

  useEffect(() => {
    const watched = scroller.current!;
    const observer = new ResizeObserver(() =>
      setSize({ width: watched.clientWidth, height: watched.clientHeight }),
    );
    observer.observe(watched);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (hasOlder && !isReading && place.left < olderFrom && size.width > 0) readOlder();
  }, [hasOlder, isReading, place.left, size.width, readOlder]);
  useLayoutEffect(() => {
    if (!colors || size.width === 0) return;
    paint(canvas.current!, { view, colors, ...size, ...place, hovered, selected, longest, now });
  }, [view, colors, size, place, hovered, selected, longest, now]);

  const width = view.columns.length * cellWidth;
  const height = headHeight + view.rows.length * cellHeight;
  const shown = hovered ?? selected;
  const cellAt = (x: number, y: number): Cell | undefined => {
    const column = Math.floor((x + place.left) / cellWidth);
    const row = y < headHeight ? -1 : Math.floor((y - headHeight + place.top) / cellHeight);
    return column < view.columns.length && row < view.rows.length ? { row, column } : undefined;
  };
  return (
    <div className="runs-grid">
      <Names view={view} top={place.top} height={size.height} near={shown?.row} />
      <div
        className="cells"
        ref={scroller}
        tabIndex={0}
        role="group"
        aria-label={`${view.columns.length} runs by ${view.rows.length} nodes; the arrow keys walk, Enter opens`}
        aria-describedby="cell-told"
        onScroll={({ currentTarget }) => {
          setPlace({ left: currentTarget.scrollLeft, top: currentTarget.scrollTop });
          setHovered(undefined);
        }}
        onKeyDown={(event) => walk(event, view, selected, select, scroller.current!)}
        onMouseMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const next = cellAt(event.clientX - box.left, event.clientY - box.top);
          setHovered((before) =>
            before?.row === next?.row && before?.column === next?.column ? before : next,
          );
        }}
        onMouseLeave={() => setHovered(undefined)}
      >
        <div style={{ width, height, minWidth: "100%" }}>
          <canvas ref={canvas} style={{ width: size.width, height: size.height }} aria-hidden="true" />
        </div>
        {hovered && <CellLink view={view} cell={hovered} left={place.left} top={place.top} />}
      </div>
      <CellNote
        view={view}
        cell={shown}
        x={shown ? shown.column * cellWidth - place.left : 0}
        y={shown ? headHeight + Math.max(-1, shown.row) * cellHeight - place.top : 0}
        size={size}
      />
    </div>
  );
}

/** Over the cell below the pointer: a link is what opens in another tab as well. */
function CellLink({
  view,
  cell,
  left,
  top,
}: {
  readonly view: GridView;
  readonly cell: Cell;
  readonly left: number;
  readonly top: number;
}) {
  const { run } = view.columns[cell.column] ?? {};
  if (!run) return null;
  const node = cell.row < 0 ? undefined : view.names[view.rows[cell.row]!];
  return (
    <Link
      to="/runs/$run"
      params={{ run: run.id }}
      search={node === undefined ? {} : { node }}
      tabIndex={-1}
      aria-label={node === undefined ? run.id : `${node} in ${run.id}`}
      className="cell-link"
      style={{
        left: cell.column * cellWidth,
        top: cell.row < 0 ? top : headHeight + cell.row * cellHeight,
        width: cellWidth,
        height: cell.row < 0 ? headHeight : cellHeight,
      }}
      data-left={left}
    />
  );
}

/** Those rows that are seen; they move as one, so that only rows that come into view are made. */
function Names(props: {
  readonly view: GridView;
  readonly top: number;
  readonly height: number;
  readonly near: number | undefined;
}) {
  const { view, top, height, near } = props;
  const first = Math.max(0, Math.floor(top / cellHeight));
  const count = Math.ceil(Math.max(0, height - headHeight) / cellHeight) + 1;
  return (
    <div className="names">
      <div className="corner quiet">
        <span>duration</span>
        <span>{view.rows.length} nodes</span>
      </div>
      <div className="rows">
        <div style={{ transform: `translateY(${-top}px)` }}>
          {view.rows.slice(first, first + count).map((index, at) => (
            <Name key={index} name={view.names[index]!} row={first + at} isNear={near === first + at} />
          ))}
        </div>
      </div>
    </div>
  );
}

const Name = memo(function Name(props: {
  readonly name: string;
  readonly row: number;
  readonly isNear: boolean;
}) {
  const { name, row, isNear } = props;
  const { pipeline } = route.useParams();
  return (
    <Link
      to="/pipelines/$pipeline"
      params={{ pipeline }}
      search={{ tab: "definition", node: name }}
      className={isNear ? "cut near" : "cut"}
      title={name}
      style={{ height: cellHeight, top: row * cellHeight }}
    >
      {name}
    </Link>
  );
});

function walk(
  event: KeyboardEvent,
  view: GridView,
  selected: Cell | undefined,
  select: (cell: Cell) => void,
  scroller: HTMLElement,
): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && selected) {
    scroller.parentElement?.querySelector<HTMLElement>("[data-opens]")?.click();
    return;
  }
  const last = { row: view.rows.length - 1, column: view.columns.length - 1 };
  const from = selected ?? {
    row: 0,
    column: last.column + (event.key === "ArrowLeft" || event.key === "h" ? 1 : 0),
  };
  const page = Math.max(1, Math.floor((scroller.clientHeight - headHeight) / cellHeight) - 1);
  const steps: { readonly [key: string]: readonly [column: number, row: number] } = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
    h: [-1, 0],
    l: [1, 0],
    k: [0, -1],
    j: [0, 1],
    PageUp: [0, -page],
    PageDown: [0, page],
    Home: [-last.column - 1, 0],
    End: [last.column + 1, 0],
  };
  const step = steps[event.key];
  if (!step) return;
  event.preventDefault();
  const column = Math.min(last.column, Math.max(0, from.column + step[0]));
  const row = Math.min(last.row, Math.max(-1, from.row + (selected ? step[1] : 0)));
  select({ row, column });
  show(scroller, { row, column });
}

function show(scroller: HTMLElement, { row, column }: Cell): void {
  const left = column * cellWidth;
  const top = row * cellHeight;
  const { scrollLeft, scrollTop, clientWidth, clientHeight } = scroller;
  if (left < scrollLeft) scroller.scrollLeft = left;
  else if (left + cellWidth > scrollLeft + clientWidth) scroller.scrollLeft = left + cellWidth - clientWidth;
  if (row < 0) return;
  if (top < scrollTop) scroller.scrollTop = top;
  else if (top + cellHeight > scrollTop + clientHeight - headHeight)
    scroller.scrollTop = top + cellHeight - clientHeight + headHeight;
}

/** By the names of the run and the node, so that it stays where it is as runs come; and in the address. */
function useSelected(view: GridView): [Cell | undefined, (cell: Cell) => void] {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [chosen, setChosen] = useState<{
    readonly run: string | undefined;
    readonly node: string | undefined;
  }>({
    run: search.run,
    node: search.node,
  });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const column = view.columns.findIndex(({ run }) => run.id === chosen.run);
  const row =
    chosen.node === undefined ? -1 : view.rows.findIndex((index) => view.names[index] === chosen.node);
  return [
    column < 0 ? undefined : { column, row },
    (cell) => {
      const run = view.columns[cell.column]?.run.id;
      const node = cell.row < 0 ? undefined : view.names[view.rows[cell.row]!];
      setChosen({ run, node });
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        void navigate({
          search: ({ run: _run, node: _node, ...rest }) => ({
            ...rest,
            ...(run === undefined ? {} : { run }),
            ...(node === undefined ? {} : { node }),
          }),
          replace: true,
        });
      }, settleMs);
    },
  ];
}

/** The newest run is at the right, and what one looks at stays where it is as older ones come. */
function useKeptRight(scroller: React.RefObject<HTMLDivElement | null>, columns: number): void {
  const fromRight = useRef(0);
  useLayoutEffect(() => {
    const element = scroller.current!;
    element.scrollLeft = element.scrollWidth - element.clientWidth - fromRight.current;
    const keep = (): void => {
      fromRight.current = element.scrollWidth - element.clientWidth - element.scrollLeft;
    };
    element.addEventListener("scroll", keep, { passive: true });
    return () => element.removeEventListener("scroll", keep);
  }, [scroller, columns]);
}

function useColors(element: React.RefObject<HTMLElement | null>): Colors | undefined {
  const [colors, setColors] = useState<Colors>();
  useEffect(() => {
    const read = (): void => setColors(readColors(element.current!.parentElement!));
    read();
    const media = matchMedia("(prefers-color-scheme: dark)");
    media.addEventListener("change", read);
    const observer = new MutationObserver(read);
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      media.removeEventListener("change", read);
      observer.disconnect();
    };
  }, [element]);
  return colors;
}

function longestOf({ columns }: GridView, now: number): number {
  const durations = columns.map(({ run }) => durationOf(run, now)).sort((a, b) => a - b);
  return Math.max(1, durations[Math.floor((durations.length - 1) * longestShare)] ?? 1);
}

function NoRuns({ pipeline }: { readonly pipeline: string }) {
  return (
    <div className="empty">
      <p>
        Here stand its runs beside each other, each with its nodes below it: what failed when, and what takes
        longer than it did. There is none yet. Start one above, or from a terminal in your project:
      </p>
      <Code text={`npx millrace run ${pipeline}`} />
    </div>
  );
}
