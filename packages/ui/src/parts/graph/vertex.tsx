/** One node of a graph, or a folded group: its state, its name, and a bar of its items by state. */
import type { ReactNode } from "react";
import { State, stateKind, stateMark, stateWord, type AnyState } from "../state.tsx";
import { nodeHeight, nodeWidth, type PlacedNode } from "./layout.ts";
import type { Tally, VertexLook } from "./look.ts";

/** What needs a person comes first; what has not begun is left empty. */
const barStates: readonly AnyState[] = [
  "failed",
  "cancelled",
  "upstream_failed",
  "retrying",
  "succeeded",
  "skipped",
  "running",
  "waiting",
];
export const barHeight = 4;

export interface BarPart {
  readonly state: AnyState;
  readonly x: number;
  readonly width: number;
}

/** Parts of a bar as wide as a node; what is there at all is seen. */
export function barParts({ total, counts }: Tally): BarPart[] {
  let x = 0;
  return barStates.flatMap((state) => {
    const count = counts.get(state) ?? 0;
    if (count === 0) return [];
    const width = Math.min(Math.max(2, (count / Math.max(1, total)) * nodeWidth), nodeWidth - x);
    const part = { state, x, width };
    x += width;
    return [part];
  });
}

export function tallyText({ counts }: Tally): string {
  return [...counts]
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${stateWord(state)}`)
    .join(", ");
}

interface VertexProps {
  readonly node: PlacedNode;
  readonly look: VertexLook;
  readonly isSelected: boolean;
  readonly isCritical: boolean;
  readonly hasName: boolean;
  readonly onOpen: (node: string) => void;
  /** Of a folded group. */
  readonly isFolded: boolean;
}

export function Vertex({ node, look, isSelected, isCritical, hasName, onOpen, isFolded }: VertexProps) {
  const { id, x, y } = node;
  const { state, told, isMany, tally } = look;
  const kind = state === undefined ? "" : ` ${stateKind(state)}`;
  const what = [
    state === undefined ? id : `${id}: ${stateWord(state)}`,
    ...(tally ? [tallyText(tally)] : []),
    ...(isFolded ? ["opens"] : []),
  ].join("; ");
  return (
    <g
      className={`vertex${kind}${isSelected ? " selected" : ""}${isCritical ? " critical" : ""}${isFolded ? " folded" : ""}`}
      transform={`translate(${x} ${y - nodeHeight / 2})`}
      role="button"
      tabIndex={-1}
      aria-label={what}
      onClick={() => onOpen(id)}
    >
      <title>{what}</title>
      {isMany && <rect className="behind" x={4} y={4} width={nodeWidth} height={nodeHeight} rx={3} />}
      <rect width={nodeWidth} height={nodeHeight} rx={3} />
      {tally && <Bar tally={tally} />}
      {hasName && (
        <Name>
          {isFolded && (
            <span className="quiet" aria-hidden="true">
              ▸
            </span>
          )}
          {state !== undefined && <State state={state} isBare />}
          <span className="cut">{id}</span>
          {told !== undefined && <span className="quiet kind">{told}</span>}
        </Name>
      )}
      {!hasName && state !== undefined && (
        <text x={nodeWidth / 2} y={20}>
          {stateMark(state)}
        </text>
      )}
    </g>
  );
}

function Name({ children }: { readonly children: ReactNode }) {
  return (
    <foreignObject width={nodeWidth} height={nodeHeight}>
      <div className="name">{children}</div>
    </foreignObject>
  );
}

function Bar({ tally }: { readonly tally: Tally }) {
  return (
    <g className="bar">
      <rect className="rest" y={nodeHeight - barHeight} width={nodeWidth} height={barHeight} />
      {barParts(tally).map(({ state, x, width }) => (
        <rect
          key={state}
          className={`part ${stateKind(state)}`}
          x={x}
          y={nodeHeight - barHeight}
          width={width}
          height={barHeight}
        />
      ))}
    </g>
  );
}
