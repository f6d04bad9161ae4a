/** Pages of runs, log lines and artifacts. */
import { MillraceError } from "@millrace/core";
import type { ArtifactView, LogEntry, LogLine, Operations, Page, RunSummary } from "@millrace/protocol";
import { pageSizeMax } from "@millrace/protocol/operations";
import {
  listArtifacts,
  listRuns,
  readLogs,
  type ChunkPlace,
  type LogFilter,
  type StoredChunk,
} from "@millrace/store";
import { firstRunId } from "../engine/run-id.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { logChunksRead } from "./limits.ts";
import type { ApiRequest } from "./route.ts";
import { sinceOf } from "./run-snapshot.ts";
import { summaryOf } from "./run-summary.ts";

/** Ids are made a little before what they name, by the clock of a server. */
const idSlackMs = 1_000;
/** Sorts after every id. */
const afterAllIds = "~";

function isRunPlace(place: unknown): place is readonly [id: string] {
  return isPlace(["string"], place);
}

export async function runPage(
  context: ApiContext,
  request: ApiRequest<Operations["listRuns"]>,
): Promise<Page<RunSummary>> {
  const limit = request.query.limit;
  const after = readCursor(request.query.cursor, isRunPlace);
  const order = request.query.order ?? "newest";
  const [since, until] = [request.query.since, request.query.until];
  const from = since === undefined ? "" : firstRunId(since - idSlackMs);
  const before = until === undefined ? afterAllIds : firstRunId(until + idSlackMs);
  const found = await listRuns(context.database, workspaceId, {
    pipeline: request.query.pipeline,
    state: request.query.state,
    label: labelOf(request.query.label),
    by: request.query.by,
    order,
    // What comes right after an id begins with it.
    fromId: order === "oldest" && after ? `${after[0]}~` : from,
    beforeId: order === "newest" && after ? after[0] : before,
    limit,
  });
  return {
    items: found.runs
      .filter(({ createdAt }) => createdAt >= (since ?? -Infinity) && createdAt < (until ?? Infinity))
      .map(summaryOf),
    ...(found.after === undefined ? {} : { nextCursor: writeCursor([found.after]) }),
  };
}

function labelOf(text: string | undefined): { readonly name: string; readonly value: string } | undefined {
  if (text === undefined) return undefined;
  const at = text.indexOf(":");
  if (at > 0) return { name: text.slice(0, at), value: text.slice(at + 1) };
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: '"label" must be a name and a value with a colon between them.',
  });
}

type LogPlace = readonly [
  createdAt: number,
  node: string,
  item: string,
  generation: number,
  dispatch: number,
  position: number,
  skip: number,
];

function isLogPlace(place: unknown): place is LogPlace {
  return isPlace(["number", "string", "string", "number", "number", "number", "number"], place);
}

export async function logPage(
  context: ApiContext,
  request: ApiRequest<Operations["listRunLogs"]>,
): Promise<Page<LogEntry>> {
  const runId = request.path.id;
  const filter = {
    runId,
    since: sinceOf(runId),
    node: request.query.node,
    item: request.query.item,
    attempt: request.query.attempt,
    generation: request.query.generation,
  };
  return linePage(context, request, filter, ({ chunk, line, at }) => {
    const { node, item, generation, attempt, position } = chunk;
    return { ...line, node, item, generation, attempt, position: position + at };
  });
}

/** Lines in the order in which they were stored; a cursor stands inside a chunk, so that growing logs are followed. */
export async function linePage<Entry>(
  context: ApiContext,
  request: ApiRequest<Operations["listProbeLogs" | "listRunLogs"]>,
  filter: Omit<LogFilter, "from" | "limit">,
  entryOf: (found: {
    readonly chunk: StoredChunk;
    readonly line: LogLine;
    /** Its place in the chunk. */
    readonly at: number;
  }) => Entry,
): Promise<Page<Entry>> {
  const { runId, since } = filter;
  const limit = request.query.limit;
  const place = readCursor(request.query.cursor, isLogPlace);
  const from: ChunkPlace = place
    ? {
        createdAt: place[0],
        node: place[1],
        item: place[2],
        generation: place[3],
        dispatch: place[4],
        position: place[5],
      }
    : { createdAt: since, node: "", item: "", generation: 0, dispatch: 0, position: 0 };
  await context.logs.stored(runId);
  const items: Entry[] = [];
  let next = from;
  let skip = place?.[6] ?? 0;
  // A chunk may be a line or 64 kB of them: few are read at once.
  for (;;) {
    const chunks = await readLogs(context.database, workspaceId, {
      ...filter,
      from: next,
      limit: logChunksRead,
    });
    for (const chunk of chunks) {
      const { node, item, generation, dispatch, position } = chunk;
      for (let at = skip; at < chunk.lines.length; at += 1) {
        if (items.length === limit) {
          const left = [chunk.createdAt, node, item, generation, dispatch, position, at];
          return { items, nextCursor: writeCursor(left) };
        }
        items.push(entryOf({ chunk, line: chunk.lines[at] as unknown as LogLine, at }));
      }
      skip = 0;
    }
    const last = chunks.at(-1);
    if (!last || chunks.length < logChunksRead) return { items };
    next = last;
    skip = last.lines.length;
  }
}

export async function artifactPage(context: ApiContext, runId: string): Promise<Page<ArtifactView>> {
  const rows = await listArtifacts(context.database, workspaceId, {
    runId,
    since: sinceOf(runId),
    limit: pageSizeMax,
  });
  return {
    items: rows.map(({ node, item, generation, attempt, name, type, mediaType, blob, bytes }) => ({
      node,
      item,
      generation,
      attempt,
      name,
      type,
      mediaType,
      blob,
      bytes,
    })),
  };
}
