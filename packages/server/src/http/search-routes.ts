/** One search over all that has a name: what it looks at is bounded, whatever history there is (`queries/search.ts`). */
import { MillraceError } from "@millrace/core";
import type { Operations, SearchAnswer, SearchHit, SearchKind } from "@millrace/protocol";
import { operations, searchKinds, searchTextMax } from "@millrace/protocol/operations";
import { findEventPositions, listToldAssets, searchPipelines, searchRuns } from "@millrace/store";
import { idsBeginning } from "../engine/run-id.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { poolsOf, workersOf } from "./pool-routes.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";

/** Ids are made with the node's estimate of database time, which is off by less than this. */
const idSlackMs = 60_000;

export function searchRoutes(context: ApiContext): Route[] {
  return [route(operations.search, (request) => search(context, request))];
}

/** What is looked for. `text` is in lower case. */
interface Wanted {
  readonly given: string;
  readonly text: string;
  readonly limit: number;
  readonly has: (...kinds: readonly SearchKind[]) => boolean;
}

async function search(context: ApiContext, request: ApiRequest<Operations["search"]>): Promise<SearchAnswer> {
  const given = request.query.q.trim();
  if (given.length > searchTextMax)
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `"q" must have at most ${searchTextMax} characters.`,
      fields: { query: "q" },
    });
  const kinds = kindsOf(request.query.kinds);
  const { limit } = request.query;
  if (given === "") return { items: [], more: [] };
  const wanted: Wanted = {
    given,
    text: given.toLowerCase(),
    limit,
    has: (...some) => some.some((kind) => kinds.has(kind)),
  };
  const found = await Promise.all([
    pipelines(context, wanted),
    runs(context, wanted),
    assets(context, wanted),
    events(context, wanted),
    workers(context, wanted),
    pools(context, wanted),
  ]);
  const hits = found.flat();
  const byKind = searchKinds.map((kind) => ({ kind, hits: hits.filter((hit) => hit.kind === kind) }));
  return {
    items: byKind.flatMap((one) => one.hits.slice(0, limit)),
    more: byKind.filter((one) => one.hits.length > limit).map(({ kind }) => kind),
  };
}

function kindsOf(text: string | undefined): ReadonlySet<SearchKind> {
  if (text === undefined || text === "") return new Set(searchKinds);
  return new Set(
    text.split(",").map((name) => {
      const kind = searchKinds.find((one) => one === name.trim());
      if (kind !== undefined) return kind;
      throw new MillraceError("MILLRACE_REQUEST_INVALID", {
        message: `"kinds" must be some of ${searchKinds.join(", ")}, with commas between them.`,
        fields: { query: "kinds" },
      });
    }),
  );
}

async function pipelines({ database }: ApiContext, wanted: Wanted): Promise<SearchHit[]> {
  if (!wanted.has("pipeline", "trigger", "schedule")) return [];
  const { text, limit } = wanted;
  const found = await searchPipelines(database, workspaceId, { text, limit: limit + 1 });
  return found.flatMap(({ name, description, isPaused, hasTrigger, hasSchedule }): SearchHit[] => [
    ...(wanted.has("pipeline")
      ? [
          {
            kind: "pipeline" as const,
            id: name,
            name,
            paused: isPaused,
            ...(description === undefined ? {} : { about: description.slice(0, 200) }),
          },
        ]
      : []),
    ...(hasTrigger && wanted.has("trigger") ? [{ kind: "trigger" as const, id: name, name }] : []),
    ...(hasSchedule && wanted.has("schedule") ? [{ kind: "schedule" as const, id: name, name }] : []),
  ]);
}

/** An id begins with `r`, a time and so with a digit: words that begin with `r` are no such thing. */
async function runs({ database }: ApiContext, { text, limit, has }: Wanted): Promise<SearchHit[]> {
  const ids = has("run") ? idsBeginning(text) : undefined;
  if (!ids) return [];
  const found = await searchRuns(database, workspaceId, {
    from: ids.from,
    to: ids.to,
    since: ids.at - idSlackMs,
    limit: limit + 1,
  });
  return found.map(({ id, pipeline, state, createdAt }) => ({
    kind: "run",
    id,
    name: id,
    about: pipeline,
    state,
    at: isoTime(createdAt),
  }));
}

async function assets({ database, host }: ApiContext, { text, limit, has }: Wanted): Promise<SearchHit[]> {
  if (!has("asset")) return [];
  const told = await listToldAssets(database, workspaceId);
  const names = new Set([...(host.running?.assets.names() ?? []), ...told]);
  return named([...names], text, limit).map((name) => ({ kind: "asset", id: name, name }));
}

async function events(
  { database, host }: ApiContext,
  { given, limit, has }: Wanted,
): Promise<readonly SearchHit[]> {
  if (!has("event")) return [];
  const positions = await findEventPositions(database, workspaceId, { id: given, source: undefined });
  if (/^[1-9]\d{0,14}$/.test(given)) positions.unshift(Number(given));
  const pages = await Promise.all(
    [...new Set(positions)].slice(0, limit + 1).map((position) => host.engine.events.read(position - 1, 1)),
  );
  return pages
    .flatMap((page) => page.events)
    .filter(({ position }) => positions.includes(position))
    .map(({ position, id, type, subject, recordedAt }) => ({
      kind: "event",
      id: String(position),
      name: id,
      about: subject === undefined ? type : `${type} ${subject}`,
      at: isoTime(recordedAt),
    }));
}

/** Workers by their name or id, and the queues that they take from. */
async function workers(context: ApiContext, { text, limit, has }: Wanted): Promise<SearchHit[]> {
  if (!has("worker", "queue")) return [];
  const all = await workersOf(context);
  const served = all.flatMap(({ queues }) => queues);
  const queued = Array.from(context.host.running?.queues.queued() ?? [], ([name]) => name);
  const queues = named([...new Set([...served, ...queued])], text, limit);
  const found = all.filter(({ id, name }) => name.toLowerCase().includes(text) || id.startsWith(text));
  return [
    ...(has("worker") ? found.slice(0, limit + 1) : []).map(({ id, name, version }): SearchHit => ({
      kind: "worker",
      id,
      name,
      about: version,
    })),
    ...(has("queue") ? queues : []).map((name): SearchHit => ({ kind: "queue", id: name, name })),
  ];
}

async function pools(context: ApiContext, { text, limit, has }: Wanted): Promise<SearchHit[]> {
  if (!has("pool")) return [];
  const all = await poolsOf(context);
  const names = all.map(({ name }) => name);
  return named(names, text, limit).map((name) => {
    const { used, slots } = all.find((pool) => pool.name === name)!;
    return { kind: "pool", id: name, name, about: `${used} of ${slots} slots used` };
  });
}

/** Names that hold the text: those that begin with it first, then the shorter ones. One more than asked for, if there is. */
function named(names: readonly string[], text: string, limit: number): string[] {
  const place = (name: string): number => (name.toLowerCase().startsWith(text) ? 0 : 1);
  return names
    .filter((name) => name.toLowerCase().includes(text))
    .sort((a, b) => place(a) - place(b) || a.length - b.length || (a < b ? -1 : 1))
    .slice(0, limit + 1);
}
