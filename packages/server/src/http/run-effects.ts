/**
 * What came of a run: the entries of the log that it wrote, the firings that these were members of, and the runs that it called.
 *
 * E1: what is looked for has its names made of the run's (`asset/name.ts`, `own-events.ts`), so that indexes find it; what a task
 *     emitted under an id or a source of its own does not say which run it was.
 */
import { assetEntryId, causeOf, ownSource, taskSource, type LogEvent } from "@millrace/core";
import type { EffectEventView, RunEffectsView } from "@millrace/protocol";
import {
  findEmitted,
  findEntries,
  findFiringsOfEvents,
  listAssetUses,
  listEvents,
  type EventFiring,
} from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import {
  assetUsesShown,
  effectCallsShown,
  effectEventsShown,
  effectFiringsShown,
  effectNewsLooked,
  effectNewsMs,
  effectNodesMax,
} from "./limits.ts";
import { snapshotOf, type RunSnapshot } from "./run-snapshot.ts";
import { isoTime } from "./run-summary.ts";

export async function effectsOf(context: ApiContext, id: string): Promise<RunEffectsView> {
  const snapshot = await snapshotOf(context, id, undefined);
  const [positions, news] = await Promise.all([writtenBy(context, snapshot), newsOf(context, snapshot)]);
  const shown = positions.slice(0, effectEventsShown);
  const entries = [...(await findEntries(context.database, workspaceId, shown)), ...news].sort(
    (a, b) => a.position - b.position,
  );
  const firings = await findFiringsOfEvents(context.database, workspaceId, {
    positions: entries.map(({ position }) => position),
    each: effectFiringsShown,
  });
  const firingsOf = Map.groupBy(firings, ({ position }) => position);
  const calls = snapshot.taskRuns.filter(({ childRunId }) => childRunId !== undefined);
  const isCut = positions.length > shown.length || snapshot.graph.nodes.length > effectNodesMax;
  return {
    events: entries.map((entry) => effectView(entry, firingsOf.get(entry.position) ?? [])),
    ...(isCut ? { eventsAreMore: true } : {}),
    calls: calls
      .slice(0, effectCallsShown)
      .map(({ node, item, childRunId }) => ({ node, item, runId: childRunId! })),
    ...(calls.length > effectCallsShown ? { callsAreMore: true } : {}),
  };
}

/** Positions of what its tasks emitted and told of assets (E1). */
async function writtenBy(context: ApiContext, { run, graph }: RunSnapshot): Promise<number[]> {
  const { database } = context;
  const places = graph.nodes.slice(0, effectNodesMax).flatMap(({ definition }) => {
    const source = taskSource(run.pipeline, definition.id);
    return [
      { source, prefix: `${run.id}/` },
      { source: ownSource, prefix: assetEntryId(source, `${run.id}/`) },
    ];
  });
  const [emitted, uses] = await Promise.all([
    findEmitted(database, workspaceId, { places, limit: effectEventsShown + 1 }),
    listAssetUses(database, workspaceId, { runId: run.id, limit: assetUsesShown }),
  ]);
  const written = uses.flatMap(({ direction, position }) =>
    direction === "write" && position !== undefined ? [position] : [],
  );
  return [...new Set([...emitted, ...written])].sort((a, b) => a - b);
}

/** What Millrace told of the run itself, where somebody asked for it: near its beginning and its end. */
async function newsOf(context: ApiContext, { run }: RunSnapshot): Promise<LogEvent[]> {
  const around = [run.startedAt, run.endedAt].filter((at) => at !== undefined);
  const pages = await Promise.all(
    around.map((at) =>
      listEvents(context.database, workspaceId, {
        type: "millrace.run.*",
        subject: run.pipeline,
        source: ownSource,
        onlyInvalid: false,
        since: at - effectNewsMs,
        until: at + effectNewsMs,
        after: 0,
        before: undefined,
        limit: effectNewsLooked,
      }),
    ),
  );
  const own = pages.flat().filter((entry) => causeOf(entry)?.run === run.id);
  return [...new Map(own.map((entry) => [entry.position, entry])).values()];
}

function effectView(entry: LogEvent, firings: readonly EventFiring[]): EffectEventView {
  const { position, recordedAt, type, subject } = entry;
  const node = causeOf(entry)?.node;
  return {
    position,
    recordedAt: isoTime(recordedAt),
    type,
    ...(subject === undefined ? {} : { subject }),
    ...(node === undefined ? {} : { node }),
    firings: firings.map((firing) => {
      const runId = firing.intoRun ?? firing.runId;
      return { pipeline: firing.pipeline, ...(runId === undefined ? {} : { runId }), state: stateOf(firing) };
    }),
  };
}

function stateOf({ gate, intoRun, reasonCode }: EventFiring): EffectEventView["firings"][number]["state"] {
  if (intoRun !== undefined) return "merged";
  if (gate === "waiting") return "waiting";
  if (reasonCode === undefined) return "started";
  return reasonCode === "superseded" ? "superseded" : "refused";
}
