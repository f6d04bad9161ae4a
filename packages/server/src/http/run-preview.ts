/** What a rerun or a mark would affect (`preview: true`): made by the plan that would be carried out. */
import { decide, previewMark, type AffectedNode, type ChangePreview, type RunMessage } from "@millrace/core";
import type { AffectedNodeView, RunChangePreview } from "@millrace/protocol";
import type { GenerationPreview } from "../engine/generations.ts";
import type { ApiContext } from "./api-context.ts";
import { affectedItemsShown } from "./limits.ts";
import { hydrate, snapshotOf } from "./run-snapshot.ts";
import { compareItems } from "./run-view.ts";

export function planView(id: string, preview: GenerationPreview): RunChangePreview {
  const { generation, bundle, bundleBefore } = preview;
  return {
    ...changeView(id, preview),
    generation,
    ...(bundle === bundleBefore ? {} : { newBundle: bundle }),
  };
}

/** Of a run that goes on: decided in a copy of it. */
export async function previewLiveMark(
  context: ApiContext,
  id: string,
  message: Extract<RunMessage, { kind: "mark" }>,
): Promise<RunChangePreview> {
  const { run, graph, taskRuns } = await snapshotOf(context, id, undefined);
  const rows = taskRuns.filter(({ state }) => state !== "pending" && state !== "queued");
  const copy = await hydrate(context.host.engine, graph, run, rows);
  const now = context.host.engine.now();
  decide(copy, { kind: "resume" }, now);
  const { node, item } = message;
  return { ...changeView(id, previewMark(copy, message, now)), marked: { node, item } };
}

function changeView(run: string, { again, stays, added, gone }: ChangePreview): RunChangePreview {
  const againViews = again.map(nodeView);
  const staysViews = stays.map(nodeView);
  return {
    run,
    again: againViews,
    againCount: countOf(againViews),
    stays: staysViews,
    staysCount: countOf(staysViews),
    added,
    gone,
  };
}

function countOf(nodes: readonly AffectedNodeView[]): number {
  return nodes.reduce((sum, { taskRuns }) => sum + taskRuns, 0);
}

function nodeView({ node, items, states }: AffectedNode): AffectedNodeView {
  return {
    node,
    taskRuns: [...states.values()].reduce((sum, count) => sum + count, 0),
    ...(items.length === 0 ? {} : { items: items.toSorted(compareItems).slice(0, affectedItemsShown) }),
    states: Object.fromEntries(states),
  };
}
