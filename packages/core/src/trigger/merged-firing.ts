/**
 * What a firing's value is while it waits for its run, and what it is with the members of those that were merged into it.
 *
 * M1: the members are those of all, in their order, exactly (C2); a value that holds them as lists holds all of them.
 */
import type { Program } from "../condition/compile.ts";
import type { Member } from "../condition/match.ts";
import type { Json } from "../json.ts";
import { firingValue, memberValue, type FiredEvent, type Firing } from "./firing.ts";

/** In place of a list of members: how many there are. Tasks read them with `ctx.firing.events`. */
export interface StreamedMembers {
  readonly streamed: number;
}

interface FiringValue {
  readonly [name: string]: Json;
  readonly at: string;
  readonly revision: number;
  readonly interval: { readonly from: string; readonly to: string } | null;
  readonly members: { readonly [operand: string]: Json };
}

/** A firing's value with counts in place of its members. */
export function countedValue(program: Program, firing: Firing, previousRun: string | null = null): Json {
  const value = firingValue(
    program,
    { ...firing, members: [] },
    noEvent,
    previousRun,
  ) as unknown as FiringValue;
  const members = Object.fromEntries(program.operands.map((operand) => [operand, { streamed: 0 }]));
  for (const { operand } of firing.members) members[operand] = { streamed: streamed(members[operand]) + 1 };
  return { ...value, members };
}

function noEvent(): never {
  throw new Error("invariant broken: it has no members");
}

/** The partition that a firing's value is about. */
export function partitionOfValue(value: Json): string | undefined {
  const { partition } = (value ?? {}) as { readonly partition?: { readonly key: string } | null };
  return partition?.key;
}

/** Of whose firings one waits: firings of other keys, and about other partitions, have nothing to do with each other. */
export function gateKeyOf(key: string, partition: string | undefined): string {
  return partition === undefined ? key : JSON.stringify([key, partition]);
}

/** The counted value of a firing into which a later one is merged: the interval is the union. */
export function mergeCounted(into: Json, later: Json): Json {
  const a = into as unknown as FiringValue;
  const b = later as unknown as FiringValue;
  const members: { [operand: string]: Json } = { ...a.members };
  for (const [operand, count] of Object.entries(b.members))
    members[operand] = { streamed: streamed(members[operand]) + streamed(count) };
  return {
    ...a,
    at: b.at,
    revision: Math.max(a.revision, b.revision),
    incomplete: a["incomplete"] === true || b["incomplete"] === true,
    interval: unionOf(a.interval, b.interval),
    members,
  };
}

function unionOf(a: FiringValue["interval"], b: FiringValue["interval"]): FiringValue["interval"] {
  if (!a || !b) return a ?? b;
  // Instants in UTC of one form are in the order of their texts.
  return { from: a.from < b.from ? a.from : b.from, to: a.to > b.to ? a.to : b.to };
}

/** The counted value with its members as lists. */
export function listedValue(
  counted: Json,
  members: readonly Member[],
  eventAt: (position: number) => FiredEvent,
): Json {
  const value = counted as unknown as FiringValue;
  const lists: { [operand: string]: Json[] } = {};
  for (const operand of Object.keys(value.members)) lists[operand] = [];
  for (const member of members) (lists[member.operand] ??= []).push(memberValue(member, eventAt));
  return { ...value, members: lists };
}

/** How many members a value has that does not hold them; `undefined` where it holds them. */
export function streamedMembersOf(value: Json): number | undefined {
  const { members } = (value ?? {}) as { readonly members?: Json };
  if (members === null || typeof members !== "object") return undefined;
  let count: number | undefined;
  for (const of of Object.values(members)) if (!Array.isArray(of)) count = (count ?? 0) + streamed(of);
  return count;
}

function streamed(of: Json | undefined): number {
  return (of as StreamedMembers | undefined)?.streamed ?? 0;
}
