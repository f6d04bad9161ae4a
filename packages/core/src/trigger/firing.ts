/** One satisfaction of a trigger: its identity (C3), its members (C2), and what its run sees of it. */
import { assert, unreachable } from "../assert.ts";
import type { Program } from "../condition/compile.ts";
import type { Decided } from "../condition/instance.ts";
import type { MatchPartition, Member } from "../condition/match.ts";
import type { LogEvent } from "../event/event.ts";
import type { Json } from "../json.ts";

export interface FiringName {
  readonly pipeline: string;
  /** Rises only when the trigger changes. */
  readonly version: number;
  /** The empty string where there are no keys. */
  readonly key: string;
  /** The tick's instant, the window's start, the event's position, or a count of the key's firings: by the condition's kind. */
  readonly occurrence: number;
  readonly revision: number;
}

export interface Firing extends FiringName {
  /** Log time. */
  readonly at: number;
  readonly members: readonly Member[];
  readonly interval: { readonly from: number; readonly to: number } | undefined;
  /** The partition that its run is for. */
  readonly partition?: MatchPartition;
  /** Not all that belongs to it was there. */
  readonly isIncomplete?: true;
}

/** `count`: the key's firings before this one. */
export function firingOf(
  program: Program,
  { pipeline, version }: { readonly pipeline: string; readonly version: number },
  key: string,
  { at, match }: Decided,
  count: number,
): Firing {
  const { condition } = program;
  const [member] = match.members;
  const { partition } = match;
  // What could not be kept is missing, too.
  const isIncomplete = match.isIncomplete ?? ((match.dropped ?? 0) > 0 ? true : undefined);
  const common = {
    pipeline,
    version,
    key,
    at,
    members: match.members,
    ...(partition ? { partition } : {}),
    ...(isIncomplete ? { isIncomplete } : {}),
  };
  if (match.window) {
    const { start, end, revision } = match.window;
    // Several operands may each have this window: then it is no name.
    const occurrence = condition.kind === "any" ? count + 1 : start;
    return { ...common, occurrence, revision, interval: { from: start, to: end } };
  }
  if (condition.kind === "updated" && condition.when === "each" && condition.target === undefined) {
    assert(member?.kind === "event", "an update matches with its event");
    return { ...common, occurrence: member.position, revision: 1, interval: partition?.window };
  }
  const interval = member?.kind === "tick" ? { from: member.from, to: member.at } : undefined;
  if (condition.kind === "schedule") {
    assert(member?.kind === "tick", "a schedule matches with its tick");
    return { ...common, occurrence: member.at, revision: 1, interval };
  }
  if (condition.kind === "event") {
    assert(member?.kind === "event", "an event atom matches with its event");
    return { ...common, occurrence: member.position, revision: 1, interval: undefined };
  }
  return { ...common, occurrence: count + 1, revision: 1, interval: interval ?? partition?.window };
}

/** What a firing's value holds of an event of the log. */
export interface FiredEvent {
  readonly position: number;
  readonly type: string;
  readonly source: string;
  readonly id: string;
  readonly subject: string | null;
  readonly time: string;
  readonly recordedAt: string;
  readonly data: Json;
}

/** `data`: the entry's content, which may have been in the blob store. */
export function firedEvent(entry: LogEvent, data: Json): FiredEvent {
  const recordedAt = instant(entry.recordedAt);
  return {
    position: entry.position,
    type: entry.type,
    source: entry.source,
    id: entry.id,
    subject: entry.subject ?? null,
    time: entry.time === entry.recordedAt ? recordedAt : instant(entry.time),
    recordedAt,
    data,
  };
}

/**
 * What the run's tasks see: `Firing` of the SDK. `eventAt` gives each member's event, `previousRun` is the run of the revision
 * before this one.
 */
export function firingValue(
  program: Program,
  firing: Firing,
  eventAt: (position: number) => FiredEvent,
  previousRun: string | null = null,
): Json {
  const members = emptyMembers(program);
  for (const member of firing.members) (members[member.operand] ??= []).push(memberValue(member, eventAt));
  const { interval } = firing;
  return {
    isFired: true,
    key: program.isKeyed ? firing.key : null,
    at: instant(firing.at),
    revision: firing.revision,
    interval: interval ? intervalValue(interval) : null,
    partition: firing.partition ? partitionValue(firing.partition) : null,
    previousRun,
    incomplete: firing.isIncomplete === true,
    members,
  };
}

/** What tasks see in a run that a person started, maybe for a partition. */
export function manualFiringValue(program: Program, key: string | null, partition?: MatchPartition): Json {
  return {
    isFired: false,
    key,
    at: null,
    revision: 1,
    interval: partition?.window ? intervalValue(partition.window) : null,
    partition: partition ? partitionValue(partition) : null,
    previousRun: null,
    incomplete: false,
    members: emptyMembers(program),
  };
}

function partitionValue({ key, window }: MatchPartition): Json {
  return { key, window: window ? intervalValue(window) : null };
}

function intervalValue({ from, to }: { readonly from: number; readonly to: number }): Json {
  return { from: instant(from), to: instant(to) };
}

export function memberValue(member: Member, eventAt: (position: number) => FiredEvent): Json {
  switch (member.kind) {
    case "event":
      return eventAt(member.position) as unknown as Json;
    case "tick":
      return { from: instant(member.from), at: instant(member.at) };
    case "silence":
      return { silentFrom: instant(member.from), at: instant(member.at) };
    default:
      return unreachable(member);
  }
}

/** Operands without a member have an empty list: a task may map over them. */
function emptyMembers(program: Program): { [operand: string]: Json[] } {
  return Object.fromEntries(program.operands.map((operand) => [operand, []]));
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
