/**
 * A run's log from any place in either direction, with levels and a text that is looked for; and all of it as a file.
 *
 * L1: a place stands between two lines: forward from it and backward from it give each line once.
 * L2: one request looks at a bounded part of the log, and its answer says how far that was.
 * L3: a file is read as it is taken: what waits for a slow reader is one batch of chunks.
 */
import { Readable } from "node:stream";
import { MillraceError } from "@millrace/core";
import type { LogEntry, LogLine, LogLinesView, Operations } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { scanLogsBackward, scanLogsForward, type LogScan, type ScannedChunk } from "@millrace/store";
import type { FastifyReply } from "fastify";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { logChunksLookedMax, logChunksRead, logChunksScanned, logFindMax, logLookMs } from "./limits.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { sinceOf } from "./run-snapshot.ts";
import { isoTime } from "./run-summary.ts";

const levels = ["debug", "info", "warn", "error"] as const;

export function logLineRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listRunLines, (request) => linesOf(context, request)),
    route(operations.getRunLog, (request, reply) => logFile(context, request, reply)),
  ];
}

/** A chunk, and how many of its lines stand before the place. */
interface LinePlace {
  readonly chunk: Pick<ScannedChunk, "createdAt" | "node" | "item" | "generation" | "dispatch" | "position">;
  readonly line: number;
}

type CursorPlace = readonly [
  createdAt: number,
  node: string,
  item: string,
  generation: number,
  dispatch: number,
  position: number,
  line: number,
];

function isCursorPlace(place: unknown): place is CursorPlace {
  return isPlace(["number", "string", "string", "number", "number", "number", "number"], place);
}

function readPlace(cursor: string | undefined): LinePlace | undefined {
  const place = readCursor(cursor, isCursorPlace);
  if (!place) return undefined;
  const [createdAt, node, item, generation, dispatch, position, line] = place;
  return { chunk: { createdAt, node, item, generation, dispatch, position }, line };
}

function writePlace({ chunk, line }: LinePlace): string {
  const { createdAt, node, item, generation, dispatch, position } = chunk;
  return writeCursor([createdAt, node, item, generation, dispatch, position, line]);
}

interface Wanted {
  readonly scan: Omit<LogScan, "from" | "limit">;
  readonly isWanted: (line: LogLine) => boolean;
  /** Chunks that one statement looks at. */
  readonly chunks: number;
}

function wantedOf(request: ApiRequest<Operations["getRunLog" | "listRunLines"]>): Wanted {
  const runId = request.path.id;
  const level = request.query.level;
  const find = request.query.find;
  if (find !== undefined && find.length > logFindMax) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `"find" has ${find.length} characters; at most ${logFindMax} are looked for.`,
    });
  }
  const least = level === undefined || level === "debug" ? undefined : levels.indexOf(level);
  const text = find?.toLowerCase();
  return {
    scan: {
      runId,
      since: sinceOf(runId),
      node: request.query.node,
      item: request.query.item,
      attempt: request.query.attempt,
      generation: request.query.generation,
      levels: least === undefined ? undefined : levels.slice(least),
      find: find === "" ? undefined : find,
    },
    isWanted: (line) =>
      (least === undefined || levels.indexOf(line.level) >= least) &&
      (text === undefined || line.text.toLowerCase().includes(text)),
    chunks: least === undefined && (text ?? "") === "" ? logChunksRead : logChunksScanned,
  };
}

async function linesOf(
  context: ApiContext,
  request: ApiRequest<Operations["listRunLines"]>,
): Promise<LogLinesView> {
  const wanted = wantedOf(request);
  const order = request.query.order ?? "forward";
  const limit = request.query.limit;
  const place = readPlace(request.query.cursor);
  await context.logs.stored(wanted.scan.runId);
  const from = place ?? {
    chunk: { createdAt: wanted.scan.since, node: "", item: "", generation: 0, dispatch: 0, position: 0 },
    line: 0,
  };
  return order === "forward"
    ? forward(context, wanted, { from, limit })
    : backward(context, wanted, { from: place, limit, start: from });
}

interface ForwardOptions {
  readonly from: LinePlace;
  readonly limit: number;
}

async function forward(
  context: ApiContext,
  wanted: Wanted,
  { from, limit }: ForwardOptions,
): Promise<LogLinesView> {
  const look = new Look(context);
  const items: LogEntry[] = [];
  let first: LinePlace | undefined;
  let at = from;
  let lookedAt: number | undefined;
  for (;;) {
    const asked = { ...wanted.scan, from: at.chunk, limit: wanted.chunks };
    const chunks = await scanLogsForward(context.database, workspaceId, asked);
    for (const chunk of chunks) {
      lookedAt = chunk.createdAt;
      const count = chunk.lines?.length ?? Number.MAX_SAFE_INTEGER;
      for (let line = isSameChunk(chunk, at.chunk) ? at.line : 0; line < count && chunk.lines; line += 1) {
        const found = chunk.lines[line] as unknown as LogLine;
        if (!wanted.isWanted(found)) continue;
        if (items.length === limit)
          return answer(items, { first, last: { chunk, line }, hasMore: true, lookedAt });
        first ??= { chunk, line };
        items.push(entryOf(chunk, found, line));
      }
      at = { chunk, line: count };
    }
    const isEnd = chunks.length < wanted.chunks;
    if (isEnd || items.length === limit || look.isOver(chunks.length))
      return answer(items, { first: first ?? from, last: at, hasMore: !isEnd, lookedAt });
  }
}

