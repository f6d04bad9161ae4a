/**
 * Under which keys waits are found: a hash of an event's type, and of the value at a path that the wait's filter asks for. What
 * a key finds is checked by the whole condition, so keys that are equal by accident cost a look. The keys of one shape are one
 * range: whether any wait has it is a look into the index (`shape-sweep.ts`).
 *
 * J1: an event that concerns a wait has one of the wait's keys among its own.
 */
import { compilePath, fnv1a64, type EventUse, type Json, type Program } from "@millrace/core";
import type { WaitShape } from "@millrace/store";
import { waitValuesMax } from "../limits.ts";
import { workspaceId } from "../workspace.ts";

export interface MatchKeys {
  readonly keys: readonly string[];
  readonly shapes: readonly WaitShape[];
}

/** A condition's keys: of each of its events by the first equality of its filter, or by its type alone. */
export function matchKeysOf(program: Program): MatchKeys {
  const keys = new Set<string>();
  const shapes = new Map<string, WaitShape>();
  for (const { shape, values } of asksOf(program)) {
    const name = shapeName(shape);
    shapes.set(name, shape);
    const first = firstKeyOf(name);
    for (const value of values) keys.add(keyWithin(first, name, value));
  }
  return { keys: [...keys], shapes: [...shapes.values()] };
}

/** Under which a wait is found that began before shapes had ranges (`sql/000016_wait_shape_of_shard.sql`). */
export function oldKeysOf(program: Program): readonly string[] {
  return asksOf(program).flatMap(({ shape, values }) => {
    const name = shapeName(shape);
    return values.map((value) => oldKeyOf(name, value));
  });
}

interface Ask {
  readonly shape: WaitShape;
  readonly values: readonly (Json | undefined)[];
}

function asksOf(program: Program): Ask[] {
  return program.events.map((use) => {
    const { path, values } = askedFor(use);
    const { type, isPrefix } = use;
    const shape = {
      workspace: workspaceId,
      type,
      isPrefix,
      path: path === undefined ? "" : JSON.stringify(path),
    };
    return { shape, values };
  });
}

function askedFor({ where }: EventUse): {
  readonly path: readonly string[] | undefined;
  readonly values: readonly (Json | undefined)[];
} {
  const [equality] = where?.equalities ?? [];
  if (equality) return { path: equality.path, values: [equality.value] };
  const alternative = where?.alternatives.find(({ oneOf }) => oneOf.length <= waitValuesMax);
  if (alternative) return { path: alternative.path, values: alternative.oneOf };
  return { path: undefined, values: [undefined] };
}

export function shapeName({ type, isPrefix, path }: Pick<WaitShape, "type" | "isPrefix" | "path">): string {
  return `${isPrefix ? "*" : "="} ${type} ${path}`;
}

/** Of 64 bits: among a million values of one shape, one event in a million finds a stranger. */
const valueBits = 40n;
const lastValue = (1n << valueBits) - 1n;

/** PostgreSQL's `bigint` has a sign: the order within a shape's range is the same. */
export function firstKeyOf(name: string): bigint {
  const hash = fnv1a64(name);
  // Both ends of it: neither has all characters of a text.
  const folded = Number.parseInt(hash.slice(0, 6), 16) ^ Number.parseInt(hash.slice(-6), 16);
  return BigInt.asIntN(64, BigInt(folded) << valueBits);
}

/** In decimal, as all keys: JSON's numbers lose digits. */
export function keyWithin(first: bigint, name: string, value: Json | undefined): string {
  const hash = hashOf(name, value);
  // The last characters of a text change its low bits alone: folded, an index of numbers in their order is a tenth smaller.
  return (first | ((hash ^ (hash >> (64n - valueBits))) & lastValue)).toString();
}

export function lastKeyOf(first: bigint): bigint {
  return first | lastValue;
}

export function oldKeyOf(name: string, value: Json | undefined): string {
  return BigInt.asIntN(64, hashOf(name, value)).toString();
}

function hashOf(name: string, value: Json | undefined): bigint {
  return BigInt(`0x${fnv1a64(`${name}=${value === undefined ? "" : JSON.stringify(value)}`)}`);
}

/** Reads what events have at a shape's path; nothing where their type is enough. */
export function readerOf({ path }: WaitShape): ReturnType<typeof compilePath> | undefined {
  return path === "" ? undefined : compilePath(JSON.parse(path) as string[]);
}
