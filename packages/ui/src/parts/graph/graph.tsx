/**
 * A pipeline's graph, drawn in SVG: drag or the arrow keys move it, the wheel (with Ctrl or ⌘) and `+` and `-` zoom, `0` shows all of
 * it. Only what is in view is in the document. Groups and regions fold into one node each. Of a run it shows states, too.
 */
import type { PipelineDefinition } from "@millrace/core";
import {
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
} from "react";
import { Crowd, crowdFrom } from "./crowd.tsx";
import { boxNames, foldGraph, inputsOf } from "./graph-inputs.ts";
import { beginning, fitted, inView, moved, namesFrom, pathOf, zoomed, type View } from "./graph-view.ts";
import { layOut } from "./layout.ts";
import { boxTitle, lookOf, type DrawnWay, type RunLook } from "./look.ts";
import { saveGraph } from "./save-graph.ts";
import { Vertex } from "./vertex.tsx";

interface GraphProps {
  readonly definition: PipelineDefinition;
  /** Of its file, where that is not the pipeline's. */
  readonly name?: string;
  readonly selected?: string | undefined;
  readonly run?: RunLook;
  readonly onOpen: (node: string) => void;
  /** Boxes that are folded, and what is called to change them. */
  readonly folded?: ReadonlySet<string>;
  readonly onFold?: (folded: ReadonlySet<string>) => void;
}

const step = 60;
const nothing: ReadonlySet<string> = new Set();

export function Graph(props: GraphProps) {
  const { definition, name = definition.name, selected, run, onOpen, folded = nothing, onFold } = props;
  const inputs = useMemo(() => inputsOf(definition), [definition]);
  const graph = useMemo(() => foldGraph(inputs, folded), [inputs, folded]);
  const layout = useMemo(() => layOut(graph.inputs), [graph]);
  const byId = useMemo(() => new Map(definition.nodes.map((node) => [node.id, node])), [definition]);
  const regions = useMemo(() => new Set(definition.regions.map(({ id }) => id)), [definition]);
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [view, setView] = useState<View>();
  const shownSelected = selected === undefined ? undefined : (graph.drawnAs.get(selected) ?? selected);
  const first = useRef(shownSelected);
  const begin = useMemo(() => beginning(layout, size, first.current), [layout, size]);
  useEffect(() => {
    const watched = frame.current!;
    const observer = new ResizeObserver(() =>
      setSize({ width: watched.clientWidth, height: watched.clientHeight }),
    );
    observer.observe(watched);
    return () => observer.disconnect();
  }, []);
  const shown = view ?? begin;
  const zoom = useCallback(
    (factor: number, at = { x: size.width / 2, y: size.height / 2 }) =>
      setView((before) => zoomed(before ?? begin, factor, at)),
    [begin, size],
  );
  useEffect(() => {
    // React listens to the wheel passively, and could not keep the page from zooming.
    const watched = frame.current!;
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = watched.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey)
        zoom(Math.exp(-event.deltaY / 200), { x: event.clientX - box.left, y: event.clientY - box.top });
      else setView((before) => moved(before ?? begin, -event.deltaX, -event.deltaY));
    };
    watched.addEventListener("wheel", wheel, { passive: false });
    return () => watched.removeEventListener("wheel", wheel);
  }, [begin, zoom]);
  const drag = useDrag((dx, dy) => setView((before) => moved(before ?? begin, dx, dy)));

  function press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[
      event.key
    ];
    if (move) setView(moved(shown, move[0]!, move[1]!));
    else if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") setView(fitted(layout, size));
    else return;
    event.preventDefault();
  }

  const fold = onFold && ((box: string): void => onFold(changed(folded, box)));
  const critical = useMemo(() => criticalOf(run?.critical ?? [], graph.drawnAs), [run?.critical, graph]);
  const seen = useMemo(() => inView(layout, shown, size), [layout, shown, size]);
  const hasNames = shown.scale >= namesFrom;
  const openOrFold = (id: string): void => (graph.members.has(id) && fold ? fold(id) : onOpen(id));
  const look = (id: string) => lookOf(id, { members: graph.members.get(id), byId, regions, run });
  return (
    <div
      className="graph"
      ref={frame}
      {...drag}
      onKeyDown={press}
      tabIndex={0}
      role="group"
      aria-label={`Graph of ${definition.name}: ${definition.nodes.length} nodes`}
    >
      <svg width={size.width} height={size.height}>
        <g transform={`translate(${shown.x} ${shown.y}) scale(${shown.scale})`}>
          {layout.boxes.map(({ id, x, y, width, height }) => (
            <g key={id} className={regions.has(id) ? "region" : "region group"}>
              <rect x={x} y={y} width={width} height={height} rx={4} />
              {hasNames && (
                <text
                  x={x + 8}
                  y={y + 12}
                  {...(fold ? { role: "button", "aria-label": `Fold ${id}`, onClick: () => fold(id) } : {})}
                >
                  {fold ? "▾ " : ""}
                  {boxTitle(id, regions)}
                </text>
              )}
            </g>
          ))}
          {seen.nodes.length > crowdFrom && !hasNames ? (
            <Crowd
              nodes={seen.nodes}
              edges={seen.edges}
              stateOf={run && ((id) => look(id).state)}
              critical={critical}
              selected={shownSelected}
              onOpen={openOrFold}
            />
          ) : (
            <>
              {seen.edges.map((edge) => (
                <path
                  key={`${edge.from}\n${edge.to}`}
                  className={`edge${edge.from === shownSelected || edge.to === shownSelected ? " near" : ""}${
                    critical.edges.has(`${edge.from}\n${edge.to}`) ? " critical" : ""
                  }`}
                  d={pathOf(edge)}
                />
              ))}
              {seen.nodes.map((node) => (
                <Vertex
                  key={node.id}
                  node={node}
                  look={look(node.id)}
                  isSelected={node.id === shownSelected}
                  isCritical={critical.nodes.has(node.id)}
                  hasName={hasNames}
                  isFolded={graph.members.has(node.id)}
                  onOpen={openOrFold}
                />
              ))}
            </>
          )}
        </g>
      </svg>
      <div className="tools">
        <Tool name="Zoom in" act={() => zoom(1.25)}>
          +
        </Tool>
        <Tool name="Zoom out" act={() => zoom(0.8)}>
          −
        </Tool>
        <Tool act={() => setView(fitted(layout, size))}>all</Tool>
        {onFold && <FoldTools boxes={boxNames(inputs)} folded={folded} onFold={onFold} />}
        <Tool act={() => saveGraph({ name, layout, look, regions, critical })}>save as SVG</Tool>
      </div>
    </div>
  );
}

