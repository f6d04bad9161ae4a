/**
 * A pipeline's graph, drawn in SVG: drag or the arrow keys move it, the wheel (with Ctrl or ⌘) and `+` and `-` zoom, `0` shows all of
 * it. Only what is in view is in the document.
 */
import { compileGraph, type PipelineDefinition } from "@millrace/core";
import { parentsOf } from "@millrace/protocol/run-picture";
import {
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
} from "react";
import { State, stateKind, stateMark, stateWord, type AnyState } from "../state.tsx";
import {
  layOut,
  nodeHeight,
  nodeWidth,
  type GraphInput,
  type Layout,
  type PlacedEdge,
  type PlacedNode,
} from "./layout.ts";

interface GraphProps {
  readonly definition: PipelineDefinition;
  readonly selected?: string | undefined;
  readonly stateOf?: (node: string) => AnyState | undefined;
  readonly onOpen: (node: string) => void;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

const scaleMin = 0.02;
const scaleMax = 2;
/** Below, names can't be read and are left out. */
const namesFrom = 0.42;
/** A graph that fits only when it is smaller begins where one can read it. */
const readable = 0.7;
const step = 60;

export function Graph({ definition, selected, stateOf, onOpen }: GraphProps) {
  const layout = useMemo(() => layOut(inputsOf(definition)), [definition]);
  const byId = useMemo(() => new Map(definition.nodes.map((node) => [node.id, node])), [definition]);
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [view, setView] = useState<View>();
  const first = useRef(selected);
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
      setView((before) => {
        const from = before ?? begin;
        const scale = Math.min(scaleMax, Math.max(scaleMin, from.scale * factor));
        const real = scale / from.scale;
        return { scale, x: at.x - (at.x - from.x) * real, y: at.y - (at.y - from.y) * real };
      }),
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

  const seen = useMemo(() => inView(layout, shown, size), [layout, shown, size]);
  const hasNames = shown.scale >= namesFrom;
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
            <g key={id} className="region">
              <rect x={x} y={y} width={width} height={height} rx={4} />
              {hasNames && (
                <text x={x + 8} y={y + 12}>
                  {id} · once per item
                </text>
              )}
            </g>
          ))}
          {seen.edges.map((edge) => (
            <path
              key={`${edge.from}\n${edge.to}`}
              className={edge.from === selected || edge.to === selected ? "edge near" : "edge"}
              d={pathOf(edge)}
            />
          ))}
          {seen.nodes.map((node) => (
            <Vertex
              key={node.id}
              node={node}
              kind={byId.get(node.id)?.kind ?? "task"}
              isMapped={byId.get(node.id)?.region !== undefined}
              state={stateOf?.(node.id)}
              isSelected={node.id === selected}
              hasName={hasNames}
              onOpen={onOpen}
            />
          ))}
        </g>
      </svg>
      <div className="tools">
        <button type="button" className="button" onClick={() => zoom(1.25)} aria-label="Zoom in">
          +
        </button>
        <button type="button" className="button" onClick={() => zoom(0.8)} aria-label="Zoom out">
          −
        </button>
        <button type="button" className="button" onClick={() => setView(fitted(layout, size))}>
          all
        </button>
      </div>
    </div>
  );
}

const kindMarks: { readonly [kind: string]: string } = {
  wait: "waits",
  call: "calls",
  branch: "branch",
  short_circuit: "gate",
};

interface VertexProps {
  readonly node: PlacedNode;
  readonly kind: string;
  /** It runs once for each item of a list. */
  readonly isMapped: boolean;
  readonly state: AnyState | undefined;
  readonly isSelected: boolean;
  readonly hasName: boolean;
  readonly onOpen: (node: string) => void;
}

