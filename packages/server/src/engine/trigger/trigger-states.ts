/**
 * The triggers of an evaluator and those of their states that are in memory, with what is due of them.
 *
 * X5: a due deadline is found, also of a key that is not in memory: what is due up to `#dueUntil` is in `#dues`, the rest in
 *     rows that are read when their time comes.
 * X6: a state that left memory is in its row: it leaves only after the commit of what changed it.
 */
import { dueOf, Heap, never, isStateless, type KeyState, TriggerIndex } from "@millrace/core";
import type { TriggerKeyRow } from "@millrace/store";
import type { EngineParts } from "../engine-parts.ts";
import type { TriggerBounds } from "../engine-options.ts";
import { workspaceId } from "../workspace.ts";
import { restoreKey, type LoadedTrigger } from "./loaded-trigger.ts";

interface Due {
  readonly at: number;
  readonly trigger: LoadedTrigger;
  readonly key: string;
}

/** A state that an event concerns. */
export interface Concern {
  readonly trigger: LoadedTrigger;
  readonly key: string;
}

export class TriggerStates {
  readonly index = new TriggerIndex<LoadedTrigger>();
  readonly #parts: Pick<EngineParts, "store" | "commit">;
  readonly #shards: ReadonlySet<number>;
  readonly #bounds: TriggerBounds;
  readonly #triggers = new Map<string, LoadedTrigger>();
  readonly #dues = new Heap<Due>((a, b) => a.at < b.at);
  #dueUntil = Number.NEGATIVE_INFINITY;
  #inMemory = 0;
  /** Triggers whose version begins in the page that is being told: rows of their keys are an earlier version's. */
  readonly #begun = new Set<LoadedTrigger>();

  constructor(
    parts: Pick<EngineParts, "store" | "commit">,
    shards: ReadonlySet<number>,
    bounds: TriggerBounds,
  ) {
    this.#parts = parts;
    this.#shards = shards;
    this.#bounds = bounds;
  }

  get(pipeline: string): LoadedTrigger | undefined {
    return this.#triggers.get(pipeline);
  }

