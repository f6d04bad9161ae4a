/** Very many nodes at once, each too small to be read: one shape for each look, as one element a node would take seconds. */
import type { MouseEvent } from "react";
import { stateKind, type AnyState } from "../state.tsx";
import { pathOf } from "./graph-view.ts";
import { nodeHeight, nodeWidth, type PlacedEdge, type PlacedNode } from "./layout.ts";
import type { DrawnWay } from "./look.ts";

/** Beyond, they are a crowd. */
export const crowdFrom = 600;

interface CrowdProps {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  readonly stateOf: ((node: string) => AnyState | undefined) | undefined;
  readonly critical: DrawnWay;
  readonly selected: string | undefined;
  readonly onOpen: (node: string) => void;
}

export function Crowd({ nodes, edges, stateOf, critical, selected, onOpen }: CrowdProps) {
  const byKind = Map.groupBy(nodes, ({ id }) => {
    const state = stateOf?.(id);
    return state === undefined ? "" : stateKind(state);
  });
  const open = (event: MouseEvent<SVGGElement>): void => {
    const matrix = event.currentTarget.getScreenCTM();
    if (!matrix) return;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    const found = nodes.find(
      (node) => x >= node.x && x <= node.x + nodeWidth && Math.abs(y - node.y) <= nodeHeight / 2,
    );
    if (found) onOpen(found.id);
  };
  const isCritical = ({ from, to }: PlacedEdge): boolean => critical.edges.has(`${from}\n${to}`);
  return (
    <g onClick={open} className="crowd">
      <path
        className="edge"
        d={edges
          .filter((edge) => !isCritical(edge))
          .map(pathOf)
          .join("")}
      />
      {[...byKind].map(([kind, own]) => (
        <path key={kind} className={`vertex ${kind}`} d={own.map(boxOf).join("")} />
      ))}
      <path className="edge critical" d={edges.filter(isCritical).map(pathOf).join("")} />
      <path
        className="vertex critical"
        d={nodes
          .filter(({ id }) => critical.nodes.has(id))
          .map(boxOf)
          .join("")}
      />
      <path
        className="vertex selected"
        d={nodes
          .filter(({ id }) => id === selected)
          .map(boxOf)
          .join("")}
      />
    </g>
  );
}

function boxOf({ x, y }: PlacedNode): string {
  return `M${Math.round(x)} ${Math.round(y - nodeHeight / 2)}h${nodeWidth}v${nodeHeight}h${-nodeWidth}z`;
}
