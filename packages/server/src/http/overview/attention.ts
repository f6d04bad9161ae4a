/** What needs a person, the worst first. */
import type { LogEvent, Reason } from "@millrace/core";
import type { AttentionView, FailedRunView, QueueView } from "@millrace/protocol";
import {
  countedMax,
  fatesOf,
  firstErrors,
  listEvents,
  listApprovals,
  listPaused,
  listTroubledSources,
  newestLive,
  recoveredPipelines,
  type EventFilter,
  type LiveCounts,
} from "@millrace/store";
import { workspaceId } from "../../engine/workspace.ts";
import type { ApiContext } from "../api-context.ts";
import { openApproval } from "../approval-view.ts";
import { attentionOfKindMax, failedHours, failuresDays, failuresLookedMax } from "../limits.ts";
import { isoTime } from "../run-summary.ts";
import { counted } from "./counted.ts";
import type { WaitGroups } from "./wait-groups.ts";

const hourMs = 3_600_000;
export const runFailed = "millrace.run.failed";
const triggerLooped = "millrace.trigger.looped";
const messageLength = 500;

export interface AttentionParts {
  readonly now: number;
  readonly counts: LiveCounts;
  readonly queues: readonly QueueView[];
  readonly waits: WaitGroups;
  readonly late: readonly AttentionView[];
}

export async function attentionOf(context: ApiContext, parts: AttentionParts): Promise<AttentionView[]> {
  const { counts, now } = parts;
  const [failed, quarantined, sources, looped, approvals, paused] = await Promise.all([
    failedRuns(context, now),
    counts.quarantined > 0 ? quarantinedRuns(context, counts.quarantined) : [],
    troubledSources(context),
    loopedTriggers(context, now),
    counts.approvals > 0 ? openApprovals(context, counts.approvals) : [],
    pausedPipelines(context),
  ]);
  return [
    ...quarantined,
    ...failed.filter(({ isRecovered }) => !isRecovered),
    ...withoutWorker(parts.queues),
    ...sources.filter(({ kind }) => kind === "source_failing"),
    ...looped,
    ...parts.late,
    ...troubledWaits(parts.waits),
    ...approvals,
    ...failed.filter(({ isRecovered }) => isRecovered),
    ...paused,
    ...sources.filter(({ kind }) => kind === "source_paused"),
  ];
}

/** The last failure of any run in the last days. */
export async function lastFailure(context: ApiContext, now: number): Promise<FailedRunView | undefined> {
  const since = now - failuresDays * 24 * hourMs;
  const [event] = await entriesOf(context, { type: runFailed, since, limit: 1 });
  return event && failureOf(event);
}

export function entriesOf(
  { database }: ApiContext,
  { type, since, limit }: Pick<EventFilter, "limit"> & { readonly type: string; readonly since: number },
): Promise<LogEvent[]> {
  return listEvents(database, workspaceId, {
    type,
    since,
    limit,
    subject: undefined,
    source: undefined,
    onlyInvalid: false,
    until: undefined,
    after: 0,
    before: undefined,
  });
}

export function failureOf({ data, subject, recordedAt }: LogEvent): FailedRunView {
  const { run, reason } = (data.value ?? {}) as { readonly run?: string; readonly reason?: Reason };
  return {
    run: run ?? "",
    pipeline: subject ?? "",
    at: isoTime(recordedAt),
    message: (reason?.message ?? "No reason is known.").slice(0, messageLength),
  };
}

/** Those that nobody ran again, by pipeline, the last first. */
async function failedRuns(
  context: ApiContext,
  now: number,
): Promise<Extract<AttentionView, { kind: "runs_failed" }>[]> {
  const since = now - failedHours * hourMs;
  const events = await entriesOf(context, { type: runFailed, since, limit: failuresLookedMax });
  const failures = [...new Map(events.map(failureOf).map((failure) => [failure.run, failure])).values()];
  const fates = await fatesOf(context.database, workspaceId, {
    ids: failures.map(({ run }) => run),
    since,
  });
  const byPipeline = new Map<string, FailedRunView[]>();
  for (const failure of failures) {
    const fate = fates.get(failure.run);
    if (!fate || fate.isLive || fate.state !== "failed") continue;
    const known = byPipeline.get(failure.pipeline);
    if (known) known.push(failure);
    else byPipeline.set(failure.pipeline, [failure]);
  }
  const shown = [...byPipeline].slice(0, attentionOfKindMax);
  const recovered = await recoveredPipelines(context.database, workspaceId, {
    since,
    failed: shown.map(([pipeline, [last]]) => ({ pipeline, run: last!.run })),
  });
  const errors = await firstErrors(context.database, workspaceId, {
    ids: shown.map(([, [last]]) => last!.run),
    since,
  });
  const areMore = events.length === failuresLookedMax;
  return shown.map(([pipeline, runs]) => ({
    kind: "runs_failed",
    pipeline,
    runs: { count: runs.length, ...(areMore ? { isMore: true } : {}) },
    last: withError(runs[0]!, errors.get(runs[0]!.run)),
    isRecovered: recovered.has(pipeline),
  }));
}

