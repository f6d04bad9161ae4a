/** `GET /triggers/:pipeline/history`: what a key of a trigger went through, told again from a bounded part of the log. */
import {
  describeCondition,
  liveLane,
  logResumed,
  MillraceError,
  ownSource,
  operandsOf,
  parseEventTime,
  previousTick,
  readTriggerEvent,
  triggerChanged,
  TriggerHistory,
  triggerPaused,
  triggerResumed,
  type CatchUp,
  type Condition,
  type LogEvent,
  type LogPlace,
  type Schedule,
  type TriggerDefinition,
  type TriggerMoment,
} from "@millrace/core";
import type { FiringView, Operations, TriggerHistoryView, TriggerMomentView } from "@millrace/protocol";
import { findEntries, listEvents, listFirings, positionBefore, type TriggerRow } from "@millrace/store";
import { loadTrigger, type LoadedTrigger } from "../engine/trigger/loaded-trigger.ts";
import { asConditionEvent } from "../engine/trigger/telling.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import {
  firingsReadMax,
  historyEntriesMax,
  historyEntriesOfTypeMax,
  historyTicksMax,
  pausesMax,
  replayedMs,
  simulatedMembersMax,
} from "./limits.ts";
import type { ApiRequest } from "./route.ts";
import { isoTime } from "./run-summary.ts";
import { requireTrigger, type FoundTrigger } from "./trigger-find.ts";
import { explanationWith, firingView, memberView, placeView } from "./trigger-view.ts";

interface Pause {
  readonly from: LogPlace;
  readonly to: LogPlace | undefined;
  readonly how: CatchUp;
}

export async function triggerHistory(
  context: ApiContext,
  request: ApiRequest<Operations["getTriggerHistory"]>,
): Promise<TriggerHistoryView> {
  const found = await requireTrigger(context, request.path.pipeline);
  const momentsMax = request.query.limit;
  const until = await endOf(context, request.query.until, found);
  const row = await inForceAt(context, found, until);
  const trigger = loadTrigger(row);
  const key = keyOf(request, trigger);
  const pauses = await pausesOf(context, row, until);
  const { entries, from } = await entriesFor(context, trigger, until);
  const history = new TriggerHistory(trigger, from, { key, momentsMax, since: request.query.since ?? 0 });
  const before = history.state();
  const told = await tellAll(context, history, { entries, pauses, until });
  const byPosition = new Map(entries.map((entry) => [entry.position, entry]));
  const firings = await firingsBy(context, row, { key, until });
  return {
    pipeline: row.pipeline,
    ...(trigger.program?.isKeyed ? { key } : {}),
    condition: describeCondition(row.definition!.condition),
    operands: trigger.program?.operands ?? [],
    types: typesOf(trigger),
    began: placeView(row.activated),
    from: placeView(from),
    until: placeView(told),
    before: explanationWith(byPosition, before),
    moments: history.moments.map((moment) => momentView(moment, byPosition, firings)),
    earlier: history.left,
    isWhole: from.recordedAt <= row.activated.recordedAt,
    pauses: pauses.map(({ from: start, to }) => ({
      from: placeView(start),
      ...(to ? { to: placeView(to) } : {}),
    })),
  };
}

/** What was asked for, or all that the trigger was told. */
async function endOf(
  { database, host }: ApiContext,
  text: string | undefined,
  { toldTo, row }: FoundTrigger,
): Promise<LogPlace> {
  if (text === undefined) {
    const { head } = await host.engine.events.read(toldTo, 1);
    return row.paused ?? { position: toldTo, recordedAt: head.clock };
  }
  if (/^[1-9]\d{0,14}$/.test(text)) {
    const [entry] = await findEntries(database, workspaceId, [Number(text)]);
    if (entry) return { position: entry.position, recordedAt: entry.recordedAt };
    throw new MillraceError("MILLRACE_EVENT_UNKNOWN", {
      message: `The event log has no entry at position ${text}, or no longer.`,
      fields: { query: "until" },
    });
  }
  const time = parseEventTime(text);
  if (time === undefined)
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message:
        '"until" must be a position of the log, or a time as RFC 3339 has it, such as 2026-01-31T06:00:00Z.',
      fields: { query: "until" },
    });
  const { head } = await host.engine.events.read(toldTo, 1);
  // Readers know milliseconds, the log parts of them: all of that one is told.
  const recordedAt = Math.min(time + 1, head.clock);
  return { position: Math.min(toldTo, await positionBefore(database, workspaceId, recordedAt)), recordedAt };
}

