/** Triggers, firings and explanations as readers see them. */
import {
  isOfGate,
  nextTick,
  keyIdleMs,
  compileCondition,
  describeCondition,
  firingId,
  streamedMembersOf,
  type Explanation,
  type Firing,
  type LogEvent,
  type Member,
  type TriggerDefinition,
} from "@millrace/core";
import type {
  ExplanationView,
  FiringDetail,
  FiringMemberView,
  FiringState,
  FiringView,
  GateView,
  LogPlaceView,
  SimulatedFiring,
  TriggerKeyView,
  TriggerSummary,
} from "@millrace/protocol";
import {
  findEntries,
  findFiringMembers,
  findGate,
  findPipeline,
  keysCountedMax,
  type FoundFiring,
  type LogPlace,
  type TriggerKeyRow,
  type TriggerOverview,
  type TriggerRow,
} from "@millrace/store";
import type { DecidedFiring } from "../engine/trigger/loaded-trigger.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { firingMembersMax, gateShownMax, simulatedMembersMax } from "./limits.ts";
import { isoTime } from "./run-summary.ts";

export function triggerSummary(row: TriggerOverview, definition: TriggerDefinition): TriggerSummary {
  const { condition } = definition;
  const { operands, isKeyed } = compileCondition(condition, row.pipeline);
  const { lastFiring } = row;
  return {
    pipeline: row.pipeline,
    version: row.version,
    condition: describeCondition(condition),
    operands,
    keyed: isKeyed,
    activated: placeView(row.activated),
    ...(row.paused ? { paused: placeView(row.paused) } : {}),
    ...(row.dueAt === undefined ? {} : { nextDue: isoTime(row.dueAt) }),
    ...(isOver(row, definition) ? { isOver: true as const } : {}),
    keys: isKeyed ? row.keys : 0,
    ...(isKeyed && row.keys >= keysCountedMax ? { keysAreMore: true } : {}),
    ...(lastFiring
      ? {
          lastFiring: {
            at: isoTime(lastFiring.at),
            ...runOf(lastFiring.runId),
            ...(lastFiring.reason && !isOfGate(lastFiring.reason) ? { reason: lastFiring.reason } : {}),
          },
        }
      : {}),
  };
}

function isOver(
  { activated, dueAt, lastFiring }: TriggerOverview,
  { condition }: TriggerDefinition,
): boolean {
  if (condition.kind !== "schedule" || dueAt !== undefined) return false;
  return nextTick(condition.schedule, Math.max(activated.recordedAt, lastFiring?.at ?? 0)) === undefined;
}

export function placeView({ position, recordedAt }: LogPlace): LogPlaceView {
  return { position, at: isoTime(recordedAt) };
}

export function keyView({ key, touchedAt, dueAt }: TriggerKeyRow): TriggerKeyView {
  return {
    key,
    touchedAt: isoTime(touchedAt),
    ...(dueAt === undefined ? { forgottenAt: isoTime(touchedAt + keyIdleMs) } : { due: isoTime(dueAt) }),
  };
}

// --- firings --------------------------------------------------------------------------------------------------------

export function readFiringId(
  text: string,
): Pick<FoundFiring, "version" | "occurrence" | "revision" | "key"> | undefined {
  const parts = /^(\d{1,9})\.(-?\d{1,15})\.(\d{1,9})(?:\.(.*))?$/s.exec(text);
  if (!parts) return undefined;
  return {
    version: Number(parts[1]),
    occurrence: Number(parts[2]),
    revision: Number(parts[3]),
    key: parts[4] ?? "",
  };
}

export function firingView(firing: FoundFiring): FiringView {
  const { reason, key } = firing;
  return {
    id: firingId(firing),
    pipeline: firing.pipeline,
    version: firing.version,
    ...(key === "" ? {} : { key }),
    occurrence: firing.occurrence,
    revision: firing.revision,
    at: isoTime(firing.at),
    position: firing.position,
    state: firingState(firing),
    ...runOf(firing.runId),
    ...(firing.partition === undefined ? {} : { partition: firing.partition }),
    ...(firing.isIncomplete ? { incomplete: true as const } : {}),
    ...(reason ? { reason } : {}),
    ...(firing.intoRun === undefined ? {} : { mergedInto: firing.intoRun }),
    memberCount: firing.members,
  };
}

function firingState({ gate, intoRun, reason }: FoundFiring): FiringState {
  if (intoRun !== undefined) return "merged";
  if (gate === "waiting") return "waiting";
  if (reason?.code === "superseded") return "superseded";
  return reason ? "refused" : "started";
}

/** With what only a value in the blob store says. */
async function withItsValue({ host }: ApiContext, firing: FoundFiring): Promise<FoundFiring> {
  if (firing.valueBlob === undefined) return firing;
  const { partition, incomplete } = (await host.engine.values.load(firing.valueBlob)) as {
    readonly partition?: { readonly key?: string } | null;
    readonly incomplete?: boolean;
  };
  return { ...firing, partition: partition?.key, isIncomplete: incomplete === true };
}

