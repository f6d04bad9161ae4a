/**
 * Evaluates the triggers of some of this node's shards: tells their conditions the log in its order, and commits what that
 * changes together with the runs that it starts.
 *
 * X1: the states of a shard's triggers, their firings with the runs of these, and the shard's position in the log change in
 *     one flush. After a crash the next owner reads on from there and decides the same (C1).
 * X2: entries up to a shard's position concern none of its triggers once more.
 * X3: time is told only as far as no earlier entry can come (P1): where a page reaches the head, its clock; and before an
 *     entry that changes triggers, its own time, so that what was due before it is over, whenever it is read.
 * X4: one page is told at a time, and is committed in one turn.
 * X8: a trigger whose evaluation throws is set aside: it pauses where its rows stand, and holds up no other.
 * X7: after any failure what is in memory is given up, and the rows are read anew: they are as of the shards' positions.
 */
import {
  assert,
  canonicalTrigger,
  decideMissed,
  decideResume,
  endedRunOf,
  readTriggerEvent,
  type TriggerEvent,
  never,
  type CatchUp,
  type ConditionEvent,
  type LogEvent,
  isStateless,
  firstStates,
  inheritsKeys,
  isTellable,
  tellKey,
  tellKeyDue,
  type Telling,
} from "@millrace/core";
import type { LoadedTriggers, LogPage, TriggerKeyRow, TriggerRow } from "@millrace/store";
import type { Alarm } from "../clock.ts";
import type { TriggerBounds } from "../engine-options.ts";
import type { EngineParts } from "../engine-parts.ts";
import { cursorEntriesMax, cursorMs, readAnewMs } from "../limits.ts";
import { workspaceId } from "../workspace.ts";
import type { FiringDesk } from "./firing-desk.ts";
import { keyRow, loadTrigger, type LoadedTrigger } from "./loaded-trigger.ts";
import { PageTurn } from "./page-turn.ts";
import { asConditionEvent, entriesBetween } from "./telling.ts";
import { triggerShard } from "./trigger-shard.ts";
import { TriggerStates, type Concern } from "./trigger-states.ts";

export interface EvaluatorOptions {
  readonly parts: EngineParts;
  readonly desk: FiringDesk;
  readonly bounds: TriggerBounds;
  readonly shards: readonly number[];
  readonly loaded: LoadedTriggers;
}

/** Told after an entry recorded at its very instant (P1): an alarm asks for the clock to be a little later. */
const instantMs = 0.01;

export class TriggerEvaluator {
  readonly #options: EvaluatorOptions;
  readonly #shards: Set<number>;
  #states: TriggerStates;
  /** Pipelines whose trigger is to be set aside, with what it threw (X8). */
  readonly #broken = new Map<string, unknown>();
  /** Up to where a shard's triggers were told when it was loaded (X2). */
  readonly #loadedTo = new Map<number, number>();
  #alarm: Alarm | undefined;
  /** All entries up to here were told, and what the database knows of that. */
  #position: number;
  #written: { position: number; at: number };
  #stopFollowing: (() => void) | undefined;
  /** Everything up to here is committed. */
  #settledTo = 0;
  #waiting: { readonly position: number; readonly resolve: () => void }[] = [];

  constructor(options: EvaluatorOptions) {
    this.#options = options;
    this.#shards = new Set(options.shards);
    this.#states = new TriggerStates(options.parts, this.#shards, options.bounds);
    this.#position = 0;
    this.#written = { position: 0, at: 0 };
    this.#restore(options.loaded);
  }