/** The trigger with the condition that it had then: the log says how it changed. */
async function inForceAt(
  { database }: ApiContext,
  { row }: FoundTrigger,
  until: LogPlace,
): Promise<TriggerRow> {
  if (until.position >= row.activated.position) return row;
  const [change] = await listEvents(database, workspaceId, {
    ...anyEvent,
    type: triggerChanged,
    subject: row.pipeline,
    before: until.position + 1,
    limit: 1,
  });
  const told = change && readTriggerEvent(change);
  const definition: TriggerDefinition | undefined = told?.kind === "changed" ? told.definition : undefined;
  if (change && definition)
    return {
      ...row,
      definition,
      activated: { position: change.position, recordedAt: change.recordedAt },
      paused: undefined,
    };
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `The pipeline "${row.pipeline}" had no trigger at position ${until.position} of the log, or the log no longer tells which; its present one began at position ${row.activated.position}.`,
    fields: { query: "until" },
  });
}

function keyOf(request: ApiRequest, { program, row }: LoadedTrigger): string {
  const key = request.query.key;
  if (program?.isKeyed === true && key !== undefined) return key;
  if (program?.isKeyed !== true && key === undefined) return "";
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message:
      key === undefined
        ? `The trigger of "${row.pipeline}" has a state for each key: name one.`
        : `The trigger of "${row.pipeline}" has no keys: its state is one.`,
    fields: { query: "key" },
  });
}

const anyEvent = {
  type: undefined,
  subject: undefined,
  source: undefined,
  onlyInvalid: false,
  since: undefined,
  until: undefined,
  after: 0,
  before: undefined,
} as const;

/** Those since the condition began, the oldest first. */
async function pausesOf({ database }: ApiContext, row: TriggerRow, until: LogPlace): Promise<Pause[]> {
  const asked = {
    ...anyEvent,
    subject: row.pipeline,
    after: row.activated.position,
    before: until.position + 1,
    limit: pausesMax,
  };
  const lists = await Promise.all(
    [triggerPaused, triggerResumed].map((type) => listEvents(database, workspaceId, { ...asked, type })),
  );
  const pauses: Pause[] = [];
  let begun: LogPlace | undefined;
  for (const entry of lists.flat().sort((a, b) => a.position - b.position)) {
    const told = readTriggerEvent(entry);
    if (told?.kind === "paused") begun ??= entry;
    if (told?.kind !== "resumed" || !begun) continue;
    pauses.push({ from: begun, to: entry, how: told.onResume ?? row.definition?.onResume ?? "all" });
    begun = undefined;
  }
  if (begun) pauses.push({ from: begun, to: undefined, how: "all" });
  return pauses;
}

function typesOf({ program }: LoadedTrigger): string[] {
  return [...new Set((program?.events ?? []).map(({ type, isPrefix }) => (isPrefix ? `${type}*` : type)))];
}

/** The newest of each type that the condition asks for, in the order of the log; and from where on none is missing. */
async function entriesFor(
  { database }: ApiContext,
  trigger: LoadedTrigger,
  until: LogPlace,
): Promise<{ readonly entries: readonly LogEvent[]; readonly from: LogPlace }> {
  const { activated } = trigger.row;
  const floor = timeFloor(trigger.row.definition!.condition, until.recordedAt);
  let from = activated;
  if (floor > activated.recordedAt)
    from = { position: await positionBefore(database, workspaceId, floor), recordedAt: floor };
  const types = [...typesOf(trigger), logResumed];
  const limit = Math.min(historyEntriesOfTypeMax, Math.ceil(historyEntriesMax / types.length));
  const found = new Map<number, LogEvent>();
  for (const type of types) {
    const page = { ...anyEvent, type, after: from.position, before: until.position + 1, limit };
    const list = await listEvents(database, workspaceId, page);
    const oldest = list.at(-1);
    if (oldest && list.length === limit && oldest.position > from.position) from = oldest;
    for (const entry of list) found.set(entry.position, entry);
  }
  const entries = [...found.values()].sort((a, b) => a.position - b.position);
  return { entries: entries.filter(({ position }) => position > from.position), from };
}

