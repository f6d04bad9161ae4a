/** Which firings a resume would make: the evaluator's own decision (C8), on states that are thrown away. */
import {
  decideResume,
  foreseeGate,
  gateKeyOf,
  MillraceError,
  parseCatchUp,
  partitionOfValue,
  streamedMembersOf,
  type CatchUp,
  type Gate,
  type GatedFiring,
  type GateOutcome,
  type ResumePort,
} from "@millrace/core";
import type { ResumePreview, ResumeRequest } from "@millrace/protocol";
import {
  findDueTriggerKeys,
  findGate,
  findLogHead,
  findPipeline,
  findTriggerKeys,
  type TriggerKeyRow,
} from "@millrace/store";
import { dueKeysMax, gateOldestMax } from "../engine/limits.ts";
import { loadTrigger, restoreKey, type LoadedTrigger } from "../engine/trigger/loaded-trigger.ts";
import { asConditionEvent, entriesBetween } from "../engine/trigger/telling.ts";
import type { DecidedFiring } from "../engine/trigger/loaded-trigger.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { previewFiringsMax } from "./limits.ts";
import { requireTrigger } from "./trigger-find.ts";
import { decidedViews, placeView } from "./trigger-view.ts";

export function readOnResume({ onResume }: ResumeRequest): CatchUp | undefined {
  return onResume === undefined ? undefined : parseCatchUp(onResume, ["onResume"]);
}

export async function previewResume(
  context: ApiContext,
  { pipeline, isPaused }: { readonly pipeline: string; readonly isPaused: boolean },
  onResume: CatchUp | undefined,
): Promise<ResumePreview> {
  const { row, definition } = await requireTrigger(context, pipeline);
  const how = onResume ?? definition.onResume;
  if (!row.paused && isPaused)
    throw new MillraceError("MILLRACE_OVERLOADED", {
      message: `The pause of "${pipeline}" is on its way to its trigger.`,
    });
  if (!row.paused) return { pipeline, onResume: how, firingCount: 0, firings: [] };
  const head = await findLogHead(context.database, workspaceId);
  const trigger = loadTrigger(row);
  await loadOwn(context, trigger);
  const firings = await decideResume(
    trigger,
    {
      from: row.paused.position,
      to: head.position + 1,
      // The resume's own entry carries the time at which it is recorded: the log's clock may have stood still since the pause.
      at: Math.max(head.clock, context.host.engine.now()),
      position: head.position,
      how,
    },
    portOf(context, trigger),
  );
  return {
    pipeline,
    onResume: how,
    paused: placeView(row.paused),
    firingCount: firings.length,
    firings: await decidedViews(
      context,
      firings.slice(0, previewFiringsMax),
      await outcomesOf(context, trigger, firings),
    ),
  };
}

/** What the gate would make of them at this moment: the same pure core decides it at the resume. */
async function outcomesOf(
  { database }: ApiContext,
  { row: { pipeline, definition } }: LoadedTrigger,
  firings: readonly DecidedFiring[],
): Promise<ReadonlyMap<DecidedFiring, GateOutcome>> {
  const policy = definition?.policy;
  if (policy === undefined) return new Map();
  const limit =
    (await findPipeline(database, workspaceId, pipeline))?.definition.maxActiveRuns ??
    Number.POSITIVE_INFINITY;
  const keys = [...new Set(firings.map(({ firing }) => firing.key))];
  const hasPartitions = firings.some(({ firing }) => firing.partition);
  const oldest = hasPartitions ? gateOldestMax : Math.min(Math.max(limit, 1), gateOldestMax);
  const rows = await findGate(database, { workspace: workspaceId, pipeline, keys, oldest });
  const gate: Gate<GatedFiring> = {
    limit,
    active: new Set(rows.active),
    waiting: rows.waiting.map(({ runId, version, key, value }) => ({
      runId,
      version,
      key: gateKeyOf(key, partitionOfValue(value)),
      members: streamedMembersOf(value) ?? 0,
    })),
    hasMore: rows.hasMore,
  };
  const gated = new Map(
    firings.map((decided, at): [DecidedFiring, GatedFiring] => {
      const { version, key, partition, members } = decided.firing;
      const gateKey = gateKeyOf(key, partition?.key);
      return [decided, { runId: `${at}`, version, key: gateKey, members: members.length }];
    }),
  );
  const foreseen = foreseeGate(gate, policy, [...gated.values()]);
  return new Map(firings.map((decided) => [decided, foreseen.get(gated.get(decided)!)!]));
}

/** A trigger without keys has its one state in memory all the time. */
async function loadOwn({ database }: ApiContext, trigger: LoadedTrigger): Promise<void> {
  if (trigger.program?.isKeyed) return;
  const { pipeline } = trigger.row;
  restore(trigger, await findTriggerKeys(database, workspaceId, [{ pipeline, key: "" }]));
}

function portOf({ database, host }: ApiContext, trigger: LoadedTrigger): ResumePort {
  const { pipeline, shard } = trigger.row;
  const { events, values } = host.engine;
  return {
    entries: (after, until) => entriesBetween((from, limit) => events.read(from, limit), { after, until }),
    asEvent: (entry) => asConditionEvent(values, entry),
    load: async (key) => {
      if (trigger.keys.has(key) || !trigger.program?.isKeyed) return;
      restore(trigger, await findTriggerKeys(database, workspaceId, [{ pipeline, key }]));
    },
    loadOverdue: async (until) => {
      if (!trigger.program?.isKeyed) return;
      const due = await findDueTriggerKeys(database, { shard, until, limit: dueKeysMax });
      restore(
        trigger,
        due.filter((row) => row.pipeline === pipeline),
      );
    },
    keep: (state) => trigger.keys.set(state.key, state),
    touched: () => undefined,
  };
}

function restore(trigger: LoadedTrigger, rows: readonly TriggerKeyRow[]): void {
  for (const row of rows) if (!trigger.keys.has(row.key)) trigger.keys.set(row.key, restoreKey(row));
}
