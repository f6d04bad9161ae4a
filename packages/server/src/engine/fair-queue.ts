/**
 * The order in which ready task runs get slots of one queue: start-time fair queueing between pipelines (Goyal, Vin,
 * Cheng, "Start-time Fair Queueing", 1996), with a task run's priority as a bounded head start.
 *
 * Q1: a pipeline with a long backlog delays another's next task run by at most one place per pipeline.
 * Q2: priority moves a task run by `priorityPlaces` places per step and no further, so nothing starves.
 */
import { Heap } from "@millrace/core";

export interface Queued {
  readonly pipeline: string;
  readonly priority: number;
}

interface Entry<T> {
  readonly value: T;
  readonly tag: number;
  readonly place: number;
  readonly sequence: number;
}

/** What one step of priority is worth. */
export const priorityPlaces = 100;
/** Pipelines whose last tag is remembered before old ones are forgotten. */
const tagsMax = 10_000;

export class FairQueue<T extends Queued> {
  readonly #heap = new Heap<Entry<T>>(goesBefore);
  readonly #entries = new Map<T, Entry<T>>();
  readonly #lastTag = new Map<string, number>();
  #virtualTime = 0;
  #sequence = 0;

  get size(): number {
    return this.#entries.size;
  }

  push(value: T): void {
    const tag = Math.max(this.#virtualTime, this.#lastTag.get(value.pipeline) ?? 0) + 1;
    this.#lastTag.set(value.pipeline, tag);
    const entry = {
      value,
      tag,
      place: tag - value.priority * priorityPlaces,
      sequence: (this.#sequence += 1),
    };
    this.#entries.set(value, entry);
    this.#heap.push(entry);
  }

  remove(value: T): boolean {
    return this.#entries.delete(value);
  }

  /** The next one, left where it is. */
  first(): T | undefined {
    for (let entry = this.#heap.first(); entry; entry = this.#heap.first()) {
      if (this.#entries.get(entry.value) === entry) return entry.value;
      this.#heap.pop();
    }
    return undefined;
  }

  /** Takes the next one that is still wanted. */
  pop(): T | undefined {
    for (let entry = this.#heap.pop(); entry; entry = this.#heap.pop()) {
      if (this.#entries.get(entry.value) !== entry) continue;
      this.#entries.delete(entry.value);
      this.#virtualTime = Math.max(this.#virtualTime, entry.tag);
      this.#forgetOldTags();
      return entry.value;
    }
    return undefined;
  }

  /** All that wait, in no order. */
  values(): Iterable<T> {
    return this.#entries.keys();
  }

  #forgetOldTags(): void {
    if (this.#entries.size === 0) this.#lastTag.clear();
    if (this.#lastTag.size <= tagsMax) return;
    for (const [pipeline, tag] of this.#lastTag) if (tag <= this.#virtualTime) this.#lastTag.delete(pipeline);
  }
}

function goesBefore<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.place < b.place || (a.place === b.place && a.sequence < b.sequence);
}
