/**
 * What left the servers and what workers really did, judged against what was durable at that moment.
 *
 * C1: a dispatch leaves for a worker only when its row is committed as running (or further).
 * C2: a result is acknowledged only when what it caused is committed, or its token is out of date.
 * C3: one token never runs twice at once.
 * C19: a worker that drains gets nothing that was not its own when the server heard of it.
 * C20: what was sent ahead and returned never runs under its token, and is no attempt.
 */
import { isEndState, type Json } from "@millrace/core";
import {
  tokenKey,
  type AttemptOutcome,
  type Dispatch,
  type DispatchToken,
  type ServerMessage,
} from "@millrace/protocol";
import type { ConnectedWorker } from "@millrace/server";
import { keyOf, type MemoryTables } from "@millrace/testkit";
import type { GenerationChecker } from "./generation-checker.ts";
import type { Journal } from "./journal.ts";
import { isLook, isLookToken } from "./looks.ts";
import type { ProbeChecker } from "./probe-checker.ts";

export interface LedgerOptions {
  readonly tables: MemoryTables;
  readonly journal: Journal;
  readonly generations: GenerationChecker;
  readonly probes: ProbeChecker;
}

export class Ledger {
  readonly #tables: MemoryTables;
  readonly #journal: Journal;
  readonly #generations: GenerationChecker;
  readonly #probes: ProbeChecker;
  readonly #active = new Map<string, string>();
  /** What draining workers may be sent, by worker. */
  readonly #draining = new Map<string, Set<string>>();
  readonly #returned = new Set<string>();
  /** Outcomes with which a token's executions ended. */
  readonly outcomes = new Map<string, AttemptOutcome[]>();
  readonly inputs = new Map<string, Dispatch["input"]>();

  constructor({ tables, journal, generations, probes }: LedgerOptions) {
    this.#tables = tables;
    this.#journal = journal;
    this.#generations = generations;
    this.#probes = probes;
  }

  sent(workerId: string, message: ServerMessage): void {
    if (message.kind === "dispatches") {
      for (const dispatch of message.dispatches) {
        const key = tokenKey(dispatch.token);
        this.#journal.note(`dispatch ${key} to ${workerId}${dispatch.ahead ? ", ahead" : ""}`);
        if (isLook(dispatch)) this.#probes.sent(dispatch.token);
        else {
          this.#checkDispatch(dispatch.token);
          this.#generations.dispatched(dispatch);
        }
        if (this.#draining.get(workerId)?.has(key) === false)
          this.#journal.violate("C19 who drains gets nothing new", `${key} to ${workerId}`);
      }
    } else if (message.kind === "ack") {
      for (const token of message.tokens) this.#checkAck(token);
    } else if (message.kind === "cancel")
      this.#journal.note(`cancel ${tokenKey(message.token)} on ${workerId}`);
  }

  /** A server has heard that a worker drains: what it has decided to give it by now may still come. */
  draining(workerId: string, worker: ConnectedWorker): void {
    this.#journal.count("a server hears that a worker drains");
    const known = this.#draining.get(workerId) ?? new Set();
    this.#draining.set(workerId, known);
    for (const [key, { claimedAt }] of worker.busy) if (claimedAt === undefined) known.add(key);
  }

  /** A worker gives back what it has not begun. */
  returned(token: DispatchToken): void {
    const key = tokenKey(token);
    this.#returned.add(key);
    this.#journal.count("sent ahead: returned");
    this.#journal.note(`returned ${key}`);
    if (this.inputs.has(key))
      this.#journal.violate("C20 what is returned was not begun", `${key} was begun and returned`);
  }

  wasReturned(token: DispatchToken): boolean {
    return this.#returned.has(tokenKey(token));
  }

  #row(token: DispatchToken): { generation: number; dispatch: number; state: string } | undefined {
    return this.#tables.taskRuns.get(keyOf(1, token.runId))?.get(keyOf(token.node, token.item));
  }

  /** A later generation may have nothing of this node. */
  #isPast({ runId, generation }: DispatchToken): boolean {
    return (this.#tables.runs.get(keyOf(1, runId))?.generation ?? 0) > generation;
  }

  #isLive(runId: string): boolean {
    return this.#tables.runs.has(keyOf(1, runId));
  }

  #checkDispatch(token: DispatchToken): void {
    this.#journal.count("dispatches sent");
    const row = this.#row(token);
    if (!row && !this.#isLive(token.runId)) {
      // It may have ended since; then it is in history.
      if ([...this.#tables.runHistory.values()].some((run) => run.id === token.runId)) return;
    }
    // Its number counts dispatches, so it was committed as running, whatever it is now.
    const isCommitted =
      row &&
      (row.generation > token.generation ||
        (row.generation === token.generation && row.dispatch >= token.dispatch));
    if (!isCommitted && !this.#isPast(token))
      this.#journal.violate(
        "C1 no dispatch before its commit",
        `${tokenKey(token)} has the row ${JSON.stringify(row)}`,
      );
  }

  #checkAck(token: DispatchToken): void {
    this.#journal.count("results acknowledged");
    const row = this.#row(token);
    if (!this.#isLive(token.runId) || !row) return;
    const isOpen =
      row.generation === token.generation && row.dispatch === token.dispatch && row.state === "running";
    if (!isOpen || this.#isQuarantined(token.runId)) return;
    const key = tokenKey(token);
    const inInbox = [...this.#tables.inbox.values()].some(({ message }) => messageToken(message) === key);
    if (!inInbox) this.#journal.violate("C2 no acknowledgement before its commit", `${key} is still running`);
  }

  #isQuarantined(runId: string): boolean {
    return this.#tables.runs.get(keyOf(1, runId))?.state === "quarantined";
  }

  /** False when the worker must not run it: it is running elsewhere under the same token. */
  begin(workerId: string, dispatch: Dispatch): boolean {
    const key = tokenKey(dispatch.token);
    this.#journal.note(`begin ${key} on ${workerId}`);
    if (this.#returned.has(key))
      this.#journal.violate("C20 what was returned does not run", `${key} began on ${workerId}`);
    const elsewhere = this.#active.get(key);
    if (elsewhere !== undefined) {
      this.#journal.violate(
        "C3 one execution of a token",
        `${key} began on ${workerId} while ${elsewhere} ran it`,
      );
      return false;
    }
    this.#active.set(key, workerId);
    this.inputs.set(key, dispatch.input);
    this.#journal.count("attempts begun");
    return true;
  }

  end(token: DispatchToken, outcome: AttemptOutcome): void {
    const key = tokenKey(token);
    this.#active.delete(key);
    this.#journal.note(`end ${key}: ${outcome.kind}`);
    if (isLookToken(token)) return this.#probes.ended(token, outcome);
    this.#journal.count(`attempt ended: ${outcome.kind}`);
    const known = this.outcomes.get(key) ?? [];
    known.push(outcome);
    this.outcomes.set(key, known);
  }

  abort(token: DispatchToken, why: string): void {
    this.#active.delete(tokenKey(token));
    this.#journal.note(`abort ${tokenKey(token)}: ${why}`);
    this.#journal.count("attempts aborted");
  }
}

export function messageToken(message: Json): string | undefined {
  const content = message as { runId?: string; message?: { token?: DispatchToken } };
  const token = content.message?.token;
  return token && content.runId !== undefined ? tokenKey({ ...token, runId: content.runId }) : undefined;
}

export function isSettled(state: string): boolean {
  return isEndState(state as never);
}
