/**
 * The waits of this node's shards: how they begin, and how their runs learn of their ends. The log is told to them by an
 * evaluator for each claim of shards.
 *
 * J8: a task run that waits has a row, or is in memory with a wait that begins here: whoever loads it begins what has none.
 */
import {
  approvalOf,
  approvalPlace,
  approvalRequest,
  errorCodeOf,
  firedEvent,
  lookBackOf,
  lookBackToStart,
  nodeWait,
  operationKey,
  probesWithin,
  resolveTemplate,
  waitConditionOf,
  waitTimeoutAt,
  waitValue,
  type AskedApproval,
  type AttemptError,
  type FiredEvent,
  type Json,
  type LookBack,
  type OpenWait,
  type OperationName,
  type OperationOutcome,
  type StoredValue,
  type TaskRun,
} from "@millrace/core";
import type { EventRow, WaitEnd, WaitRow } from "@millrace/store";
import type { EngineParts } from "../engine-parts.ts";
import type { RunEntry } from "../run-entry.ts";
import { joinsOf } from "./joins.ts";
import { withoutContent } from "../trigger/firing-desk.ts";
import { causesOf } from "../run-causes.ts";
import { goneEvent } from "../trigger/firing-values.ts";
import { workspaceId } from "../workspace.ts";
import { matchKeysOf } from "./match-keys.ts";
import type { RecentEntries } from "./recent-entries.ts";
import { RunStarts } from "./run-starts.ts";
import { ToldWait } from "./told-wait.ts";
import { WaitEvaluator } from "./wait-evaluator.ts";

export interface WaitHostOptions {
  readonly parts: EngineParts;
  readonly startCall: (entry: RunEntry, taskRun: TaskRun, wait: OpenWait) => void;
  /** Brings a run that is not in memory back when there is room, or resolves once one on its way has come. */
  readonly recall: (run: { readonly workspace: number; readonly id: string; readonly shard: number }) => void;
  /** Reads runs that wait outside of memory, as many as there is room for. */
  readonly bringIn: (
    runs: readonly { readonly workspace: number; readonly id: string; readonly shard: number }[],
  ) => Promise<void>;
  readonly arriving: (runId: string) => Promise<void> | undefined;
  readonly shapeSweepMs?: number | undefined;
}

export class WaitHost {
  readonly #options: WaitHostOptions;
  readonly #evaluators = new Set<WaitEvaluator>();
  /** Waits that have no row yet, by run: `placed` ones have one in the next flush. */
  readonly #beginning = new Map<string, { open: number; unplaced: number }>();
  readonly #outcomes = new WeakMap<ToldWait, OperationOutcome>();
  readonly #starts: RunStarts;
  #lastId = 0;

  constructor(options: WaitHostOptions) {
    this.#options = options;
    this.#starts = new RunStarts(options.parts);
  }

