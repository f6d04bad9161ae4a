/**
 * `GET /pipelines/:name/grid`: runs by nodes, one digit each, so that a thousand runs of five hundred nodes are half a megabyte.
 *
 * Runs that this server holds are read from its memory, after what was decided is committed (V1 of `run-snapshot.ts`).
 */
import { MillraceError, nearestName, taskRunsBelow, type TaskRunState } from "@millrace/core";
import { gridStates, partitionLabel, type GridPage, type GridRun, type Operations } from "@millrace/protocol";
import {
  endedNodeStates,
  findPipeline,
  generationStates,
  listGridRuns,
  listPipelineNames,
  liveNodeStates,
  type GridRunRow,
  type NodeStates,
} from "@millrace/store";
import { newestRows } from "../engine/generation-rows.ts";
import type { RunEntry } from "../engine/run-entry.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { gridFirstRuns, gridRowsMax, gridRunRowsMax } from "./limits.ts";
import type { ApiRequest } from "./route.ts";
import { sinceOf } from "./run-snapshot.ts";
import { isoTime } from "./run-summary.ts";

/** Sorts after every id. */
const afterAllIds = "~";
const query = { order: gridStates, rowsMax: gridRunRowsMax };
const rankOf = new Map<TaskRunState, number>(gridStates.map((state, at) => [state, at]));

function isRunPlace(place: unknown): place is readonly [id: string] {
  return isPlace(["string"], place);
}

export async function gridPage(
  context: ApiContext,
  request: ApiRequest<Operations["getPipelineGrid"]>,
): Promise<GridPage> {
  const pipeline = request.path.name;
  const limit = request.query.limit;
  const after = readCursor(request.query.cursor, isRunPlace);
  const found = await findPipeline(context.database, workspaceId, pipeline);
  const beforeId = after?.[0] ?? afterAllIds;
  const runs = await listGridRuns(context.database, workspaceId, { pipeline, beforeId, limit: limit + 1 });
  if (!found && runs.length === 0) throw await unknownPipeline(context, pipeline);
  const page = runs.slice(0, limit);
  const states = request.query.states ? await statesOf(context, page) : undefined;
  const shown = states ? page.filter(({ id }) => states.has(id)) : page;
  const nodes = states ? nodesOf(found?.definition.nodes.map(({ id }) => id) ?? [], states) : [];
  const last = shown.at(-1);
  return {
    runs: shown.map((run) => gridRun(run, states?.get(run.id), nodes)),
    nodes,
    ...(last && runs.length > shown.length ? { nextCursor: writeCursor([last.id]) } : {}),
  };
}

async function unknownPipeline({ database }: ApiContext, name: string): Promise<MillraceError> {
  const near = nearestName(name, await listPipelineNames(database, workspaceId));
  return new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
    message: `There is no pipeline "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    fields: near === undefined ? { pipeline: name } : { pipeline: name, nearest: near },
  });
}

/**
 * By run. Fewer than were asked for where those before had more rows than one page may read: the reader goes on from there. The
 * first few tell how many rows a run has.
 */
async function statesOf(
  context: ApiContext,
  runs: readonly GridRunRow[],
): Promise<ReadonlyMap<string, NodeStates>> {
  const found = new Map<string, NodeStates>();
  let rows = 0;
  for (let from = 0; from < runs.length && rows < gridRowsMax;) {
    const each = from === 0 ? gridRowsMax / gridFirstRuns : Math.max(1, rows / from);
    const count = Math.max(1, Math.floor((gridRowsMax - rows) / each));
    const part = runs.slice(from, from + count);
    for (const states of await statesOfPart(context, part)) {
      found.set(states.runId, states);
      rows += states.rows;
    }
    // Of a run that has begun nothing there is nothing to read.
    for (const { id } of part) if (!found.has(id)) found.set(id, { runId: id, states: {}, rows: 0 });
    from += part.length;
  }
  return found;
}

async function statesOfPart(context: ApiContext, runs: readonly GridRunRow[]): Promise<NodeStates[]> {
  const { database, host } = context;
  const held = new Map(
    runs.flatMap(({ id }) => {
      const entry = host.running?.entry(id);
      return entry ? [[id, entry] as const] : [];
    }),
  );
  const own = [...held.values()].map(heldStates);
  if (own.length > 0) await host.run((engine) => engine.committed());
  const others = runs.filter(({ id }) => !held.has(id));
  const live = others.filter(({ endedAt }) => endedAt === undefined).map(({ id }) => id);
  const first = others.flatMap(({ id, endedAt, generation }) =>
    endedAt !== undefined && generation === 1 ? { id, endedAt } : [],
  );
  const later = others.filter(({ endedAt, generation }) => endedAt !== undefined && generation > 1);
  const [ended, elsewhere, ...rerun] = await Promise.all([
    endedNodeStates(database, workspaceId, first, query),
    liveNodeStates(database, workspaceId, live, query),
    ...later.map((run) => statesOfGenerations(context, run)),
  ]);
  return [...own, ...ended, ...elsewhere, ...rerun];
}

function heldStates({ run, identity }: RunEntry): NodeStates {
  let rows = 0;
  const states: { [node: string]: number } = {};
  for (const { node, state } of taskRunsBelow(run.root)) {
    add(states, node.definition.id, state);
    rows += 1;
    if (rows === gridRunRowsMax) break;
  }
  return { runId: identity.id, states, rows };
}

async function statesOfGenerations(
  { database }: ApiContext,
  { id, generation }: GridRunRow,
): Promise<NodeStates> {
  const wanted = { id, generation, since: sinceOf(id), rowsMax: gridRunRowsMax };
  const rows = await generationStates(database, workspaceId, wanted);
  const states: { [node: string]: number } = {};
  for (const { node, state } of newestRows(rows, generation)) add(states, node, state);
  return { runId: id, states, rows: rows.length };
}

function add(states: { [node: string]: number }, node: string, state: TaskRunState): void {
  const rank = rankOf.get(state) ?? 0;
  states[node] = Object.hasOwn(states, node) ? Math.max(states[node]!, rank) : rank;
}

function nodesOf(declared: readonly string[], states: ReadonlyMap<string, NodeStates>): string[] {
  const names = new Set(declared);
  for (const { states: own } of states.values()) for (const node of Object.keys(own)) names.add(node);
  return [...names];
}

function gridRun(run: GridRunRow, found: NodeStates | undefined, nodes: readonly string[]): GridRun {
  const { id, state, generation, createdAt, startedAt, endedAt, labels } = run;
  const partition = labels[partitionLabel];
  const own = found?.states;
  return {
    id,
    state,
    generation,
    createdAt: isoTime(createdAt),
    ...(startedAt === undefined ? {} : { startedAt: isoTime(startedAt) }),
    ...(endedAt === undefined ? {} : { endedAt: isoTime(endedAt) }),
    ...(partition === undefined ? {} : { partition }),
    ...(own ? { states: nodes.map((node) => (Object.hasOwn(own, node) ? own[node] : ".")).join("") } : {}),
    ...(found && found.rows >= gridRunRowsMax ? { isCut: true } : {}),
  };
}