/** Nothing where each firing has its run at once. */
export async function gateView(
  { database }: ApiContext,
  { pipeline }: TriggerRow,
  { policy }: TriggerDefinition,
): Promise<GateView | undefined> {
  if (policy === undefined) return undefined;
  const ask = { workspace: workspaceId, pipeline, keys: [], oldest: gateShownMax };
  const { active, waiting, hasMore } = await findGate(database, ask);
  const maxActiveRuns = (await findPipeline(database, workspaceId, pipeline))?.definition.maxActiveRuns;
  return {
    policy,
    ...(maxActiveRuns === undefined ? {} : { maxActiveRuns }),
    active: active.slice(0, gateShownMax),
    activeCount: active.length,
    waiting: waiting.map((row) => ({
      id: firingId(row),
      ...(row.key === "" ? {} : { key: row.key }),
      runId: row.runId,
      since: isoTime(row.at),
      memberCount: streamedMembersOf(row.value) ?? 0,
    })),
    ...(hasMore ? { waitingAreMore: true } : {}),
  };
}

export async function firingDetail(context: ApiContext, found: FoundFiring): Promise<FiringDetail> {
  const firing = await withItsValue(context, found);
  const runId = firing.intoRun ?? firing.runId;
  const limit = Math.min(firing.members, firingMembersMax);
  const page = { runId: runId ?? "", from: firing.memberFrom, limit };
  const rows = runId === undefined ? [] : await findFiringMembers(context.database, workspaceId, page);
  const entries = await entriesAt(
    context,
    rows.flatMap(({ position }) => position ?? []),
  );
  const members = rows.map(({ operand, position, from, to }): FiringMemberView => ({
    operand,
    ...(position === undefined ? {} : eventMember(position, entries)),
    ...(from === undefined ? {} : { from: isoTime(from) }),
    ...(to === undefined ? {} : { at: isoTime(to) }),
  }));
  return { ...firingView(firing), members };
}

/** Firings that were decided and that nobody committed. */
export async function decidedViews(
  context: ApiContext,
  firings: readonly DecidedFiring[],
  outcomes: ReadonlyMap<DecidedFiring, NonNullable<SimulatedFiring["outcome"]>> = new Map(),
): Promise<SimulatedFiring[]> {
  const shown = firings.map(({ firing }) => firing.members.slice(0, simulatedMembersMax));
  const entries = await entriesAt(context, positionsOf(shown.flat()));
  return firings.map((decided, at) => ({
    ...decidedView(decided.firing, shown[at]!, entries),
    ...outcomeOf(decided),
  }));

  function outcomeOf(decided: DecidedFiring): Pick<SimulatedFiring, "outcome"> {
    const outcome = outcomes.get(decided);
    return outcome === undefined ? {} : { outcome };
  }
}

function decidedView(
  firing: Firing,
  shown: readonly Member[],
  entries: ReadonlyMap<number, LogEvent>,
): SimulatedFiring {
  return {
    ...(firing.key === "" ? {} : { key: firing.key }),
    ...(firing.partition ? { partition: firing.partition.key } : {}),
    ...(firing.isIncomplete ? { incomplete: true as const } : {}),
    occurrence: firing.occurrence,
    revision: firing.revision,
    at: isoTime(firing.at),
    ...(firing.interval
      ? { interval: { from: isoTime(firing.interval.from), to: isoTime(firing.interval.to) } }
      : {}),
    memberCount: firing.members.length,
    members: shown.map((member) => memberView(member, entries)),
  };
}

// --- explanations ---------------------------------------------------------------------------------------------------

export async function explanationView(
  context: ApiContext,
  explanation: Explanation,
): Promise<ExplanationView> {
  return explanationWith(await entriesAt(context, positionsOf(membersWithin(explanation))), explanation);
}

/** `entries`: where its members are looked up. */
export function explanationWith(
  entries: ReadonlyMap<number, LogEvent>,
  explanation: Explanation,
): ExplanationView {
  const view = ({ members, memberCount, since, due, of, ...rest }: Explanation): ExplanationView => ({
    ...rest,
    ...(members ? { members: members.map((member) => memberView(member, entries)) } : {}),
    ...(memberCount === undefined ? {} : { memberCount }),
    ...(since === undefined ? {} : { since: isoTime(since) }),
    ...(due === undefined ? {} : { due: isoTime(due) }),
    ...(of ? { of: of.map(view) } : {}),
  });
  return view(explanation);
}

function membersWithin({ members = [], of = [] }: Explanation): Member[] {
  return [...members, ...of.flatMap(membersWithin)];
}

export function memberView(member: Member, entries: ReadonlyMap<number, LogEvent>): FiringMemberView {
  const { operand } = member;
  if (member.kind === "event") return { operand, ...eventMember(member.position, entries) };
  return { operand, from: isoTime(member.from), at: isoTime(member.at) };
}

function eventMember(
  position: number,
  entries: ReadonlyMap<number, LogEvent>,
): Pick<FiringMemberView, "position" | "event" | "recordedAt"> {
  const entry = entries.get(position);
  if (!entry) return { position };
  const { type, source, id, subject, recordedAt } = entry;
  const event = { type, source, id, ...(subject === undefined ? {} : { subject }) };
  return { position, event, recordedAt: isoTime(recordedAt) };
}

function positionsOf(members: readonly Member[]): number[] {
  return members.flatMap((member) => (member.kind === "event" ? member.position : []));
}

async function entriesAt(
  { database }: ApiContext,
  positions: readonly number[],
): Promise<ReadonlyMap<number, LogEvent>> {
  const entries = await findEntries(database, workspaceId, [...new Set(positions)]);
  return new Map(entries.map((entry) => [entry.position, entry]));
}

function runOf(runId: string | undefined): { readonly runId?: string } {
  return runId === undefined ? {} : { runId };
}