interface BackwardOptions {
  /** The end, if absent. */
  readonly from: LinePlace | undefined;
  readonly limit: number;
  /** Where the answer's places stand if the log is empty. */
  readonly start: LinePlace;
}

async function backward(
  context: ApiContext,
  wanted: Wanted,
  { from, limit, start }: BackwardOptions,
): Promise<LogLinesView> {
  const look = new Look(context);
  const items: LogEntry[] = [];
  let last: LinePlace | undefined;
  let at = from;
  let lookedAt: number | undefined;
  const told = (first: LinePlace, hasMore: boolean): LogLinesView =>
    answer(items.toReversed(), { first, last: last ?? from ?? first, hasMore, lookedAt });
  for (;;) {
    const asked = { ...wanted.scan, from: at?.chunk, limit: wanted.chunks };
    const chunks = await scanLogsBackward(context.database, workspaceId, asked);
    for (const chunk of chunks) {
      lookedAt = chunk.createdAt;
      const count = chunk.lines?.length ?? 0;
      const until = at && isSameChunk(chunk, at.chunk) ? Math.min(at.line, count) : count;
      // What comes after this place is looked at from here on.
      last ??= from ?? { chunk, line: chunk.lines ? count : Number.MAX_SAFE_INTEGER };
      for (let line = until - 1; line >= 0; line -= 1) {
        const found = chunk.lines![line] as unknown as LogLine;
        if (!wanted.isWanted(found)) continue;
        if (items.length === limit) return told({ chunk, line: line + 1 }, true);
        items.push(entryOf(chunk, found, line));
      }
      at = { chunk, line: 0 };
    }
    const isEnd = chunks.length < wanted.chunks;
    if (isEnd || items.length === limit || look.isOver(chunks.length)) return told(at ?? start, !isEnd);
  }
}

/** How much one request looks at. */
class Look {
  readonly #context: ApiContext;
  readonly #until: number;
  #left = logChunksLookedMax;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#until = context.clock.monotonic() + logLookMs;
  }

  isOver(chunks: number): boolean {
    this.#left -= chunks;
    return this.#left <= 0 || this.#context.clock.monotonic() >= this.#until;
  }
}

interface AnswerParts {
  readonly first: LinePlace | undefined;
  readonly last: LinePlace;
  readonly hasMore: boolean;
  readonly lookedAt: number | undefined;
}

function answer(items: readonly LogEntry[], { first, last, hasMore, lookedAt }: AnswerParts): LogLinesView {
  return {
    items,
    before: writePlace(first ?? last),
    after: writePlace(last),
    hasMore,
    ...(lookedAt === undefined ? {} : { lookedAt: isoTime(lookedAt) }),
  };
}

function isSameChunk(a: LinePlace["chunk"], b: LinePlace["chunk"]): boolean {
  return (
    a.createdAt === b.createdAt &&
    a.position === b.position &&
    a.dispatch === b.dispatch &&
    a.generation === b.generation &&
    a.node === b.node &&
    a.item === b.item
  );
}

function entryOf(chunk: ScannedChunk, line: LogLine, at: number): LogEntry {
  const { node, item, generation, attempt, position } = chunk;
  return { ...line, node, item, generation, attempt, position: position + at };
}

async function logFile(
  context: ApiContext,
  request: ApiRequest<Operations["getRunLog"]>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const wanted = wantedOf(request);
  const format = request.query.format ?? "text";
  await context.logs.stored(wanted.scan.runId);
  const name = `${wanted.scan.runId}.${format === "text" ? "log" : "ndjson"}`;
  const lineText = format === "text" ? textLine : (entry: LogEntry) => `${JSON.stringify(entry)}\n`;
  return reply
    .header("content-type", format === "text" ? "text/plain; charset=utf-8" : "application/x-ndjson")
    .header("content-disposition", `attachment; filename="${name}"`)
    .header("content-security-policy", "sandbox")
    .send(Readable.from(fileParts(context, wanted, lineText), { objectMode: false, highWaterMark: 1 }));
}

async function* fileParts(
  context: ApiContext,
  wanted: Wanted,
  lineText: (entry: LogEntry) => string,
): AsyncGenerator<string> {
  let after: ScannedChunk | undefined;
  for (;;) {
    const limit = wanted.chunks + (after ? 1 : 0);
    const start = {
      createdAt: wanted.scan.since,
      node: "",
      item: "",
      generation: 0,
      dispatch: 0,
      position: 0,
    };
    const asked = { ...wanted.scan, from: after ?? start, limit };
    const chunks = await scanLogsForward(context.database, workspaceId, asked);
    let text = "";
    for (const chunk of chunks) {
      if (after && isSameChunk(chunk, after)) continue;
      for (const [at, line] of (chunk.lines ?? []).entries()) {
        const found = line as unknown as LogLine;
        if (wanted.isWanted(found)) text += lineText(entryOf(chunk, found, at));
      }
    }
    after = chunks.at(-1);
    if (text !== "") yield text;
    if (chunks.length < limit) return;
  }
}

function textLine({ at, level, node, item, text }: LogEntry): string {
  return `${isoTime(at)} ${level.padEnd(5)} ${item === "" ? node : `${node}[${item}]`} ${text}\n`;
}
