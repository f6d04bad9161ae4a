/** What a task run was given: filled again from what its run has recorded, as the dispatch did it. */
import {
  findTaskRun,
  isEndState,
  MillraceError,
  resolveTemplate,
  streamedMembersIn,
  unknownItem,
  type Json,
  type Run,
  type TaskRun,
  type Template,
} from "@millrace/core";
import type { TaskInputView } from "@millrace/protocol";
import type { TaskRunRow } from "@millrace/store";
import { requireNode } from "../engine/generations.ts";
import type { ApiContext } from "./api-context.ts";
import { inputBytesShown, inputRowsMax } from "./limits.ts";
import { hydrate, snapshotOf, withOutputs, type RunSnapshot } from "./run-snapshot.ts";

export async function inputOf(
  context: ApiContext,
  id: string,
  { node, item }: { readonly node: string; readonly item: string },
): Promise<TaskInputView> {
  const snapshot = await snapshotOf(context, id, undefined);
  const { graph, taskRuns, run } = snapshot;
  requireNode(graph, node);
  const own = taskRuns.find((row) => row.node === node && row.item === item);
  if (!own)
    throw unknownItem(
      { node, item },
      taskRuns.filter((row) => row.node === node),
    );
  if (own.startedAt === undefined && (own.state === "pending" || isEndState(own.state)))
    return { node, item };
  const template = graph.byId.get(node)!.definition.input;
  const rows = await rowsFor(context, snapshot, template);
  if (!rows) return { node, item, isLarge: true };
  const live = rows.filter(({ state }) => state !== "pending" && state !== "queued");
  const copy = await hydrate(context.host.engine, graph, run, snapshot.ended ? rows : live);
  const found = findTaskRun(copy.root, graph.byId.get(node)!, item);
  if (!found) return { node, item };
  const streamed = streamedMembersIn(copy, template);
  const input =
    streamed === undefined ? await resolved(context, copy, { taskRun: found, template }) : undefined;
  if (input === undefined || JSON.stringify(input).length > inputBytesShown)
    return { node, item, isLarge: true };
  return { node, item, input };
}

/** With the outputs that the template reads; nothing where these are too many or too large to be looked at. */
async function rowsFor(
  context: ApiContext,
  { graph, taskRuns, run, ended }: RunSnapshot,
  template: Template,
): Promise<readonly TaskRunRow[] | undefined> {
  const read = nodesIn(template);
  const isRead = (row: TaskRunRow): boolean => row.state === "succeeded" && read.has(row.node);
  if (taskRuns.filter(isRead).length > inputRowsMax) return undefined;
  const isMissing = (row: TaskRunRow): boolean =>
    row.state === "succeeded" &&
    (isRead(row) || graph.byId.get(row.node)?.structural === true) &&
    (ended || (row.carried && row.output === undefined));
  const rows = await withOutputs(context, run.id, taskRuns, taskRuns.filter(isMissing));
  const bytes = rows
    .filter(isRead)
    .reduce((sum, { output }) => sum + (output?.blob === undefined ? 0 : output.bytes), 0);
  return bytes > inputBytesShown ? undefined : rows;
}

function nodesIn(template: Template): Set<string> {
  const found = new Set<string>();
  const walk = (part: Template): void => {
    if (part.kind === "output") found.add(part.node);
    else if (part.kind === "object") for (const entry of Object.values(part.entries)) walk(entry);
    else if (part.kind === "array") for (const entry of part.items) walk(entry);
  };
  walk(template);
  return found;
}

async function resolved(
  { host }: ApiContext,
  run: Run,
  { taskRun, template }: { readonly taskRun: TaskRun; readonly template: Template },
): Promise<Json> {
  const { values } = host.engine;
  const blobs = new Map<string, Json>();
  for (;;) {
    const filled = resolveTemplate(run, taskRun.scope, template, blobs);
    if (filled.kind === "value") return filled.value;
    const before = blobs.size;
    for (const hash of filled.blobs) blobs.set(hash, await values.load(hash));
    if (blobs.size === before)
      throw new MillraceError("MILLRACE_INTERNAL", { message: "A task run's input can't be filled." });
  }
}