  get #parts(): EngineParts {
    return this.#options.parts;
  }

  // --- shards -------------------------------------------------------------------------------------------------------

  async load(shards: readonly number[]): Promise<{ readonly enter: () => void }> {
    const { store } = this.#parts;
    const [loaded, ended] = await Promise.all([
      store.loadWaits(workspaceId, shards),
      store.loadEndedWaits(shards),
    ]);
    const head = await store.logHead(workspaceId);
    return {
      enter: () => {
        const evaluator = new WaitEvaluator({
          parts: this.#parts,
          shards,
          loaded,
          head,
          prepare: (waits, recent) => this.#prepare(waits, recent),
          bringIn: (rows) => this.#bringIn(rows),
          deliver: (wait, position) => this.#deliver(wait, position),
          endOf: (wait, position) => this.#endOf(wait, position),
          onLeft: (row) => this.#onLeft(row),
          shapeSweepMs: this.#options.shapeSweepMs,
        });
        this.#evaluators.add(evaluator);
        evaluator.start();
        for (const run of ended) this.#options.recall(run);
      },
    };
  }

  drop(shards: ReadonlySet<number>): void {
    for (const evaluator of this.#evaluators) {
      evaluator.drop(shards);
      if (evaluator.shards.size === 0) this.#evaluators.delete(evaluator);
    }
  }

  stop(): void {
    this.#starts.stop();
    for (const evaluator of this.#evaluators) evaluator.stop();
    this.#evaluators.clear();
  }

  /** Whether a wait of this node's shards asks for events of this type. */
  wants(type: string): boolean {
    for (const evaluator of this.#evaluators) if (evaluator.wants(type)) return true;
    return false;
  }

  /** As that of triggers, of all waits of this node. */
  get toldTo(): number | undefined {
    const positions = [...this.#evaluators].map(({ toldTo }) => toldTo);
    return positions.length === 0 ? undefined : Math.min(...positions);
  }

  #evaluatorOf(shard: number): WaitEvaluator | undefined {
    for (const evaluator of this.#evaluators) if (evaluator.shards.has(shard)) return evaluator;
    return undefined;
  }

  /** Whether this run has a wait without a row: it can't leave memory. */
  isBeginning(runId: string): boolean {
    return this.#beginning.has(runId);
  }

  // --- what the run machine says ------------------------------------------------------------------------------------

  /** `isAgain`: the run was loaded, and may have a row of it. */
  begin(entry: RunEntry, taskRun: TaskRun, wait: OpenWait | undefined, isAgain: boolean): void {
    if (wait?.op.kind === "call") {
      if (wait.childRunId === undefined) this.#options.startCall(entry, taskRun, wait);
      return;
    }
    this.#count(entry, 1);
    if (!isAgain) {
      this.#beginFresh(entry, taskRun, wait);
      return;
    }
    const name = nameOf(rowName(entry, taskRun, wait ?? nodeWait));
    const row = entry.waits?.find((one) => nameOf(one) === name);
    if (!row) {
      this.#beginFresh(entry, taskRun, wait);
      return;
    }
    this.#settle(entry);
    // The machine is being stepped: it is told when that is over.
    const { end } = row;
    if (end)
      queueMicrotask(() => {
        if (this.#parts.runs.get(row.runId) === entry) this.#give(entry, row, end);
      });
  }

  end({ identity }: RunEntry, taskRun: TaskRun, wait: OpenWait | undefined): void {
    const { workspace, id, shard } = identity;
    const gone = {
      workspace,
      runId: id,
      node: taskRun.node.definition.id,
      item: taskRun.item,
      name: wait?.name,
      occurrence: wait?.occurrence,
    };
    this.#parts.commit.batch.waitsGone.push(gone);
    this.#parts.commit.request();
    this.#evaluatorOf(shard)?.forget(
      (row) =>
        row.runId === id &&
        row.node === gone.node &&
        row.item === gone.item &&
        (wait === undefined || (row.name === wait.name && row.occurrence === wait.occurrence)),
    );
  }

  #count({ identity: { id } }: RunEntry, sign: 1 | -1): void {
    const known = this.#beginning.get(id) ?? { open: 0, unplaced: 0 };
    known.open += sign;
    if (sign > 0) known.unplaced += 1;
    if (known.open > 0) this.#beginning.set(id, known);
    else this.#beginning.delete(id);
  }

  #notePlaced(entry: RunEntry): void {
    const known = this.#beginning.get(entry.identity.id);
    if (!known) return;
    known.unplaced -= 1;
    if (known.unplaced === 0) this.#parts.runs.onWaiting(entry);
  }

  /** No wait of it is without a row any more, but for others. */
  #settle(entry: RunEntry): void {
    const known = this.#beginning.get(entry.identity.id);
    if (known) known.unplaced -= 1;
    this.#count(entry, -1);
  }

  #beginFresh(entry: RunEntry, taskRun: TaskRun, wait: OpenWait | undefined): void {
    if (wait) return this.#place(entry, taskRun, wait, null);
    const { input } = taskRun.node.definition;
    const resolved = resolveTemplate(entry.run, taskRun.scope, input);
    if (resolved.kind === "value") return this.#place(entry, taskRun, undefined, resolved.value);
    void this.#parts.readiness.resolve(entry, taskRun, input).then(
      (value) => this.#place(entry, taskRun, undefined, value),
      (error: unknown) => this.#fail(entry, taskRun, nodeWait, error),
    );
    return undefined;
  }

  /** `input`: of a node, resolved. */
  #place(entry: RunEntry, taskRun: TaskRun, wait: OpenWait | undefined, input: Json): void {
    const { events, runs } = this.#parts;
    const { id } = entry.identity;
    const name = wait ?? nodeWait;
    const isWanted = (): boolean => runs.get(id) === entry && isOpen(taskRun, wait);
    if (!isWanted()) return this.#settle(entry);
    const evaluator = this.#evaluatorOf(entry.identity.shard);
    // The shard is on its way to another node, which begins it.
    if (!evaluator) return this.#settle(entry);
    const lookBack = this.#lookBackOf(entry, taskRun, wait);
    if (!lookBack) return this.#starts.ask(entry, () => this.#place(entry, taskRun, wait, input));
    try {
      const asked = approvalOf(taskRun, wait, input);
      const told = new ToldWait(this.#rowOf(entry, taskRun, wait, { asked, input }));
      const keys = told.program ? matchKeysOf(told.program) : { keys: [], shapes: [] };
      const joins = told.program && joinsOf(told.program.condition, lookBack);
      const withKeys = told.program ? new ToldWait({ ...told.row, ...joins, matchKeys: keys.keys }) : told;
      if (asked) events.emit([requestRow(entry, told.row, asked)]);
      evaluator.begin({
        told: withKeys,
        shapes: keys.shapes,
        lookBack,
        // By time it would hear what is on its way here and was recorded before.
        notBefore: lookBack.isByTime ? events.knownHead : 0,
        isWanted,
        onPlaced: () => {
          this.#wantProbes(withKeys);
          this.#notePlaced(entry);
        },
        onSettled: () => this.#count(entry, -1),
      });
    } catch (error) {
      this.#fail(entry, taskRun, name, error);
    }
    return undefined;
  }

  /** Absent: it is not known yet where the run began. */
  #lookBackOf(entry: RunEntry, taskRun: TaskRun, wait: OpenWait | undefined): LookBack | undefined {
    const known = lookBackOf(entry.run, taskRun, wait ?? nodeWait);
    if (known) return known;
    // Only time ends it: of the past it hears nothing.
    const isSleep = wait?.op.kind === "sleep" || wait?.op.kind === "sleep_until";
    return isSleep ? lookBackToStart(entry.run, undefined) : this.#starts.find(entry);
  }

  /** In the flush of its row: what it listens to is looked at. */
  #wantProbes({ program, row }: ToldWait): void {
    if (!program) return;
    for (const { name, args, token } of probesWithin(program.condition))
      this.#parts.probes.wanted(
        { name, args },
        token === undefined ? undefined : { token, after: row.joinsAfter },
      );
  }

  /** Its condition is none: the wait fails. */
  #fail(entry: RunEntry, taskRun: TaskRun, name: OperationName, error: unknown): void {
    const { runs } = this.#parts;
    this.#settle(entry);
    if (runs.get(entry.identity.id) !== entry) return;
    const outcome = { kind: "error" as const, error: asAttemptError(error) };
    runs.step(entry, {
      kind: "wait_ended",
      ...targetOf(taskRun),
      ...pick(name),
      outcome,
      position: undefined,
    });
  }

  #rowOf(
    entry: RunEntry,
    taskRun: TaskRun,
    wait: OpenWait | undefined,
    { asked, input }: { readonly asked: AskedApproval | undefined; readonly input: Json },
  ): WaitRow {
    const now = this.#parts.clock.now();
    const place = approvalPlace(entry.identity.id, taskRun, wait ?? nodeWait);
    const condition = waitConditionOf(place, wait, { asked, input });
    return {
      ...rowName(entry, taskRun, wait ?? nodeWait),
      id: this.#newId(),
      shard: entry.identity.shard,
      generation: taskRun.generation,
      condition: condition === undefined ? undefined : JSON.stringify(condition),
      state: undefined,
      beganAt: now,
      toldTo: 0,
      timeoutAt: waitTimeoutAt(taskRun, wait, now),
      dueAt: undefined,
      matchKeys: [],
      approval: asked as unknown as Json | undefined,
      end: undefined,
    };
  }

  /** Unique over nodes, which have their own numbers. */
  #newId(): number {
    this.#lastId += 1;
    return this.#parts.nodeId() * 2 ** 32 + this.#lastId;
  }

  // --- how waits end ------------------------------------------------------------------------------------------------

  /** Puts together what runs see of these ends: the events of their members. */
  async #prepare(waits: readonly ToldWait[], recent: RecentEntries): Promise<void> {
    const { store, values } = this.#parts;
    const wanted = new Set<number>();
    for (const wait of waits)
      for (const member of wait.firing()?.members ?? [])
        if (member.kind === "event") wanted.add(member.position);
    const held = recent.at(wanted);
    for (const { position } of held) wanted.delete(position);
    const read = wanted.size === 0 ? [] : await store.readEntries(workspaceId, [...wanted]);
    const events = new Map<number, FiredEvent>();
    for (const event of [...held, ...read]) {
      const { value } = await values.loaded(event.data);
      events.set(event.position, firedEvent(event, value ?? null));
    }
    for (const wait of waits) this.#outcomes.set(wait, await this.#outcomeOf(wait, events));
  }

  async #outcomeOf(wait: ToldWait, events: ReadonlyMap<number, FiredEvent>): Promise<OperationOutcome> {
    const { condition, approval, name } = wait.row;
    const isApproval = approval !== undefined;
    const kind = { isSleep: condition === undefined, isApproval, isNode: name === nodeWait.name };
    const ended = waitValue(wait, kind, (at) => events.get(at) ?? goneEvent(at));
    if (ended === "timeout") return { kind: "timeout" };
    const { values } = this.#parts;
    // An answer is small, and read by the run machine: never a blob.
    const value = isApproval ? { value: ended.value } : await values.loaded(await values.store(ended.value));
    return { kind: "value", value };
  }

  #endOf(wait: ToldWait, position: number): WaitEnd {
    const outcome = this.#outcomes.get(wait);
    if (!outcome) throw new Error("invariant broken: what a wait's end is made of was not read");
    return { position, outcome };
  }

  async #bringIn(rows: readonly WaitRow[]): Promise<void> {
    const away = rows.filter(({ runId }) => !this.#parts.runs.get(runId));
    if (away.length === 0) return;
    await this.#options.bringIn(away.map(({ workspace, runId: id, shard }) => ({ workspace, id, shard })));
  }

  #deliver(wait: ToldWait, position: number): boolean {
    const entry = this.#parts.runs.get(wait.row.runId);
    if (!entry) return false;
    this.#give(entry, wait.row, this.#endOf(wait, position));
    return true;
  }

  #give(entry: RunEntry, row: WaitRow, { outcome, position }: WaitEnd): void {
    const isRead = entry.run.graph.byId.get(row.node)?.structural ?? false;
    if (outcome.kind !== "value") return this.#tell(entry, row, { outcome, position });
    const { value } = outcome;
    // The machine reads this node's output itself.
    if (isRead && value.value === undefined) void this.#giveLoaded(entry, row, { value, position });
    else
      this.#tell(entry, row, {
        outcome: { kind: "value", value: isRead ? value : withoutContent(value) },
        position,
      });
    return undefined;
  }

  async #giveLoaded(
    entry: RunEntry,
    row: WaitRow,
    { value, position }: { readonly value: StoredValue; readonly position: number },
  ): Promise<void> {
    const { values, runs } = this.#parts;
    try {
      const loaded = await values.loaded(value);
      if (runs.get(row.runId) === entry)
        this.#tell(entry, row, { outcome: { kind: "value", value: loaded }, position });
    } catch (error) {
      runs.setAside(entry, error);
    }
  }

  #tell(entry: RunEntry, row: WaitRow, { outcome, position }: WaitEnd): void {
    const { commit, runs } = this.#parts;
    const { workspace, runId, node, item, generation, name, occurrence } = row;
    // The end of that generation took its row along; this one's may be in another shard, with a reader of its own.
    if (generation < entry.identity.generation) return;
    const gone = commit.batch.waitsGone.length;
    runs.step(entry, {
      kind: "wait_ended",
      node,
      item,
      generation,
      name,
      occurrence,
      outcome,
      position,
    });
    // One that its run does not wait for any more goes all the same.
    if (commit.batch.waitsGone.length > gone) return;
    commit.batch.waitsGone.push({ workspace, runId, node, item, name, occurrence });
    commit.request();
  }

  /** The end is in the row: its run takes it, wherever it is. */
  #onLeft(row: WaitRow): void {
    const { runs } = this.#parts;
    const { workspace, runId: id, shard } = row;
    const arriving = this.#options.arriving(id);
    if (arriving) void arriving.then(() => this.#onLeft(row));
    else if (runs.get(id)) void this.#takeEnds(id);
    else this.#options.recall({ workspace, id, shard });
  }

  /** It came into memory while the end was written. */
  async #takeEnds(runId: string): Promise<void> {
    const { store, runs, log, alarms, clock } = this.#parts;
    try {
      const rows = await store.loadWaitsOf(workspaceId, [runId]);
      const entry = runs.get(runId);
      for (const row of rows) if (entry && row.end) this.#give(entry, row, row.end);
    } catch (error) {
      log.warn({ err: error, run: runId }, "the end of a wait could not be read; trying again");
      alarms.set(clock.now() + 500, () => void this.#takeEnds(runId));
    }
  }
}

