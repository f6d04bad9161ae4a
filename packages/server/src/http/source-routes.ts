import { MillraceError, nearestName, type Json, type SourceDefinition } from "@millrace/core";
import type { Operations, Page, SourceView } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { announceDefinitions, listSources, setSourcePaused, type ListedSource } from "@millrace/store";
import { sourceShard } from "../engine/source/source-host.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import type { FastifyReply } from "fastify";
import { tellState } from "./preconditions.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";

export function sourceRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listSources, async (): Promise<Page<SourceView>> => ({
      items: (await listSources(context.database, workspaceId)).map(viewOf),
    })),
    route(operations.getSource, async (request, reply) => {
      const source = viewOf(await find(context, request.path.name));
      tellState(reply, stateOf(source));
      return source;
    }),
    route(operations.pauseSource, (request, reply) => change(context, request, reply, true)),
    route(operations.resumeSource, (request, reply) => change(context, request, reply, false)),
  ];
}

/** What others may have changed. */
function stateOf({ paused }: SourceView): Json {
  return { paused };
}

async function change(
  context: ApiContext,
  request: ApiRequest<Operations["pauseSource" | "resumeSource"]>,
  reply: FastifyReply,
  paused: boolean,
): Promise<SourceView> {
  const { name } = request.path;
  const source = await context.changes.of(`source ${name}`, request.raw, {
    state: async () => stateOf(viewOf(await find(context, name))),
    act: () => setPaused(context, name, paused),
  });
  tellState(reply, stateOf(source));
  return source;
}

async function setPaused(context: ApiContext, name: string, paused: boolean): Promise<SourceView> {
  await find(context, name);
  const now = context.host.engine.now();
  await setSourcePaused(context.database, workspaceId, { name, shard: sourceShard(name), paused, now });
  await announceDefinitions(context.database);
  await context.host.run(async (engine) => {
    await engine.sources.refresh();
    await engine.committed();
  });
  return viewOf(await find(context, name));
}

/** Throws MILLRACE_SOURCE_UNKNOWN. */
async function find(context: ApiContext, name: string): Promise<ListedSource> {
  const sources = await listSources(context.database, workspaceId);
  const found = sources.find(({ definition }) => definition.name === name);
  if (found) return found;
  const near = nearestName(
    name,
    sources.map(({ definition }) => definition.name),
  );
  throw new MillraceError("MILLRACE_SOURCE_UNKNOWN", {
    message: `There is no source "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
  });
}

function viewOf({ project, definition, paused, row, things }: ListedSource): SourceView {
  const { name, kind, source } = definition;
  const { scan, problem, things: found = 0, settling = 0, waiting = 0 } = row?.detail ?? {};
  // What an operator asked for a moment ago counts, also where a reader has not ended yet.
  const isTaken = row !== undefined && row.place !== "";
  const state = paused ? "paused" : isTaken ? row.state : "waiting";
  return {
    name,
    project,
    kind,
    reads: readsOf(definition),
    state,
    ...(isTaken ? { since: isoTime(row.changedAt) } : {}),
    paused,
    events: row?.events ?? 0,
    ...(row?.lastEventAt === undefined ? {} : { lastEventAt: isoTime(row.lastEventAt) }),
    remembered: things,
    settling,
    waiting,
    ...(scan ? { lastScan: { at: isoTime(scan.at), tookMs: scan.tookMs, things: found } } : {}),
    ...(row?.error && !paused ? { error: row.error } : {}),
    ...(problem && state === "running" ? { problem } : {}),
    ...(source ? { source } : {}),
  };
}

function readsOf({ folder, glob }: SourceDefinition): string {
  return `${folder.replace(/\/+$/, "")}/${glob}`;
}