interface ToolProps {
  readonly name?: string;
  readonly act: () => void;
  readonly children: ReactNode;
}

function Tool({ name, act, children }: ToolProps) {
  return (
    <button type="button" className="button" onClick={act} aria-label={name}>
      {children}
    </button>
  );
}

interface FoldToolsProps {
  readonly boxes: readonly string[];
  readonly folded: ReadonlySet<string>;
  readonly onFold: (folded: ReadonlySet<string>) => void;
}

function FoldTools({ boxes, folded, onFold }: FoldToolsProps) {
  if (boxes.length === 0) return null;
  const isFolded = boxes.some((box) => folded.has(box));
  return (
    <Tool act={() => onFold(isFolded ? nothing : new Set(boxes))}>
      {isFolded ? "unfold all" : "fold groups"}
    </Tool>
  );
}

function changed(folded: ReadonlySet<string>, box: string): ReadonlySet<string> {
  const next = new Set(folded);
  if (!next.delete(box)) next.add(box);
  return next;
}

function criticalOf(way: readonly string[], drawnAs: ReadonlyMap<string, string>): DrawnWay {
  const drawn = way.map((id) => drawnAs.get(id) ?? id);
  return {
    nodes: new Set(drawn),
    edges: new Set(drawn.slice(1).map((id, at) => `${drawn[at]}\n${id}`)),
  };
}

/** Moves as the pointer does; a click stays a click. */
function useDrag(move: (dx: number, dy: number) => void) {
  const from = useRef<{ x: number; y: number; isFar: boolean }>(undefined);
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button === 0) from.current = { x: event.clientX, y: event.clientY, isFar: false };
    },
    onPointerMove: (event: PointerEvent) => {
      const start = from.current;
      if (!start || event.buttons === 0) return;
      const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
      if (!start.isFar && Math.hypot(dx, dy) < 4) return;
      if (!start.isFar) event.currentTarget.setPointerCapture(event.pointerId);
      from.current = { x: event.clientX, y: event.clientY, isFar: true };
      move(dx, dy);
    },
    onPointerUp: () => {
      from.current = undefined;
    },
  };
}
