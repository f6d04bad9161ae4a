/**
 * Judges every commit.
 *
 * C4: only the owner of a shard, unfenced, commits anything about it.
 * C5: task runs move along edges of the machine: generation and dispatch never go back, what ended stays ended, and a
 *     dispatch that is replaced left an attempt.
 * C6: what is granted of a limit never exceeds its slots.
 * C7: what runs holds its limits.
 * C8: a message that is taken has had its effect.
 * C14: trouble with the database is no task's failure.
 * C23: each run that ends with success, of which a condition asks for that, is told so once, in the flush that ends it.
 */
import { isEndState, isRunEnded, runSucceeded, type RunMessage, type TaskRunState } from "@millrace/core";
import { activeRunsKey, limitShard } from "@millrace/server";
import type { EventRow, FlushBatch, LiveRun, TaskRunRow } from "@millrace/store";
import { keyOf, type MemoryTables } from "@millrace/testkit";
import { tokenKey } from "@millrace/protocol";
import type { Journal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import type { DefinitionsBook } from "./definitions-book.ts";
import type { GenerationChecker } from "./generation-checker.ts";

interface Shadow {
  readonly generation: number;
  readonly dispatch: number;
  readonly attempt: number;
  readonly state: TaskRunState;
}

export interface FlushCheckerOptions {
  readonly tables: MemoryTables;
  readonly journal: Journal;
  readonly book: DefinitionsBook;
  readonly ledger: Ledger;
  readonly generations: GenerationChecker;
}

export class FlushChecker {
  readonly #tables: MemoryTables;
  readonly #journal: Journal;
  readonly #book: DefinitionsBook;
  readonly #ledger: Ledger;
  readonly #generations: GenerationChecker;
  readonly #taskRuns = new Map<string, Shadow>();
  /** What the rows of the flush that is judged were before it. */
  readonly #before = new Map<string, Shadow | undefined>();
  readonly #shards = new Map<string, number>();
  readonly #attempts = new Map<string, Set<number>>();
  readonly #inbox = new Map<number, { shard: number; message: unknown }>();
  /** Cancels as committed, by run and generation: history does not keep them. */
  readonly cancels = new Map<string, LiveRun["cancel"]>();
  /** Limits whose slots an operator lowered: what was out may stay. */
  readonly loweredLimits = new Set<string>();
  /** Task runs and runs that ended, so far. */
  endings = 0;

  constructor({ tables, journal, book, ledger, generations }: FlushCheckerOptions) {
    this.#ledger = ledger;
    this.#tables = tables;
    this.#journal = journal;
    this.#book = book;
    this.#generations = generations;
  }

  onFlush(nodeId: number, number: number, batch: FlushBatch): void {
    this.#journal.count("flushes");
    this.endings += batch.runsEnded.length + batch.taskRuns.filter(({ state }) => isEndState(state)).length;
    if (this.#tables.nodes.get(nodeId)?.fenced)
      this.#journal.violate("C4 fencing holds", `node ${nodeId} flushed ${number}`);
    for (const run of batch.runsCreated) {
      this.#shards.set(run.id, run.shard);
      this.#journal.note(
        `node ${nodeId} flush ${number}: run ${run.id} of ${run.pipeline} made ${run.state} in shard ${run.shard}, generation ${run.generation} with ${run.bundle}`,
      );
      this.#generations.created(run, batch.taskRuns);
    }
    this.#before.clear();
    for (const row of batch.taskRuns) this.#taskRun(nodeId, row);
    for (const row of batch.attempts) this.#attempt(row);
    for (const row of batch.taskRuns) this.#checkAttempts(row);
    for (const run of batch.runsChanged) this.#run(nodeId, run);
    for (const run of batch.runsEnded) this.#ended(nodeId, run);
    this.#told(nodeId, batch);
    for (const id of batch.messagesTaken) this.#taken(nodeId, id);
    for (const { shard, message } of batch.messagesSent)
      this.#journal.note(`node ${nodeId} sends to ${shard} ${JSON.stringify(message).slice(0, 200)}`);
    this.#limits(nodeId, batch);
    this.#checkAwake(batch);
    this.#rememberInbox();
  }

  #owned(nodeId: number, shard: number | undefined, what: string): void {
    if (shard === undefined || this.#tables.shards[shard]?.nodeId === nodeId) return;
    const owner = this.#tables.shards[shard]?.nodeId;
    this.#journal.violate(
      "C4 only the owner commits",
      `node ${nodeId} committed ${what} of shard ${shard}, which is ${owner}'s`,
    );
  }

  #taskRun(nodeId: number, row: TaskRunRow): void {
    const name = `${row.runId}/${row.node}/${row.item}`;
    this.#owned(nodeId, this.#shards.get(row.runId), name);
    this.#journal.count(`task run ${row.state}`);
    this.#journal.note(
      `node ${nodeId}: ${name} ${row.state} ${row.generation}.${row.attempt}.${row.dispatch}${row.revoked ? " revoked" : ""}`,
    );
    if (row.error?.message.includes("Connection terminated"))
      this.#journal.violate(
        "C14 trouble of ours is no task's failure",
        `${name} ${row.state}: ${row.error.message}`,
      );
    const before = this.#taskRuns.get(name);
    this.#before.set(name, before);
    this.#taskRuns.set(name, row);
    if (!before || row.generation > before.generation) return;
    const wrong = (why: string): void =>
      this.#journal.violate(
        "C5 edges of the machine",
        `${name}: ${why}: ${JSON.stringify(before)} to ${row.state} ${row.attempt}.${row.dispatch}`,
      );
    if (row.generation < before.generation) wrong("an earlier generation");
    if (row.dispatch < before.dispatch) wrong("an earlier dispatch");
    if (row.attempt < before.attempt) wrong("an earlier attempt");
    if (isEndState(before.state) && row.state !== before.state) wrong("it had ended");
  }

  #attempt(row: FlushBatch["attempts"][number]): void {
    const name = `${row.runId}/${row.node}/${row.item}/${row.generation}`;
    const known = this.#attempts.get(name) ?? new Set();
    if (known.has(row.dispatch))
      this.#journal.violate("C5 an attempt ends once", `${name} dispatch ${row.dispatch}`);
    known.add(row.dispatch);
    this.#attempts.set(name, known);
    if (row.state === "failed" && this.#ledger.wasReturned({ ...row }))
      this.#journal.violate("C20 what is returned is no attempt", `${name} dispatch ${row.dispatch} failed`);
    this.#journal.count(`attempt recorded: ${row.state}`);
  }

  #checkAttempts(row: TaskRunRow): void {
    const name = `${row.runId}/${row.node}/${row.item}/${row.generation}`;
    const known = this.#attempts.get(name);
    const expected =
      isEndState(row.state) || row.state === "running" || row.state === "waiting"
        ? row.dispatch - 1
        : row.dispatch;
    for (let dispatch = 1; dispatch <= expected; dispatch += 1) {
      if (known?.has(dispatch)) continue;
      // A retry or loss may be decided as ended at once, with its last dispatch in the row itself.
      if (isEndState(row.state) && dispatch === row.dispatch) continue;
      // Given back before anybody began it.
      if (!this.#ledger.inputs.has(tokenKey({ ...row, dispatch }))) continue;
      this.#journal.violate(
        "C5 no attempt is lost",
        `${name} is ${row.state} in dispatch ${row.dispatch}; ${dispatch} left no trace`,
      );
    }
  }

  #run(nodeId: number, run: FlushBatch["runsChanged"][number]): void {
    this.#owned(nodeId, this.#shards.get(run.id), run.id);
    this.#journal.note(`node ${nodeId}: run ${run.id} ${run.state}${run.cancel ? " with a cancel" : ""}`);
    const generation = this.#tables.runs.get(keyOf(1, run.id))?.generation;
    if (run.cancel && generation !== undefined) {
      this.cancels.set(keyOf(run.id, generation), structuredClone(run.cancel));
      if (run.cancel.by === "user") this.#generations.cancelled(run.id, generation);
    }
    if (run.state === "quarantined") this.#journal.count("runs quarantined");
    if (run.wakeAt !== undefined) this.#evicted(run.id, run.wakeAt);
  }

  /** Everything that it waits for has a row (J8). */
  #hasWaits({ runId, node, item }: FlushBatch["taskRuns"][number]): boolean {
    const rows = [...this.#tables.waits.values()].filter(
      (wait) => wait.runId === runId && wait.node === node && wait.item === item,
    );
    const open = this.#tables.codes.get(keyOf(1, runId, node, item))?.code.open;
    if (!open) return rows.length > 0;
    return open.every(
      ({ name, occurrence, childRunId }) =>
        childRunId !== undefined || rows.some((wait) => wait.name === name && wait.occurrence === occurrence),
    );
  }

  #evicted(runId: string, wakeAt: number): void {
    this.#journal.count("runs put out of memory");
    for (const row of this.#tables.taskRuns.get(keyOf(1, runId))?.values() ?? []) {
      const isWoken =
        isEndState(row.state) ||
        (row.state === "waiting" && (row.childRunId !== undefined || this.#hasWaits(row))) ||
        (row.state === "retrying" && row.resumeAt !== undefined && row.resumeAt >= wakeAt);
      if (!isWoken)
        this.#journal.violate(
          "C15 what leaves memory only waits",
          `${runId} wakes at ${wakeAt}: ${row.node}[${row.item}] is ${row.state}, due ${row.resumeAt}`,
        );
    }
  }

  /** A run that was stepped is in memory, and its row says so with the same flush. */
  #checkAwake(batch: FlushBatch): void {
    for (const { runId } of batch.taskRuns) {
      const run = this.#tables.runs.get(keyOf(1, runId));
      if (run?.wakeAt !== undefined && !batch.runsChanged.some(({ id }) => id === runId))
        this.#journal.violate(
          "C15 what leaves memory only waits",
          `${runId} was stepped while its row says that it waits`,
        );
    }
  }

  #ended(nodeId: number, run: FlushBatch["runsEnded"][number]): void {
    this.#owned(nodeId, this.#shards.get(run.id), run.id);
    this.#journal.count(`run ${run.state}`);
    this.#journal.note(`node ${nodeId}: run ${run.id} ended ${run.state}`);
    if (run.state === "cancelled") this.#cancelledWhileQueued(run.id);
    if (!isRunEnded(run.state))
      this.#journal.violate("C5 edges of the machine", `${run.id} ended ${run.state}`);
  }

  /** By the flush that ends it, into the log or to its owner: what came from other nodes names no run any more. */
  #told(nodeId: number, { events, messagesSent, runsEnded }: FlushBatch): void {
    const sent = messagesSent.flatMap(({ message }) => {
      const { kind, events: inner } = message as unknown as { kind: string; events?: EventRow[] };
      return kind === "events" ? (inner ?? []) : [];
    });
    const told = [...events, ...sent].flatMap(({ type, runId }) =>
      type === runSucceeded && runId !== undefined ? [runId] : [],
    );
    const ended = runsEnded.flatMap(({ id, state }) => (state === "succeeded" ? [id] : []));
    this.#journal.count("successes told", told.length);
    if (told.toSorted().join() === ended.toSorted().join()) return;
    this.#journal.violate(
      "C23 a success is told in its flush",
      `node ${nodeId} ended ${ended.join(", ")} and told ${told.join(", ")}`,
    );
  }

  /** Its row never said that it is cancelled; only a person cancels a run that nobody called. */
  #cancelledWhileQueued(runId: string): void {
    const ended = [...this.#tables.runHistory.values()].filter(({ id }) => id === runId);
    const last = ended.reduce((a, b) => (b.generation > a.generation ? b : a));
    if (last.startedAt === undefined && last.parent === undefined)
      this.#generations.cancelled(runId, last.generation);
  }

  #rememberInbox(): void {
    for (const [id, row] of this.#tables.inbox) if (!this.#inbox.has(id)) this.#inbox.set(id, row);
  }

  /** Rows of the inbox that came outside of any flush. */
  noteInbox(): void {
    this.#rememberInbox();
  }

  #taken(nodeId: number, id: number): void {
    this.#journal.count("messages taken");
    const row = this.#inbox.get(id);
    this.#inbox.delete(id);
    if (!row) return;
    this.#owned(nodeId, row.shard, `the taking of message ${id}`);
    this.#journal.note(`node ${nodeId} takes ${JSON.stringify(row.message).slice(0, 200)}`);
    const content = row.message as {
      kind: string;
      runId?: string;
      generation?: number;
      message?: RunMessage;
    };
    this.#journal.count(`message: ${content.kind === "run" ? content.message?.kind : content.kind}`);
    if (content.kind !== "run" || !content.message || content.runId === undefined) return;
    const generation = this.#tables.runs.get(keyOf(1, content.runId))?.generation;
    if ((content.generation ?? generation) !== generation) return;
    this.#effect(content.runId, content.message, id);
  }

  #effect(runId: string, message: RunMessage, id: number): void {
    const run = this.#tables.runs.get(keyOf(1, runId));
    if (!run || run.state === "quarantined") return;
    const wrong = (why: string): void =>
      this.#journal.violate(
        "C8 a message has its effect",
        `${message.kind} for ${runId} was taken (message ${id}), ${why}`,
      );
    if (message.kind === "cancel" && run.state !== "queued" && !run.cancel) wrong("and it is not cancelled");
    if (message.kind === "cancel" && run.state === "queued") wrong("and it is still queued");
    if (message.kind === "child_ended" || message.kind === "result" || message.kind === "lost") {
      const { node, item, generation, dispatch } = message.token;
      const taskRun = this.#tables.taskRuns.get(keyOf(1, runId))?.get(keyOf(node, item));
      // A dispatch that is as new as this flush may have been decided after the message was heard.
      const name = `${runId}/${node}/${item}`;
      const before = this.#before.has(name) ? this.#before.get(name) : this.#taskRuns.get(name);
      const isCurrent = taskRun && isOf(taskRun, generation, dispatch) && isOf(before, generation, dispatch);
      // A call's; what a function waits for ends otherwise.
      const isCalling = taskRun?.state === "waiting" && message.kind === "child_ended";
      if (isCurrent && (taskRun.state === "running" || isCalling))
        wrong(`and ${node}[${item}] is still ${taskRun.state}`);
    }
  }

  #limits(nodeId: number, batch: FlushBatch): void {
    for (const row of [...batch.grants, ...batch.requests, ...batch.limits])
      this.#owned(nodeId, row.shard, `limit ${row.name}`);
    for (const row of [...batch.grantsGone, ...batch.requestsGone])
      this.#owned(nodeId, limitShard(row), `limit ${row.name}`);
    for (const row of batch.grants)
      this.#journal.note(`node ${nodeId}: ${row.kind} ${row.name} granted to ${row.holder}`);
    for (const row of batch.grantsGone)
      this.#journal.note(`node ${nodeId}: ${row.kind} ${row.name} back from ${row.holder}`);
    for (const row of batch.requests)
      this.#journal.note(`node ${nodeId}: ${row.kind} ${row.name} wanted by ${row.holder}`);
    if (batch.grants.length + batch.grantsGone.length > 0) this.#checkSlots(batch);
    if (batch.taskRuns.length + batch.grantsGone.length + batch.runsChanged.length > 0)
      this.#checkHolders(batch);
  }

  #checkSlots(batch: FlushBatch): void {
    for (const key of new Set(batch.grants.map((row) => keyOf(row.workspace, row.kind, row.name)))) {
      const held = [...this.#tables.grants.values()].filter(
        (row) => keyOf(row.workspace, row.kind, row.name) === key,
      );
      const used = held.reduce((sum, row) => sum + row.slots, 0);
      const slots = this.#book.slotsMax(key);
      if (slots !== undefined && used > slots && !this.loweredLimits.has(key))
        this.#journal.violate(
          "C6 limits never overshoot",
          `${key.replaceAll("\n", "/")} has ${used} of ${slots} slots out: ${held.map((row) => row.holder).join(", ")}`,
        );
    }
  }

  /** Of runs that this flush touched. */
  #checkHolders(batch: FlushBatch): void {
    const runIds = new Set([
      ...batch.taskRuns.map((row) => row.runId),
      ...batch.grantsGone.map((row) => row.holder.split("/")[0]!),
      ...batch.runsChanged.map((row) => row.id),
      ...batch.runsCreated.map((row) => row.id),
    ]);
    for (const runId of runIds) {
      const run = this.#tables.runs.get(keyOf(1, runId));
      if (!run || (run.state !== "running" && run.state !== "waiting")) continue;
      const definition = this.#book.definition(run.bundle, run.pipeline);
      const hasGrant = (kind: string, holder: string, name?: string): boolean =>
        name === undefined
          ? [...this.#tables.grants.values()].some((row) => row.kind === kind && holds(row.holder, holder))
          : [...this.#tables.grants.values()].some(
              (row) => row.kind === kind && row.name === name && holds(row.holder, holder),
            );
      // One that is moved keeps the slot that it began with as long as it is where there is a limit, and takes none later.
      const bundles = this.#generations.bundlesOf(runId, run.generation);
      if (
        bundles.every((bundle) => this.#book.definition(bundle, run.pipeline).maxActiveRuns !== undefined) &&
        !hasGrant("pipeline", `${runId}/${run.generation}`, activeRunsKey(1, run.pipeline).name)
      )
        this.#journal.violate(
          "C7 what runs holds its limits",
          `${runId} runs without a grant of its pipeline ${run.pipeline}`,
        );
      for (const row of this.#tables.taskRuns.get(keyOf(1, runId))?.values() ?? []) {
        if (row.state !== "running") continue;
        const { options } = definition.nodes.find(({ id }) => id === row.node)!;
        const holder = `${runId}/${row.node}/${row.item}/${row.generation}`;
        if (options.pool && !hasGrant("pool", holder, options.pool.name))
          this.#journal.violate(
            "C7 what runs holds its limits",
            `${holder} runs without pool ${options.pool.name}`,
          );
        if (options.concurrency && !hasGrant("key", holder))
          this.#journal.violate(
            "C7 what runs holds its limits",
            `${holder} runs without its concurrency key`,
          );
      }
    }
  }
}

function isOf(row: Shadow | undefined, generation: number, dispatch: number): boolean {
  return row !== undefined && row.generation === generation && row.dispatch === dispatch;
}

function holds(holder: string, name: string): boolean {
  return holder === name || holder.startsWith(`${name}/`);
}
