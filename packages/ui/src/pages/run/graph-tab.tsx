/** A run's nodes as the graph of its pipeline, with their states, their items and the way that took longest. */
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { Graph } from "../../parts/graph/graph.tsx";
import { boxNames, inputsOf } from "../../parts/graph/graph-inputs.ts";
import type { RunLook } from "../../parts/graph/look.ts";
import type { PathStep } from "../../parts/timeline/critical-path.ts";
import type { LiveRun } from "./use-run.ts";

const route = getRouteApi("/runs/$run");

/** Beyond, groups begin folded. */
const nodesMany = 300;
/** In the address: nothing is folded, although it would be. */
const none = "-";

interface RunGraphProps {
  readonly live: LiveRun;
  readonly selected: string | undefined;
  readonly way: readonly PathStep[];
  readonly onOpen: (node: string) => void;
}

export function RunGraph({ live, selected, way, onOpen }: RunGraphProps) {
  const { fold } = route.useSearch();
  const navigate = route.useNavigate();
  const { picture } = live;
  const { definition } = picture;
  const byDefault = useMemo(
    () =>
      new Set(
        definition && definition.nodes.length > nodesMany ? outermost(boxNames(inputsOf(definition))) : [],
      ),
    [definition],
  );
  const folded = useMemo(
    () => (fold === undefined ? byDefault : new Set(fold === none ? [] : fold.split(","))),
    [fold, byDefault],
  );
  const steps = way.map(({ id }) => id).join("\n");
  const run = useMemo(
    (): RunLook => ({
      stateOf: (node) => picture.node(node)?.state,
      tallyOf: (node) => picture.node(node)?.items,
      critical: steps === "" ? [] : steps.split("\n"),
    }),
    // Its version stands for what the picture tells.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [picture, live.version, steps],
  );
  if (!definition)
    return (
      <p className="empty">
        The code that it ran with is not kept any more, and with it its graph is gone: its nodes stand in the
        timeline.
      </p>
    );
  if (definition.nodes.length === 0) return <p className="empty">Its pipeline has no nodes.</p>;
  return (
    <Graph
      definition={definition}
      name={live.run.id}
      selected={selected}
      run={run}
      onOpen={onOpen}
      folded={folded}
      onFold={(next) => {
        const value = next.size === 0 ? none : [...next].join(",");
        void navigate({
          search: ({ fold: _fold, ...rest }) => (isSame(next, byDefault) ? rest : { ...rest, fold: value }),
          replace: true,
        });
      }}
    />
  );
}

function outermost(boxes: readonly string[]): string[] {
  return boxes.filter((box) => !boxes.some((other) => box !== other && box.startsWith(`${other}/`)));
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one));
}
