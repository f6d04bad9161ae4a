/** Assets and pipelines, with what leads into them: from left to right, each a link to its page. */
import { Link, type LinkProps } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { LineageEdge, LineageNode, LineageView } from "@millrace/protocol";
import { layOut, nodeHeight, nodeWidth, type Layout, type PlacedNode } from "../../parts/graph/layout.ts";
import { exactText } from "../../parts/time-text.ts";
import "../../styles/lineage.css";
import { layersOf } from "./lineage-layers.ts";

interface PictureProps {
  readonly view: LineageView;
  /** The id of what it is about. */
  readonly center?: string | undefined;
  readonly label: string;
  /** What stands in the corner beside the sizes. */
  readonly isSmall?: true;
}

export const kindLooks: { readonly [kind in LineageNode["kind"]]: readonly [mark: string, word: string] } = {
  asset: ["▤", "asset"],
  pipeline: ["▷", "pipeline"],
  event: ["◇", "type of event"],
  source: ["▥", "watched files"],
  webhook: ["↴", "webhook"],
  probe: ["◎", "probe"],
  outside: ["○", "from outside"],
};
const scales = [0.35, 0.5, 0.7, 1, 1.4] as const;
const charactersShown = 19;
/** Below, names can't be read. */
const readableFrom = 0.8;

export function LineagePicture({ view, center, label, isSmall }: PictureProps) {
  const frame = useRef<HTMLDivElement>(null);
  const { layout, back } = useMemo(() => {
    const layers = layersOf(view);
    return { layout: layOut(layers.inputs), back: layers.back };
  }, [view]);
  const [chosen, setScale] = useState<number>();
  const [fit, setFit] = useState(1);
  const scale = chosen ?? Math.max(readableFrom, fit);
  useEffect(() => {
    const { clientWidth, clientHeight } = frame.current!;
    setFit(Math.min(1, clientWidth / layout.width, isSmall ? 1 : clientHeight / layout.height) || 1);
  }, [layout, isSmall]);
  useEffect(() => {
    const at = center === undefined ? undefined : layout.nodes.get(center);
    const { clientWidth = 0, clientHeight = 0 } = frame.current ?? {};
    if (at)
      frame.current?.scrollTo(
        (at.x + nodeWidth / 2) * scale - clientWidth / 2,
        at.y * scale - clientHeight / 2,
      );
  }, [center, layout, scale]);
  const step = (by: 1 | -1): void => {
    const wanted =
      by > 0 ? scales.find((one) => one > scale + 0.01) : scales.findLast((one) => one < scale - 0.01);
    if (wanted !== undefined) setScale(wanted);
  };
  function press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") step(1);
    else if (event.key === "-") step(-1);
    else if (event.key === "0") setScale(fit);
    else return;
    event.preventDefault();
  }
  const byId = useMemo(() => new Map(view.nodes.map((node) => [node.id, node])), [view]);
  const ties = useMemo(() => new Map(view.edges.map((edge) => [`${edge.from}\n${edge.to}`, edge])), [view]);
  return (
    <div className={isSmall ? "lineage small" : "lineage"}>
      <div className="room" ref={frame} tabIndex={0} role="group" aria-label={label} onKeyDown={press}>
        <svg
          width={layout.width * scale}
          height={layout.height * scale}
          viewBox={`0 0 ${layout.width} ${layout.height}`}
        >
          {layout.edges.map(({ from, to, points }) => (
            <Tie
              key={`${from}\n${to}`}
              edge={ties.get(`${from}\n${to}`)}
              isNear={from === center || to === center}
              path={pathOf(points)}
            />
          ))}
          {back.map((edge) => (
            <Tie
              key={`${edge.from}\n${edge.to} back`}
              edge={edge}
              isNear={edge.from === center || edge.to === center}
              path={backPath(layout, edge)}
            />
          ))}
          {[...layout.nodes.values()].map((placed) => (
            <Vertex
              key={placed.id}
              placed={placed}
              node={byId.get(placed.id)!}
              isCenter={placed.id === center}
            />
          ))}
        </svg>
      </div>
      <div className="tools">
        <button type="button" className="button" onClick={() => step(1)} aria-label="Larger">
          +
        </button>
        <button type="button" className="button" onClick={() => step(-1)} aria-label="Smaller">
          −
        </button>
      </div>
    </div>
  );
}

interface TieProps {
  readonly edge: LineageEdge | undefined;
  readonly isNear: boolean;
  readonly path: string;
}