function Vertex({ node, kind, isMapped, state, isSelected, hasName, onOpen }: VertexProps) {
  const { id, x, y } = node;
  const look = state === undefined ? "" : ` ${stateKind(state)}`;
  const told = kindMarks[kind] ?? (isMapped ? "mapped" : undefined);
  return (
    <g
      className={`vertex${look}${isSelected ? " selected" : ""}`}
      transform={`translate(${x} ${y - nodeHeight / 2})`}
      role="button"
      tabIndex={-1}
      aria-label={state === undefined ? id : `${id}: ${stateWord(state)}`}
      onClick={() => onOpen(id)}
    >
      <title>{state === undefined ? id : `${id}: ${stateWord(state)}`}</title>
      {isMapped && <rect className="behind" x={4} y={4} width={nodeWidth} height={nodeHeight} rx={3} />}
      <rect width={nodeWidth} height={nodeHeight} rx={3} />
      {hasName && (
        <foreignObject width={nodeWidth} height={nodeHeight}>
          <div className="name">
            {state !== undefined && <State state={state} isBare />}
            <span className="cut">{id}</span>
            {told !== undefined && <span className="quiet kind">{told}</span>}
          </div>
        </foreignObject>
      )}
      {!hasName && state !== undefined && (
        <text x={nodeWidth / 2} y={20}>
          {stateMark(state)}
        </text>
      )}
    </g>
  );
}

function inputsOf(definition: PipelineDefinition): GraphInput[] {
  const { nodes } = compileGraph(definition);
  return nodes.map((node) => {
    const regions: string[] = [];
    for (let region = node.region; region; region = region.parent) regions.unshift(region.definition.id);
    const own = [...new Set(node.parents.map(({ parent }) => parent))];
    // The list of its region is led to by those that begin within the region.
    const follows = own.some(({ region }) => region !== undefined && region === node.region);
    const parents = follows ? own : parentsOf(node);
    return { id: node.definition.id, parents: parents.map(({ definition: { id } }) => id), regions };
  });
}

/** All of it where that can be read; else its beginning, or what is selected. */
function beginning(layout: Layout, size: Size, selected: string | undefined): View {
  const all = fitted(layout, size);
  if (all.scale >= readable || size.width === 0) return all;
  const scale = readable;
  const at = selected === undefined ? undefined : layout.nodes.get(selected);
  const y = (at?.y ?? layout.height / 2) * scale;
  const x = at ? at.x * scale - size.width / 2 : 0;
  return { scale, x: -Math.max(0, x), y: size.height / 2 - y };
}

function fitted(layout: Layout, size: Size): View {
  const scale = Math.min(1, size.width / layout.width, size.height / layout.height) || 1;
  const real = Math.max(scale, scaleMin);
  return {
    scale: real,
    x: Math.max(0, (size.width - layout.width * real) / 2),
    y: Math.max(0, (size.height - layout.height * real) / 2),
  };
}

function moved(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

function inView(
  { nodes, edges }: Layout,
  { x, y, scale }: View,
  { width, height }: Size,
): { readonly nodes: readonly PlacedNode[]; readonly edges: readonly PlacedEdge[] } {
  const left = -x / scale;
  const top = -y / scale;
  const right = left + width / scale;
  const bottom = top + height / scale;
  return {
    nodes: [...nodes.values()].filter(
      (node) =>
        node.x < right &&
        node.x + nodeWidth > left &&
        node.y - nodeHeight < bottom &&
        node.y + nodeHeight > top,
    ),
    edges: edges.filter(({ points }) => {
      const first = points[0]!;
      const last = points.at(-1)!;
      if (first.x > right || last.x < left) return false;
      const ys = points.map((point) => point.y);
      return Math.min(...ys) < bottom && Math.max(...ys) > top;
    }),
  };
}

/** From point to point with level ends, so that it never runs through the nodes of a layer. */
function pathOf({ points }: PlacedEdge): string {
  const [first] = points;
  let path = `M${first!.x} ${first!.y}`;
  for (const [at, { x, y }] of points.slice(1).entries()) {
    const before = points[at]!;
    if (before.y === y) path += `H${x}`;
    else {
      const middle = (before.x + x) / 2;
      path += `C${middle} ${before.y} ${middle} ${y} ${x} ${y}`;
    }
  }
  return path;
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
