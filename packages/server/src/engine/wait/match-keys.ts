/**
 * Under which keys waits are found: a hash of an event's type, and of the value at a path that the wait's filter asks for. What
 * a key finds is checked by the whole condition, so keys that are equal by accident cost a look.
 *
 * J1: an event that concerns a wait has one of the wait's keys among its own.
 */
import {
  compilePath,
  fnv1a64,
  type ConditionEvent,
  type EventUse,
  type Json,
  type Program,
} from "@millrace/core";
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
  for (const use of program.events) {
    const { path, values } = askedFor(use);
    const shape = {
      workspace: workspaceId,
      type: use.type,
      isPrefix: use.isPrefix,
      path: path === undefined ? "" : JSON.stringify(path),
    };
    shapes.set(shapeName(shape), shape);
    for (const value of values) keys.add(keyOf(shape, value));
  }
  return { keys: [...keys], shapes: [...shapes.values()] };
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

export function shapeName({ type, isPrefix, path }: Omit<WaitShape, "workspace">): string {
  return `${isPrefix ? "*" : "="} ${type} ${path}`;
}

/** 64 bits as PostgreSQL's `bigint` in text. */
function keyOf(shape: WaitShape, value: Json | undefined): string {
  const text = value === undefined ? "" : JSON.stringify(value);
  return BigInt.asIntN(64, BigInt(`0x${fnv1a64(`${shapeName(shape)}=${text}`)}`)).toString();
}

interface KnownShape {
  readonly shape: WaitShape;
  readonly read: ((event: ConditionEvent) => unknown) | undefined;
}

/** The shapes that waits have, by the types that they ask for. */
export class WaitShapes {
  readonly #names = new Set<string>();
  readonly #types = new Map<string, KnownShape[]>();
  readonly #prefixes = new Map<string, KnownShape[]>();
  /** Of the prefixes: an event's type is looked up once for each, however many waits have one of their own (`order.7.*`). */
  readonly #lengths = new Set<number>();

  has(shape: WaitShape): boolean {
    return this.#names.has(shapeName(shape));
  }

  add(shape: WaitShape): void {
    if (this.has(shape)) return;
    this.#names.add(shapeName(shape));
    const read = shape.path === "" ? undefined : compilePath(JSON.parse(shape.path) as string[]);
    const known = { shape, read };
    if (shape.isPrefix) this.#lengths.add(shape.type.length);
    const of = shape.isPrefix ? this.#prefixes : this.#types;
    const same = of.get(shape.type);
    if (same) same.push(known);
    else of.set(shape.type, [known]);
  }

  wants(type: string): boolean {
    if (this.#types.has(type)) return true;
    for (const length of this.#lengths)
      if (length <= type.length && this.#prefixes.has(type.slice(0, length))) return true;
    return false;
  }

  /** The keys of an event: under these waits are found that it may concern. */
  keysOf(event: ConditionEvent): string[] {
    const keys: string[] = [];
    const note = ({ shape, read }: KnownShape): void => {
      if (!read) return void keys.push(keyOf(shape, undefined));
      const value = read(event);
      if (value !== undefined && (value === null || typeof value !== "object"))
        keys.push(keyOf(shape, value as Json));
    };
    for (const known of this.#types.get(event.type) ?? []) note(known);
    for (const length of this.#lengths) {
      if (length > event.type.length) continue;
      for (const known of this.#prefixes.get(event.type.slice(0, length)) ?? []) note(known);
    }
    return keys;
  }
}
