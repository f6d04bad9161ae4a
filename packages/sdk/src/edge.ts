/** Order without data. */
import type { EdgeDefinition } from "@millrace/core";
import { encloses, graphError } from "./build.ts";
import type { InputPlace } from "./input.ts";
import { describeTarget, referenceState, type ReferenceOwner } from "./reference.ts";

declare const edgeType: unique symbol;

/** Follows a choice of a branch: what `when(branch, choice)` returns, for `after`. */
export interface Edge {
  readonly [edgeType]: true;
}

interface EdgeState {
  readonly owner: ReferenceOwner;
  readonly edge: EdgeDefinition;
}

const states = new WeakMap<object, EdgeState>();

export function makeEdge(state: EdgeState): Edge {
  const edge = Object.freeze({});
  states.set(edge, state);
  return edge as Edge;
}

/** The edges that `after` or `teardown` names: a reference or an edge, or a list of those. */
export function edgesOf(value: unknown, place: InputPlace): readonly EdgeDefinition[] {
  if (value === undefined) return [];
  const listed: readonly unknown[] = Array.isArray(value) ? value : [value];
  return listed.map((one) => edgeOf(one, place));
}

function edgeOf(value: unknown, place: InputPlace): EdgeDefinition {
  const { build, what, mark } = place;
  const known = value !== null && typeof value === "object" ? states.get(value) : undefined;
  const reference = referenceState(value);
  const owner = known?.owner ?? reference?.owner;
  if (owner !== undefined && owner !== build) {
    throw graphError(build, "MILLRACE_GRAPH_FOREIGN_REFERENCE", {
      message: `${what} is ordered after a node of pipeline "${owner.name}".`,
      mark,
    });
  }
  if (known) {
    const branch = build.nodes.get(known.edge.node);
    if (encloses(build, branch?.region, place.region)) return known.edge;
    throw graphError(build, "MILLRACE_GRAPH_FOREIGN_REFERENCE", {
      message: `${what} follows a choice of "${known.edge.node}" from outside its fan-out, where each item chose for itself.`,
      mark,
    });
  }
  if (reference?.target.kind === "output") return { node: reference.target.node };
  throw graphError(build, "MILLRACE_GRAPH_INVALID", {
    message: `${what} is ordered after ${reference ? `the ${describeTarget(reference.target)}, which is no node` : "something that is no reference"}.`,
    advice: "Give `after` and `teardown` what a task call returned.",
    mark,
  });
}
