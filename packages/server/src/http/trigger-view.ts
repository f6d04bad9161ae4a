/** Triggers, firings and explanations as readers see them. */
import {
  keyIdleMs,
  compileCondition,
  describeCondition,
  type Explanation,
  type LogEvent,
  type Member,
  type TriggerDefinition,
} from "@millrace/core";
import type {
  ExplanationView,
  FiringDetail,
  FiringMemberView,
  FiringView,
  LogPlaceView,
  SimulatedFiring,
  TriggerKeyView,
  TriggerSummary,
} from "@millrace/protocol";
import {
  findEntries,
  findFiringMembers,
  keysCountedMax,
  type FoundFiring,
  type LogPlace,
  type TriggerKeyRow,
  type TriggerOverview,
} from "@millrace/store";
import type { DecidedFiring } from "../engine/trigger/loaded-trigger.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { firingMembersMax, simulatedMembersMax } from "./limits.ts";
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
    keys: isKeyed ? row.keys : 0,
    ...(isKeyed && row.keys >= keysCountedMax ? { keysAreMore: true } : {}),
    ...(lastFiring ? { lastFiring: { at: isoTime(lastFiring.at), ...runOf(lastFiring.runId) } } : {}),
  };
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

/** `3.1207.1` and the key behind it, where there is one: unique below its pipeline. */
export function firingId({ version, occurrence, revision, key }: FoundFiring): string {
  return `${version}.${occurrence}.${revision}${key === "" ? "" : `.${key}`}`;
}

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
    ...runOf(firing.runId),
    ...(firing.partition === undefined ? {} : { partition: firing.partition }),
    ...(firing.isIncomplete ? { incomplete: true as const } : {}),
    ...(reason ? { reason } : {}),
    memberCount: firing.members,
  };
}

export async function firingDetail(context: ApiContext, firing: FoundFiring): Promise<FiringDetail> {
  const { runId } = firing;
  const found =
    runId === undefined
      ? []
      : await findFiringMembers(context.database, workspaceId, { runId, limit: firingMembersMax });
  const entries = await entriesAt(
    context,
    found.flatMap(({ position }) => position ?? []),
  );
  const members = found.map(({ operand, position, from, to }): FiringMemberView => ({
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
): Promise<SimulatedFiring[]> {
  const shown = firings.map(({ firing }) => firing.members.slice(0, simulatedMembersMax));
  const entries = await entriesAt(context, positionsOf(shown.flat()));
  return firings.map(({ firing }, at) => ({
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
    members: shown[at]!.map((member) => memberView(member, entries)),
  }));
}

// --- explanations ---------------------------------------------------------------------------------------------------

export async function explanationView(
  context: ApiContext,
  explanation: Explanation,
): Promise<ExplanationView> {
  const entries = await entriesAt(context, positionsOf(membersWithin(explanation)));
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

function memberView(member: Member, entries: ReadonlyMap<number, LogEvent>): FiringMemberView {
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