  triggers(): LoadedTrigger[] {
    return [...this.#triggers.values()];
  }

  hold(trigger: LoadedTrigger): void {
    this.#triggers.set(trigger.row.pipeline, trigger);
    this.index.add(trigger);
  }

  /** A version begins. */
  holdAnew(trigger: LoadedTrigger): void {
    this.#begun.add(trigger);
    this.hold(trigger);
  }

  /** What the page changed is in the rows. */
  settle(): void {
    this.#begun.clear();
  }

  letGo(trigger: LoadedTrigger): void {
    this.index.remove(trigger);
    this.#inMemory -= trigger.keys.size;
    this.#triggers.delete(trigger.row.pipeline);
  }

  restore(row: TriggerKeyRow): void {
    const trigger = this.#triggers.get(row.pipeline);
    if (trigger && !trigger.keys.has(row.key)) this.keep(trigger, restoreKey(row));
  }

  keep(trigger: LoadedTrigger, state: KeyState): void {
    if (!trigger.keys.has(state.key)) this.#inMemory += 1;
    trigger.keys.set(state.key, state);
    this.noteDue(trigger, state);
  }

  async loadKeys(concerns: readonly Concern[]): Promise<void> {
    const names = new Map<string, { readonly pipeline: string; readonly key: string }>();
    for (const { trigger, key } of concerns) {
      if (trigger.keys.has(key) || isStateless(trigger) || !trigger.program?.isKeyed) continue;
      if (this.#begun.has(trigger)) continue;
      names.set(`${trigger.row.pipeline}\n${key}`, { pipeline: trigger.row.pipeline, key });
    }
    if (names.size === 0) return;
    const rows = await this.#parts.store.loadTriggerKeys(workspaceId, [...names.values()]);
    for (const row of rows) this.restore(row);
  }

  /** All keys of a trigger; beyond the bound those that were touched last. */
  async loadAllKeys(trigger: LoadedTrigger): Promise<void> {
    if (this.#begun.has(trigger)) return;
    const { workspace, pipeline } = trigger.row;
    for (const row of await this.#parts.store.loadKeysOf(workspace, pipeline, this.#bounds.keysMax))
      this.restore(row);
  }

  /** Beyond a bound the keys that were touched longest ago leave memory (X6). */
  async evict(): Promise<void> {
    if (this.#inMemory <= this.#bounds.keysMax) return;
    await this.#parts.commit.drained();
    for (const trigger of this.#triggers.values()) {
      if (!trigger.program?.isKeyed) continue;
      const states = [...trigger.keys.values()].toSorted((a, b) => a.touchedAt - b.touchedAt);
      for (const state of states.slice(0, Math.ceil(states.length / 2))) {
        trigger.keys.delete(state.key);
        this.#inMemory -= 1;
      }
    }
  }

  // --- time ---------------------------------------------------------------------------------------------------------

  /** When a state is due next; what lies beyond `#dueUntil` is found in its row (X5). */
  noteDue(trigger: LoadedTrigger, state: KeyState): void {
    if (!trigger.program) return;
    const at = dueOf(trigger.program, state.instance);
    if (at === never || (at > this.#dueUntil && trigger.program.isKeyed)) return;
    // One earlier instant is enough: what is due then is looked at, and noted anew.
    if (state.notedDue !== undefined && state.notedDue <= at) return;
    state.notedDue = at;
    this.#dues.push({ at, trigger, key: state.key });
  }

  /** When something may be due; `never` when nothing is. */
  nextDue(): number {
    return Math.min(this.#dues.first()?.at ?? never, this.#hasKeys() ? this.#dueUntil : never);
  }

  /** The next state with a deadline before `clock`. */
  async takeDue(
    clock: number,
  ): Promise<{ readonly trigger: LoadedTrigger; readonly state: KeyState } | undefined> {
    for (let first = this.#dues.first(); first && first.at < clock; first = this.#dues.first()) {
      this.#dues.pop();
      const { trigger, key, at } = first;
      const { program } = trigger;
      if (this.#triggers.get(trigger.row.pipeline) !== trigger || !program) continue;
      if (!trigger.keys.has(key)) await this.loadKeys([{ trigger, key }]);
      const state = trigger.keys.get(key);
      if (!state) continue;
      if (state.notedDue === at) state.notedDue = undefined;
      if (dueOf(program, state.instance) < clock) return { trigger, state };
      this.noteDue(trigger, state);
    }
    return undefined;
  }

  /** Reads the keys that are due next: all up to `clock`, and some beyond. */
  async loadDue(clock: number): Promise<void> {
    if (this.#dueUntil > clock) return;
    const until = clock + this.#bounds.dueHorizonMs;
    if (!this.#hasKeys()) {
      this.#dueUntil = until;
      return;
    }
    // Rows of the page before are part of what is read.
    await this.#parts.commit.drained();
    const rows = await this.#dueRows([...this.#shards], until, clock);
    this.#dueUntil = Math.min(until, rows.isWhole ? until : rows.found.at(-1)!.dueAt!);
    for (const { pipeline, key, dueAt } of rows.found) {
      const trigger = this.#triggers.get(pipeline);
      if (trigger && dueAt !== undefined) this.#dues.push({ at: dueAt, trigger, key });
    }
  }

  /** Keys of one trigger whose deadlines have passed. */
  async loadOverdue(trigger: LoadedTrigger, before: number): Promise<void> {
    if (!trigger.program?.isKeyed) return;
    const { pipeline, shard } = trigger.row;
    const { found } = await this.#dueRows([shard], before, before);
    await this.loadKeys(
      found.filter((row) => row.pipeline === pipeline).map(({ key }) => ({ trigger, key })),
    );
  }

  /** Rows due by `until`, the earliest first: at least all that are due by `needed`. */
  async #dueRows(
    shards: readonly number[],
    until: number,
    needed: number,
  ): Promise<{ readonly found: readonly TriggerKeyRow[]; readonly isWhole: boolean }> {
    for (let limit = this.#bounds.dueKeysMax; ; limit *= 2) {
      const found = await this.#parts.store.loadDueTriggerKeys(shards, until, limit);
      if (found.length < limit) return { found, isWhole: true };
      if (found.at(-1)!.dueAt! > needed) return { found, isWhole: false };
    }
  }

  #hasKeys(): boolean {
    for (const { program } of this.#triggers.values()) if (program?.isKeyed) return true;
    return false;
  }
}
