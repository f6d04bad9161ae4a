/** What led to a run, one step back: who called it, or the firing with its events and whoever told each of them. */
import { causeOf, MillraceError, ownSource, type LogEvent } from "@millrace/core";
import type { CausedRunView, CauseMemberView, ProducerView, RunCausesView } from "@millrace/protocol";
import { findEntries, findFiringOfRun } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { causeMembersShown } from "./limits.ts";
import { findCurrent } from "./run-commands.ts";
import { summaryOf } from "./run-summary.ts";
import { firingDetail } from "./trigger-view.ts";

export async function causesOf(context: ApiContext, id: string): Promise<RunCausesView> {
  const found = summaryOf(await findCurrent(context, id));
  const run = causedRun(found);
  if (found.parent) return { run, kind: "call", parent: found.parent };
  const firing = await findFiringOfRun(context.database, workspaceId, id);
  if (!firing) return { run, kind: "hand" };
  const { members, ...view } = await firingDetail(context, firing);
  const shown = members.slice(0, causeMembersShown);
  const positions = [...new Set(shown.flatMap(({ position }) => position ?? []))];
  const entries = await findEntries(context.database, workspaceId, positions);
  const producers = await producersOf(context, entries);
  return {
    run,
    kind: "firing",
    firing: view,
    members: shown.map((member): CauseMemberView => {
      const producer = member.position === undefined ? undefined : producers.get(member.position);
      return producer ? { ...member, producer } : member;
    }),
  };
}

/** By the positions of the entries. */
async function producersOf(
  context: ApiContext,
  entries: readonly LogEvent[],
): Promise<Map<number, ProducerView>> {
  const { values } = context.host.engine;
  const runs = new Map<string, Promise<CausedRunView | undefined>>();
  const told = entries.map(async (entry): Promise<[number, ProducerView]> => {
    const isOwn = entry.source === ownSource;
    const cause = causeOf(isOwn ? { ...entry, data: await values.loaded(entry.data) } : entry);
    if (!cause) return [entry.position, { ...producerKind(entry.source) }];
    const { run: id, pipeline, node } = cause;
    if (id !== undefined && !runs.has(id)) runs.set(id, findCaused(context, id));
    const run = id === undefined ? undefined : await runs.get(id);
    return [
      entry.position,
      {
        kind: "run",
        name: id ?? pipeline ?? entry.source,
        ...(run ? { run } : {}),
        ...(pipeline === undefined ? {} : { pipeline }),
        ...(node === undefined ? {} : { node }),
      },
    ];
  });
  return new Map(await Promise.all(told));
}

function producerKind(source: string): ProducerView {
  if (source === ownSource) return { kind: "millrace", name: source };
  const place = /^\/(hooks|sources)\/(.+)$/.exec(source);
  if (!place) return { kind: "outside", name: source };
  return { kind: place[1] === "hooks" ? "webhook" : "source", name: place[2]! };
}

/** Its history may be gone, and what names it may be anybody's. */
async function findCaused(context: ApiContext, id: string): Promise<CausedRunView | undefined> {
  try {
    return causedRun(summaryOf(await findCurrent(context, id)));
  } catch (error) {
    if (error instanceof MillraceError && error.code === "MILLRACE_RUN_UNKNOWN") return undefined;
    throw error;
  }
}

function causedRun(run: CausedRunView): CausedRunView {
  const { id, pipeline, state, createdAt, startedAt, endedAt } = run;
  return {
    id,
    pipeline,
    state,
    createdAt,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
  };
}