  #restore({ triggers, keys, cursors }: LoadedTriggers): void {
    const { parts, bounds } = this.#options;
    this.#states = new TriggerStates(parts, this.#shards, bounds);
    this.#loadedTo.clear();
    for (const { shard, position } of cursors)
      if (this.#shards.has(shard)) this.#loadedTo.set(shard, position);
    this.#position = Math.min(...this.#loadedTo.values());
    this.#settle(this.#position);
    this.#written = { position: this.#position, at: parts.clock.now() };
    for (const row of triggers) if (this.#shards.has(row.shard)) this.#states.hold(this.#load(row));
    for (const row of keys) this.#restoreKey(row);
  }

  #load(row: TriggerRow): LoadedTrigger {
    try {
      return loadTrigger(row);
    } catch (error) {
      this.#broken.set(row.pipeline, error);
      return { row, program: undefined, keys: new Map() };
    }
  }

  #restoreKey(row: TriggerKeyRow): void {
    try {
      this.#states.restore(row);
    } catch (error) {
      this.#broken.set(row.pipeline, error);
    }
  }

  get shards(): ReadonlySet<number> {
    return this.#shards;
  }

  start(): void {
    this.#stopFollowing = this.#options.parts.events.onAppended(this.#position, (page) => this.#hear(page));
    this.#arm();
  }

  /** The position up to which its triggers were told the log. */
  get toldTo(): number {
    return this.#position;
  }

  /** Resolves once everything up to this position is told and committed, or when that is no longer this node's to tell. */
  settled(position: number): Promise<void> {
    if (this.#settledTo >= position || this.#shards.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ position, resolve }));
  }

  #settle(position: number): void {
    this.#settledTo = Math.max(this.#settledTo, position);
    const { done = [], left = [] } = Object.groupBy(this.#waiting, (one) =>
      one.position <= this.#settledTo ? "done" : "left",
    );
    this.#waiting = left;
    for (const { resolve } of done) resolve();
  }

  /** These shards go to another node. */
  drop(shards: ReadonlySet<number>): void {
    for (const shard of shards) this.#shards.delete(shard);
    for (const trigger of this.#states.triggers())
      if (shards.has(trigger.row.shard)) this.#states.letGo(trigger);
    if (this.#shards.size === 0) this.stop();
  }

  stop(): void {
    this.#stopFollowing?.();
    this.#alarm?.cancel();
    this.#shards.clear();
    this.#settle(Number.POSITIVE_INFINITY);
  }

  // --- a page of the log --------------------------------------------------------------------------------------------

  async #hear(page: LogPage): Promise<void> {
    try {
      await this.#tell(page);
    } catch (error) {
      if (this.#shards.size > 0) await this.#readAnew(error);
    }
  }

  /** The page may be told in part, and not be committed (X7). */
  async #readAnew(error: unknown): Promise<void> {
    const { store, commit, alarms, clock, log } = this.#options.parts;
    log.warn({ err: error }, "events could not be told to triggers; trying again");
    this.#stopFollowing?.();
    this.#alarm?.cancel();
    while (this.#shards.size > 0) {
      await new Promise<void>((resolve) => {
        alarms.set(clock.now() + readAnewMs, resolve);
      });
      try {
        await commit.drained();
        const loaded = await store.loadTriggers([...this.#shards]);
        if (this.#shards.size === 0) return;
        this.#restore(loaded);
        return this.start();
      } catch (trouble) {
        log.warn({ err: trouble }, "triggers could not be read; trying again");
      }
    }
  }

  async #tell(page: LogPage): Promise<void> {
    const turn = new PageTurn();
    this.#setAside(turn, page);
    let segment: LogEvent[] = [];
    for (const event of page.events) {
      if (this.#isConcerned(event)) segment.push(event);
      const gated = this.#gatedEnd(event);
      const change = this.#readChange(event);
      if (!change && !gated) continue;
      await this.#tellEvents(turn, segment);
      segment = [];
      this.#position = Math.max(this.#position, event.position);
      if (change) await this.#apply(turn, change, event);
      else if (gated) {
        await this.#tellTime(turn, event.recordedAt);
        turn.openGate(gated.trigger, gated.runId);
      }
    }
    await this.#tellEvents(turn, segment);
    this.#position = Math.max(this.#position, page.until);
    if (page.until >= page.head.position) await this.#tellTime(turn, page.head.clock);
    await this.#commit(turn, page);
    this.#settle(this.#position);
    this.#arm();
    await this.#states.evict();
  }

  /** What was told of a broken trigger is not committed: its resume tells it again (X8). */
  #setAside(turn: PageTurn, page: LogPage): void {
    for (const [pipeline, error] of this.#broken) {
      const trigger = this.#states.get(pipeline);
      if (!trigger || trigger.row.paused) continue;
      this.#options.parts.log.error({ err: error, pipeline }, "a trigger broke its evaluation and is paused");
      const position = this.#loadedTo.get(trigger.row.shard) ?? 0;
      const recordedAt = page.events[0]?.recordedAt ?? page.head.clock;
      trigger.row = { ...trigger.row, paused: { position, recordedAt } };
      turn.change(trigger);
    }
    this.#broken.clear();
  }

  #evaluate(trigger: LoadedTrigger, tell: () => Telling<LoadedTrigger>): Telling<LoadedTrigger> {
    try {
      return tell();
    } catch (error) {
      this.#broken.set(trigger.row.pipeline, error);
      throw error;
    }
  }

  #readChange(event: LogEvent): TriggerEvent | undefined {
    try {
      const change = readTriggerEvent(event);
      if (!change || change.kind === "outage") return change;
      const shard = triggerShard(change.pipeline);
      return this.#shards.has(shard) && !this.#isTold(shard, event.position) ? change : undefined;
    } catch (error) {
      // Another version's: the pipeline keeps the trigger that it has.
      this.#options.parts.log.warn(
        { err: error, position: event.position },
        "a trigger's entry can't be read",
      );
      return undefined;
    }
  }

  /** The end of a run, where its trigger may let another one begin. */
  #gatedEnd(event: LogEvent): { readonly trigger: LoadedTrigger; readonly runId: string } | undefined {
    const runId = endedRunOf(event);
    const trigger = runId === undefined ? undefined : this.#states.get(event.subject ?? "");
    if (runId === undefined || !trigger?.row.definition?.policy) return undefined;
    return this.#isTold(trigger.row.shard, event.position) ? undefined : { trigger, runId };
  }

  #isTold(shard: number, position: number): boolean {
    return position <= (this.#loadedTo.get(shard) ?? 0);
  }

  #isConcerned(entry: LogEvent): boolean {
    return isTellable(entry) && this.#states.index.wants(entry.type);
  }

  /** Entries between which no trigger changes: the states that they concern are loaded together. */
  async #tellEvents(turn: PageTurn, events: readonly LogEvent[]): Promise<void> {
    if (events.length === 0) return;
    const told: { readonly event: ConditionEvent; readonly concerns: readonly Concern[] }[] = [];
    for (const entry of events) {
      const event = await asConditionEvent(this.#options.parts.values, entry);
      const concerns = this.#concernsOf(event).filter(
        ({ trigger: { row } }) => !row.paused && !this.#isTold(row.shard, entry.position),
      );
      if (concerns.length > 0) told.push({ event, concerns });
    }
    await this.#states.loadKeys(told.flatMap(({ concerns }) => concerns));
    for (const { event, concerns } of told)
      for (const { trigger, key } of concerns) this.#tellEvent(turn, trigger, key, event);
  }

  #concernsOf(event: ConditionEvent): Concern[] {
    const concerns: Concern[] = [];
    const seen = new Set<string>();
    for (const { trigger, use } of this.#states.index.matching(event)) {
      const key = trigger.program?.isKeyed ? use.key(event) : "";
      if (key === undefined) continue;
      const name = `${trigger.row.pipeline}\n${key}`;
      if (seen.has(name)) continue;
      seen.add(name);
      concerns.push({ trigger, key });
    }
    return concerns;
  }

  #tellEvent(turn: PageTurn, trigger: LoadedTrigger, key: string, event: ConditionEvent): void {
    const telling = this.#evaluate(trigger, () => tellKey(trigger, key, event));
    this.#note(turn, trigger, telling);
    if (telling.isNew && telling.touched && !isStateless(trigger)) this.#states.keep(trigger, telling.state);
  }

  /** Takes what a trigger decided and changed. */
  #note(turn: PageTurn, trigger: LoadedTrigger, { firings, state, touched }: Telling<LoadedTrigger>): void {
    turn.firings.push(...firings);
    if (!touched || isStateless(trigger)) return;
    turn.touch(trigger, state);
    this.#states.noteDue(trigger, state);
  }

  // --- time ---------------------------------------------------------------------------------------------------------

  async #tellTime(turn: PageTurn, clock: number): Promise<void> {
    await this.#states.loadDue(clock);
    // Rows do not say yet what this page changed.
    for (const trigger of turn.touched())
      for (const state of turn.keysOf(trigger)) this.#states.noteDue(trigger, state);
    for (let due = await this.#states.takeDue(clock); due; due = await this.#states.takeDue(clock)) {
      const { trigger, state } = due;
      // What is due while it is paused is told when it is resumed.
      if (trigger.row.paused) continue;
      const until = { clock, position: this.#position };
      this.#note(
        turn,
        trigger,
        this.#evaluate(trigger, () => tellKeyDue(trigger, state, until)),
      );
      this.#states.noteDue(trigger, state);
    }
  }

  /** A page comes when something is due: with the clock that says so. */
  #arm(): void {
    this.#alarm?.cancel();
    const { alarms, clock, events, log } = this.#options.parts;
    const at = this.#states.nextDue();
    if (at === never || this.#shards.size === 0) return;
    this.#alarm = alarms.set(Math.max(at, clock.now()), () => {
      void events
        .advanceClock(Number.isFinite(at) ? at + instantMs : clock.now())
        .catch((error: unknown) => log.warn({ err: error }, "the log's clock could not be advanced"));
    });
  }

  // --- changes of triggers ------------------------------------------------------------------------------------------

  async #apply(turn: PageTurn, change: TriggerEvent, event: LogEvent): Promise<void> {
    if (change.kind === "outage") {
      await this.#tellTime(turn, change.clock);
      return this.#catchUp(turn, event);
    }
    await this.#tellTime(turn, event.recordedAt);
    const trigger = this.#states.get(change.pipeline);
    switch (change.kind) {
      case "changed":
        return this.#change(turn, change, event);
      case "paused":
        if (!trigger || trigger.row.paused) return;
        trigger.row = { ...trigger.row, paused: placeOf(event) };
        turn.change(trigger);
        return;
      case "resumed":
        if (trigger?.row.paused) await this.#resume(turn, trigger, event, change.onResume);
        return;
    }
  }

  #catchUp(turn: PageTurn, entry: LogEvent): void {
    for (const trigger of this.#states.triggers()) {
      const state = trigger.keys.get("");
      if (!state || trigger.row.paused || this.#isTold(trigger.row.shard, entry.position)) continue;
      const firings = decideMissed(trigger, state, entry);
      if (!firings) continue;
      turn.firings.push(...firings);
      turn.touch(trigger, state);
      this.#states.noteDue(trigger, state);
    }
  }

  /** The version rises only where the definition's text differs (C3). */
  async #change(
    turn: PageTurn,
    change: Extract<TriggerEvent, { kind: "changed" }>,
    event: LogEvent,
  ): Promise<void> {
    const { pipeline, definition, paused } = change;
    const known = this.#states.get(pipeline);
    const before = known?.row.definition;
    if (definition ? before && canonicalTrigger(before) === canonicalTrigger(definition) : !before) return;
    const place = placeOf(event);
    const row: TriggerRow = {
      workspace: workspaceId,
      pipeline,
      shard: triggerShard(pipeline),
      version: (known?.row.version ?? 0) + (definition ? 1 : 0),
      definition,
      activated: place,
      paused: definition && (paused || known?.row.paused) ? place : undefined,
    };
    const trigger = loadTrigger(row);
    if (known && inheritsKeys(trigger, known)) await this.#states.loadAllKeys(known);
    if (known) this.#states.letGo(known);
    turn.begin(trigger);
    if (before?.policy) turn.openGate(trigger);
    this.#states.holdAnew(trigger);
    for (const state of firstStates(trigger, event, known)) {
      this.#states.keep(trigger, state);
      turn.touch(trigger, state);
    }
  }

  /** Tells what came while it was paused, and lets those firings begin that the policy names (C8). */
  async #resume(
    turn: PageTurn,
    trigger: LoadedTrigger,
    event: LogEvent,
    onResume: CatchUp | undefined,
  ): Promise<void> {
    const { paused, definition } = trigger.row;
    assert(paused, "what is resumed was paused");
    trigger.row = { ...trigger.row, paused: undefined };
    turn.change(trigger);
    // It was paused after its pipeline had lost it.
    if (!definition) return;
    const how = onResume ?? definition.onResume;
    const firings = await decideResume(
      trigger,
      { from: paused.position, to: event.position, at: event.recordedAt, position: this.#position, how },
      {
        entries: (after, until) =>
          entriesBetween((from, limit) => this.#options.parts.events.read(from, limit), { after, until }),
        asEvent: (entry) => asConditionEvent(this.#options.parts.values, entry),
        load: (key) => this.#states.loadKeys([{ trigger, key }]),
        loadOverdue: (before) => this.#states.loadOverdue(trigger, before),
        keep: (state) => this.#states.keep(trigger, state),
        touched: (state) => turn.touch(trigger, state),
      },
    );
    turn.firings.push(...firings);
    for (const state of trigger.keys.values()) this.#states.noteDue(trigger, state);
  }

  // --- the commit ---------------------------------------------------------------------------------------------------

  /** Everything that the page changed, in one turn (X1, X4). */
  async #commit(turn: PageTurn, page: LogPage): Promise<void> {
    const { clock, commit } = this.#options.parts;
    const begun = await this.#options.desk.prepare(turn, page.events);
    const isOurs = ({ row }: LoadedTrigger): boolean => this.#shards.has(row.shard);
    const { batch } = commit;
    const moved = new Set<number>();
    for (const trigger of turn.triggers.values()) {
      if (!isOurs(trigger)) continue;
      moved.add(trigger.row.shard);
      batch.triggers.push(trigger.row);
      const { workspace, pipeline } = trigger.row;
      if (turn.cleared.has(pipeline)) batch.triggerKeysGone.push({ workspace, pipeline });
    }
    for (const trigger of turn.touched()) {
      if (!isOurs(trigger) || this.#states.get(trigger.row.pipeline) !== trigger) continue;
      moved.add(trigger.row.shard);
      for (const state of turn.keysOf(trigger)) batch.triggerKeys.push(keyRow(trigger, state));
    }
    for (const { shard, begin } of begun) {
      if (!this.#shards.has(shard)) continue;
      moved.add(shard);
      begin();
    }
    const isTime =
      this.#position - this.#written.position >= cursorEntriesMax ||
      (this.#position > this.#written.position && clock.now() - this.#written.at >= cursorMs);
    if (isTime) this.#written = { position: this.#position, at: clock.now() };
    const shards = isTime ? this.#shards : moved;
    for (const shard of shards) batch.cursors.push({ shard, position: this.#position });
    // The next page changes rows of the next flush.
    if (shards.size > 0) await commit.drained();
    this.#states.settle();
  }
}

function placeOf({ position, recordedAt }: LogEvent): {
  readonly position: number;
  readonly recordedAt: number;
} {
  return { position, recordedAt };
}