/** What starts something is drawn through; what is only read, in dashes. */
function Tie({ edge, isNear, path }: TieProps) {
  const isQuiet = edge?.ties.every((tie) => tie === "reads" || tie === "made of") ?? false;
  return (
    <path className={`tie${isQuiet ? " quiet-tie" : ""}${isNear ? " near" : ""}`} d={path}>
      <title>{edge && `${nameOf(edge.from)} ${wordsOf(edge)} ${nameOf(edge.to)}`}</title>
    </path>
  );
}

interface VertexProps {
  readonly placed: PlacedNode;
  readonly node: LineageNode;
  readonly isCenter: boolean;
}

function Vertex({ placed: { x, y }, node, isCenter }: VertexProps) {
  const { kind, name, freshness, paused } = node;
  const [mark, word] = kindLooks[kind];
  const isLate = freshness === "stale" || freshness === "never";
  const told = toldOf(node);
  return (
    <g className={`thing ${kind}${isCenter ? " center" : ""}${isLate ? " late" : ""}`}>
      <Link {...pageOf(node)} aria-label={`${word} ${name}${isLate ? ", late" : ""}`} preload={false}>
        <title>{told}</title>
        <rect
          x={x}
          y={y - nodeHeight / 2}
          width={nodeWidth}
          height={nodeHeight}
          rx={kind === "pipeline" ? nodeHeight / 2 : 2}
        />
        <text x={x + 10} y={y + 4} className="mark">
          {isLate ? "◷" : paused ? "‖" : mark}
        </text>
        <text x={x + 26} y={y + 4}>
          {shortened(name)}
        </text>
      </Link>
      {!isCenter && (
        <Link
          to="/assets"
          search={{ view: "graph", around: name, ...(kind === "asset" ? {} : { kind }) }}
          className="focus"
          aria-label={`What is around ${word} ${name}`}
          preload={false}
        >
          <title>What is around it</title>
          <circle cx={x + nodeWidth - 12} cy={y} r={8} />
          <text x={x + nodeWidth - 12} y={y + 4}>
            ⌖
          </text>
        </Link>
      )}
    </g>
  );
}

function toldOf({ kind, name, freshness, updatedAt, schedule, paused }: LineageNode): string {
  const parts = [
    `${kindLooks[kind][1]} ${name}`,
    freshness === "stale" ? "late" : freshness === "never" ? "never updated" : "",
    updatedAt === undefined ? "" : `updated ${exactText(Date.parse(updatedAt)).split("\n")[0]}`,
    schedule ?? "",
    paused ? "paused" : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** Where a thing has its page. */
function pageOf({ kind, name }: Pick<LineageNode, "kind" | "name">): LinkProps {
  switch (kind) {
    case "asset":
      return { to: "/assets/$asset", params: { asset: name } };
    case "pipeline":
      return { to: "/pipelines/$pipeline", params: { pipeline: name } };
    case "event":
      return { to: "/events", search: { type: name } };
    case "webhook":
      return { to: "/events", search: { source: `/hooks/${name}` } };
    case "source":
      return { to: "/events", search: { source: `/sources/${name}` } };
    case "probe":
      return { to: "/events", search: { type: "millrace.probe.*" } };
    default:
      return { to: "/events", search: { source: name } };
  }
}

/** The end of a name says more than its middle. */
function shortened(name: string): string {
  if (name.length <= charactersShown) return name;
  const end = 9;
  return `${name.slice(0, charactersShown - end - 1)}…${name.slice(-end)}`;
}

function nameOf(id: string): string {
  return id.slice(id.indexOf(" ") + 1);
}

const tieWords: { readonly [tie in LineageEdge["ties"][number]]: string } = {
  writes: "writes",
  reads: "is read by",
  starts: "starts",
  calls: "calls",
  tells: "tells of",
  "made of": "goes into",
};

function wordsOf({ ties }: LineageEdge): string {
  return ties.map((tie) => tieWords[tie]).join(" and ");
}

function pathOf(points: readonly { readonly x: number; readonly y: number }[]): string {
  let path = `M${points[0]!.x} ${points[0]!.y}`;
  for (const [at, { x, y }] of points.slice(1).entries()) {
    const before = points[at]!;
    const middle = (before.x + x) / 2;
    path += before.y === y ? `H${x}` : `C${middle} ${before.y} ${middle} ${y} ${x} ${y}`;
  }
  return path;
}

function backPath({ nodes }: Layout, { from, to }: LineageEdge): string {
  const [a, b] = [nodes.get(from)!, nodes.get(to)!];
  const right = a.x + nodeWidth;
  const dip = Math.max(a.y, b.y) + nodeHeight + 10;
  return `M${right} ${a.y}C${right + 50} ${dip} ${b.x - 50} ${dip} ${b.x} ${b.y}`;
}
