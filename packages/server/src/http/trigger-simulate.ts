/** `POST /triggers/simulate`: a condition over the recorded log, and the firings that it would have made. */
import {
  describeCondition,
  logResumed,
  TriggerReplay,
  MillraceError,
  ownSource,
  parseEventTime,
  parseTrigger,
  type TriggerDefinition,
  isTellable,
  isTypeOf,
  runAsksOf,
} from "@millrace/core";
import type { SimulateRequest, SimulateResponse } from "@millrace/protocol";
import { pageSize, pageSizeMax } from "@millrace/protocol/operations";
import { findEntries, findLogHead, positionBefore, type TriggerRow } from "@millrace/store";
import { loadTrigger, type DecidedFiring, type LoadedTrigger } from "../engine/trigger/loaded-trigger.ts";
import { asConditionEvent, pagesBetween } from "../engine/trigger/telling.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { simulatedEntriesMax, simulatedFiringsMax, simulatedKeysMax, simulatedMs } from "./limits.ts";
import { requireTrigger } from "./trigger-find.ts";
import { decidedViews } from "./trigger-view.ts";

export async function simulate(context: ApiContext, request: SimulateRequest): Promise<SimulateResponse> {
  const definition = await definitionOf(context, request);
  const from = await startOf(context, request);
  const row: TriggerRow = {
    workspace: workspaceId,
    pipeline: request.pipeline ?? "simulated",
    shard: 0,
    version: 1,
    definition,
    activated: from,
    paused: undefined,
  };
  const replay = new TriggerReplay(loadTrigger(row), from);
  const { to, cut, concerned, firings } = await tellAll(context, replay, from.position);
  const onlyWhereAsked = [...new Set(runAsksOf(definition.condition).map(({ type }) => type))];
  const limit = Math.min(request.limit ?? pageSize, pageSizeMax);
  const newest = firings.toSorted((a, b) => b.firing.at - a.firing.at).slice(0, limit);
  return {
    condition: describeCondition(definition.condition),
    ...(definition.policy === undefined ? {} : { policy: definition.policy }),
    from: from.position,
    to,
    ...(cut === undefined ? {} : { cut }),
    concerned,
    ...(onlyWhereAsked.length === 0 ? {} : { onlyWhereAsked }),
    firingCount: firings.length,
    firings: await decidedViews(context, newest),
  };
}

async function definitionOf(context: ApiContext, request: SimulateRequest): Promise<TriggerDefinition> {
  const { trigger, pipeline } = request;
  if (trigger !== undefined) return parseTrigger(trigger, ["trigger"]);
  if (pipeline !== undefined) return (await requireTrigger(context, pipeline)).definition;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: 'The body names neither a "pipeline" nor a "trigger" of its own.',
  });
}

/** The place at which the simulated trigger is activated. */
async function startOf(
  { database, host }: ApiContext,
  { since, after }: SimulateRequest,
): Promise<{ readonly position: number; readonly recordedAt: number }> {
  if (since !== undefined) {
    const recordedAt = parseEventTime(since);
    if (recordedAt === undefined)
      throw new MillraceError("MILLRACE_REQUEST_INVALID", {
        message: '"since" must be a time as RFC 3339 has it, such as 2026-01-31T06:00:00Z.',
      });
    return { position: await positionBefore(database, workspaceId, recordedAt), recordedAt };
  }
  const position = after ?? 0;
  const [entry] = position === 0 ? [] : await findEntries(database, workspaceId, [position]);
  const next = entry ?? (await host.engine.events.read(position, 1)).events[0];
  // Nothing was recorded before the first entry.
  return {
    position,
    recordedAt: next?.recordedAt ?? (await host.engine.events.read(position, 1)).head.clock,
  };
}

interface Told {
  to: number;
  cut?: string;
  concerned: number;
  firings: DecidedFiring[];
}

async function tellAll(
  context: ApiContext,
  replay: TriggerReplay<LoadedTrigger>,
  from: number,
): Promise<Told> {
  const { engine } = context.host;
  const told: Told = { to: from, concerned: 0, firings: [] };
  const deadline = context.clock.monotonic() + simulatedMs;
  const head = await findLogHead(context.database, workspaceId);
  const until = Math.min(head.position, from + simulatedEntriesMax);
  const read = (after: number, limit: number) => engine.events.read(after, limit);
  for await (const page of pagesBetween(read, { after: from, until })) {
    for (const entry of page.events) {
      if (entry.type === logResumed && entry.source === ownSource)
        told.firings.push(...replay.tellOutage(entry));
      if (!isTellable(entry) || !isTypeOf(replay.trigger, entry.type)) continue;
      told.concerned += 1;
      told.firings.push(...replay.tell(await asConditionEvent(engine.values, entry)));
    }
    told.to = page.until;
    const cut = boundOf(context, { told, replay, deadline });
    if (cut !== undefined) return { ...told, cut };
  }
  if (told.to < head.position) return { ...told, cut: `${simulatedEntriesMax} entries are told at once` };
  // The log's clock stands still while nothing is recorded and nothing that is deployed is due.
  told.firings.push(...replay.tellTime(Math.max(head.clock, engine.now())));
  return told;
}

function boundOf(
  { clock }: ApiContext,
  {
    told,
    replay,
    deadline,
  }: { readonly told: Told; readonly replay: TriggerReplay<LoadedTrigger>; readonly deadline: number },
): string | undefined {
  if (told.firings.length > simulatedFiringsMax) return `it fires more than ${simulatedFiringsMax} times`;
  if (replay.trigger.keys.size > simulatedKeysMax) return `it holds more than ${simulatedKeysMax} keys`;
  return clock.monotonic() > deadline ? `it took longer than ${simulatedMs / 1_000} s` : undefined;
}