/** From when on time alone decides no more than `historyTicksMax` times for each schedule and silence. */
function timeFloor(condition: Condition, until: number): number {
  const inner = operandsOf(condition).map((operand) => timeFloor(operand, until));
  if (condition.kind === "absent" && condition.after === undefined)
    inner.push(until - historyTicksMax * condition.withinMs);
  if (condition.kind === "schedule") inner.push(nthTickBefore(condition.schedule, until));
  return Math.max(0, ...inner);
}

function nthTickBefore(schedule: Schedule, until: number): number {
  let at: number | undefined = until;
  for (let count = 0; count < historyTicksMax && at !== undefined; count += 1)
    at = previousTick(schedule, at);
  return at ?? 0;
}

/** Tells what came until then, and says how far it came in the time that it has. */
async function tellAll(
  { clock, host }: ApiContext,
  history: TriggerHistory<LoadedTrigger>,
  {
    entries,
    pauses,
    until,
  }: { readonly entries: readonly LogEvent[]; readonly pauses: readonly Pause[]; readonly until: LogPlace },
): Promise<LogPlace> {
  const deadline = clock.monotonic() + replayedMs;
  const last = pauses.at(-1);
  const end = last && !last.to && last.from.position < until.position ? last.from : until;
  for (const entry of entries) {
    if (entry.position > end.position) break;
    if (clock.monotonic() > deadline) return { position: entry.position - 1, recordedAt: entry.recordedAt };
    if (entry.type === logResumed && entry.source === ownSource) history.tellOutage(entry);
    if (entry.lane !== liveLane || entry.invalid !== undefined) continue;
    if (pauses.some((pause) => isLeftOut(pause, entry.position))) continue;
    history.tell(await asConditionEvent(host.engine.values, entry));
  }
  history.tellTime(end.recordedAt);
  return end;
}

/** A resume that lets nothing begin takes nothing of what came in the pause. */
function isLeftOut({ from, to, how }: Pause, position: number): boolean {
  return how === "none" && position > from.position && position < (to?.position ?? Infinity);
}

/** Those of the key, by the instant at which they were decided. */
async function firingsBy(
  { database }: ApiContext,
  row: TriggerRow,
  { key, until }: { readonly key: string; readonly until: LogPlace },
): Promise<Map<string, FiringView[]>> {
  const before = { at: until.recordedAt + 1, version: 0, key: "", occurrence: 0, revision: 0 };
  const page = { pipeline: row.pipeline, key, before, limit: firingsReadMax };
  const byTime = new Map<string, FiringView[]>();
  for (const firing of (await listFirings(database, workspaceId, page)).toReversed()) {
    const view = firingView(firing);
    byTime.set(view.at, [...(byTime.get(view.at) ?? []), view]);
  }
  return byTime;
}

function momentView(
  { at, position, operands, firings, state }: TriggerMoment<LoadedTrigger>,
  entries: ReadonlyMap<number, LogEvent>,
  made: ReadonlyMap<string, FiringView[]>,
): TriggerMomentView {
  const entry = position === undefined ? undefined : entries.get(position);
  return {
    at: isoTime(at),
    ...(position === undefined ? {} : { position }),
    ...(entry
      ? {
          event: {
            type: entry.type,
            source: entry.source,
            id: entry.id,
            ...(entry.subject === undefined ? {} : { subject: entry.subject }),
          },
        }
      : {}),
    operands,
    firings: firings.map(({ firing }) => {
      // Numbers of firings count from where the state began: the instant names those that were made.
      const real = made
        .get(isoTime(firing.at))
        ?.find(
          ({ revision, partition }) =>
            revision === firing.revision && (firing.partition?.key ?? partition) === partition,
        );
      return {
        memberCount: firing.members.length,
        members: firing.members.slice(0, simulatedMembersMax).map((member) => memberView(member, entries)),
        ...(firing.partition ? { partition: firing.partition.key } : {}),
        revision: firing.revision,
        ...(real ? { real } : {}),
      };
    }),
    state: explanationWith(entries, state),
  };
}