function isOpen(taskRun: TaskRun, wait: OpenWait | undefined): boolean {
  if (!wait) return taskRun.state === "waiting";
  return taskRun.code?.open.get(operationKey(wait)) === wait;
}

type RowName = Pick<WaitRow, "workspace" | "runId" | "node" | "item" | "name" | "occurrence">;

function rowName({ identity }: RunEntry, taskRun: TaskRun, name: OperationName): RowName {
  const { workspace, id: runId } = identity;
  return { workspace, runId, node: taskRun.node.definition.id, item: taskRun.item, ...pick(name) };
}

function nameOf({ runId, node, item, name, occurrence }: RowName): string {
  return JSON.stringify([runId, node, item, name, occurrence]);
}

function pick({ name, occurrence }: OperationName): OperationName {
  return { name, occurrence };
}

function targetOf(taskRun: TaskRun): {
  readonly node: string;
  readonly item: string;
  readonly generation: number;
} {
  return { node: taskRun.node.definition.id, item: taskRun.item, generation: taskRun.generation };
}

function asAttemptError(error: unknown): AttemptError {
  const code = errorCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return code === undefined ? { name: "Error", message } : { name: code, code, message };
}

function requestRow({ identity }: RunEntry, row: WaitRow, asked: AskedApproval): EventRow {
  const { workspace, pipeline, id } = identity;
  const request = approvalRequest(row, { asked, pipeline, timeoutAt: row.timeoutAt });
  return { ...request, extensions: causesOf(identity), workspace, dataText: undefined, runId: id };
}
