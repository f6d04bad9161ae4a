/**
 * The shapes that waits have, by the types that they ask for, with the shards that have a row of them: what events are looked up
 * by. It grows with shapes, not with waits; what no wait has any more goes (`shape-sweep.ts`).
 */
import type { ConditionEvent } from "@millrace/core";
import type { StoredShape, WaitShape } from "@millrace/store";
import { firstKeyOf, keyWithin, lastKeyOf, oldKeyOf, readerOf, shapeName } from "./match-keys.ts";

export interface KnownShape {
  readonly shape: WaitShape;
  readonly name: string;
  readonly firstKey: bigint;
  readonly read: ReturnType<typeof readerOf>;
  /** Which have a row of it. */
  readonly shards: number[];
  /** A wait with it was placed since it was last looked at. */
  isUsed: boolean;
  /** Waits from before shapes had ranges may have it: they are found by other keys. */
  isOld: boolean;
}

export class WaitShapes {
  readonly #byName = new Map<string, KnownShape>();
  readonly #types = new Map<string, KnownShape[]>();
  readonly #prefixes = new Map<string, KnownShape[]>();
  /**
   * How many of the prefixes have each length: an event's type is looked up once for each, however many waits have one of their own
   * (`order.7.*`).
   */
  readonly #lengths = new Map<number, number>();
  #walk: Iterator<KnownShape> | undefined;

  get size(): number {
    return this.#byName.size;
  }

  load({ shard, isOld, ...shape }: StoredShape): void {
    const known = this.#know(shape);
    if (isOld) known.isOld = true;
    else known.shards.push(shard);
  }

  /** A wait of this shard has it. Whether the shard had no row of it. */
  place(shape: WaitShape, shard: number): boolean {
    const known = this.#know(shape);
    known.isUsed = true;
    if (known.shards.includes(shard)) return false;
    known.shards.push(shard);
    return true;
  }

  #know(shape: WaitShape): KnownShape {
    const name = shapeName(shape);
    const before = this.#byName.get(name);
    if (before) return before;
    const known: KnownShape = {
      shape,
      name,
      firstKey: firstKeyOf(name),
      read: readerOf(shape),
      shards: [],
      isUsed: false,
      isOld: false,
    };
    this.#byName.set(name, known);
    const { type, isPrefix } = shape;
    if (isPrefix) this.#lengths.set(type.length, (this.#lengths.get(type.length) ?? 0) + 1);
    const of = isPrefix ? this.#prefixes : this.#types;
    const same = of.get(type);
    if (same) same.push(known);
    else of.set(type, [known]);
    return known;
  }

  forget(known: KnownShape): void {
    const { type, isPrefix } = known.shape;
    this.#byName.delete(known.name);
    const of = isPrefix ? this.#prefixes : this.#types;
    const left = of.get(type)?.filter((one) => one !== known) ?? [];
    if (left.length > 0) of.set(type, left);
    else of.delete(type);
    if (!isPrefix) return;
    const length = (this.#lengths.get(type.length) ?? 1) - 1;
    if (length > 0) this.#lengths.set(type.length, length);
    else this.#lengths.delete(type.length);
  }

  /** So many of them, from where the last call ended; all of them in turn. Fewer at their end. */
  nextToLookAt(limit: number): KnownShape[] {
    this.#walk ??= this.#byName.values();
    const page: KnownShape[] = [];
    while (page.length < limit) {
      const { done, value } = this.#walk.next();
      if (done === true) {
        this.#walk = undefined;
        break;
      }
      page.push(value);
    }
    return page;
  }

  wants(type: string): boolean {
    if (this.#types.has(type)) return true;
    for (const length of this.#lengths.keys())
      if (length <= type.length && this.#prefixes.has(type.slice(0, length))) return true;
    return false;
  }

  /** The keys of an event: under these waits are found that it may concern. */
  keysOf(event: ConditionEvent): string[] {
    const keys: string[] = [];
    const note = (known: KnownShape): void => {
      const value = known.read?.(event);
      if (known.read && (value === undefined || (value !== null && typeof value === "object"))) return;
      keys.push(keyWithin(known.firstKey, known.name, value));
      if (known.isOld) keys.push(oldKeyOf(known.name, value));
    };
    for (const known of this.#types.get(event.type) ?? []) note(known);
    for (const length of this.#lengths.keys()) {
      if (length > event.type.length) continue;
      for (const known of this.#prefixes.get(event.type.slice(0, length)) ?? []) note(known);
    }
    return keys;
  }
}

export function rangeOf({ firstKey }: KnownShape): { readonly first: string; readonly last: string } {
  return { first: firstKey.toString(), last: lastKeyOf(firstKey).toString() };
}