function withError(
  failure: FailedRunView,
  error: { readonly node: string; readonly name: string; readonly message: string } | undefined,
): FailedRunView {
  if (!error) return failure;
  const message = `${error.name}: ${error.message}`.slice(0, messageLength);
  return { ...failure, node: error.node, message };
}

async function quarantinedRuns({ database }: ApiContext, count: number): Promise<AttentionView[]> {
  const runs = await newestLive(database, workspaceId, { state: "quarantined", limit: 3 });
  return [
    {
      kind: "runs_quarantined",
      runs: counted(count),
      newest: runs.map(({ id, pipeline, createdAt, reason }) => ({
        run: id,
        pipeline,
        at: isoTime(createdAt),
        message: (reason?.message ?? "").slice(0, messageLength),
      })),
    },
  ];
}

function withoutWorker(queues: readonly QueueView[]): AttentionView[] {
  return queues
    .filter(({ reason }) => reason?.code === "no_worker")
    .slice(0, attentionOfKindMax)
    .map(({ name, waiting }) => ({ kind: "queue_without_worker", queue: name, tasks: waiting }));
}

async function troubledSources({ database }: ApiContext): Promise<AttentionView[]> {
  const sources = await listTroubledSources(database, workspaceId, attentionOfKindMax);
  return sources.map(({ name, error, changedAt }): AttentionView =>
    error === undefined
      ? { kind: "source_paused", source: name, since: isoTime(changedAt) }
      : {
          kind: "source_failing",
          source: name,
          since: isoTime(changedAt),
          message: error.message.slice(0, messageLength),
        },
  );
}

/** In the last hours, the last one of each trigger. */
async function loopedTriggers(context: ApiContext, now: number): Promise<AttentionView[]> {
  const since = now - failedHours * hourMs;
  const events = await entriesOf(context, { type: triggerLooped, since, limit: failuresLookedMax });
  const byPipeline = new Map<string, LogEvent[]>();
  for (const event of events) {
    const known = byPipeline.get(event.subject ?? "");
    if (known) known.push(event);
    else byPipeline.set(event.subject ?? "", [event]);
  }
  return [...byPipeline].slice(0, attentionOfKindMax).map(([pipeline, loops]) => {
    const [last] = loops;
    const { path } = (last!.data.value ?? {}) as { readonly path?: readonly string[] };
    return {
      kind: "trigger_looped",
      pipeline,
      at: isoTime(last!.recordedAt),
      path: path ?? [],
      times: { count: loops.length, ...(events.length === failuresLookedMax ? { isMore: true } : {}) },
    };
  });
}

function troubledWaits({ groups }: WaitGroups): AttentionView[] {
  return groups.flatMap(({ view, first, trouble }): AttentionView[] =>
    trouble === undefined
      ? []
      : [
          {
            kind: "waits_troubled",
            text: view.text,
            waits: { count: view.waits },
            trouble,
            run: first.runId,
            pipeline: first.pipeline,
            node: first.node,
          },
        ],
  );
}

async function openApprovals({ database }: ApiContext, count: number): Promise<AttentionView[]> {
  const [wait] = await listApprovals(database, workspaceId, {
    pipeline: undefined,
    after: undefined,
    limit: 1,
  });
  if (!wait) return [];
  const { id, title, pipeline, node, run, since, timeoutAt } = openApproval(wait);
  return [
    {
      kind: "approvals_open",
      approvals: counted(count, countedMax),
      oldest: {
        id,
        pipeline,
        node,
        run,
        since,
        ...(title === undefined ? {} : { title }),
        ...(timeoutAt === undefined ? {} : { timeoutAt }),
      },
    },
  ];
}

async function pausedPipelines({ database }: ApiContext): Promise<AttentionView[]> {
  const paused = await listPaused(database, workspaceId, attentionOfKindMax);
  return paused.map(({ pipeline, byOperator, since }) => ({
    kind: "pipeline_paused",
    pipeline,
    byOperator,
    ...(since === undefined ? {} : { since: isoTime(since) }),
  }));
}
