/**
 * What functions were told of their records and what they really ran, judged against what is durable.
 *
 * C23: a step that was said to be recorded does not run again in its generation, and comes with each later dispatch. That it
 *      failed counts for its attempt: the next one runs it again.
 * C24: what a dispatch is told of records grows only, and never changes, but for steps that failed in an earlier attempt. One that
 *      was given up and begins all the same, or goes on, is told nothing new: what it does counts for nothing.
 * C27: what was committed of a step stays: a value for the generation, a failure for its attempt.
 */
import { tokenKey, type Dispatch, type DispatchToken, type StepName, type Steps } from "@millrace/protocol";
import type { FlushBatch, StepRow } from "@millrace/store";
import { keyOf, type MemoryTables } from "@millrace/testkit";
import type { Journal } from "./journal.ts";

interface Told {
  readonly text: string;
  /** Of a failed step: the attempt that it counts for. */
  readonly failedIn: number | undefined;
}

export class StepLedger {
  readonly #tables: MemoryTables;
  readonly #journal: Journal;
  /** By task run and generation: what was told, by kind and name. */
  readonly #records = new Map<string, Map<string, Told>>();
  /** By task run and generation: the last dispatch that began. */
  readonly #newest = new Map<string, number>();
  /** What is committed, by the rows' keys. */
  readonly #committed = new Map<string, StepRow>();

  constructor(tables: MemoryTables, journal: Journal) {
    this.#tables = tables;
    this.#journal = journal;
  }

  onFlush(batch: FlushBatch): void {
    for (const { workspace, runId, node, item, generation, kind, name, occurrence } of batch.steps) {
      const key = keyOf(workspace, runId, node, item, generation, kind, name, occurrence);
      const before = this.#committed.get(key);
      const now = this.#tables.steps.get(key);
      if (now) this.#committed.set(key, now);
      if (!before) continue;
      const mayChange =
        kind === "step" && before.outcome.kind === "error" && now && now.attempt > before.attempt;
      if (mayChange) this.#journal.count("code: failed steps that ran again");
      else if (textOf(before) !== (now && textOf(now)))
        this.#journal.violate(
          "C27 what is committed of a step stays",
          `${kind} ${name} of ${runId}/${node}/${item}: ${textOf(before)}, now ${now && textOf(now)}`,
        );
    }
  }

  /** A dispatch begins, with what it is told. */
  resumed({ token, attempt, records = [] }: Dispatch): void {
    const key = taskRunKey(token);
    if (this.#isOld(token)) {
      this.#journal.count("attempts begun after a later one");
      return;
    }
    this.#newest.set(key, token.dispatch);
    const known = this.#records.get(key) ?? new Map<string, Told>();
    const told = new Map(
      records.map(({ kind, name, outcome }): [string, Told] => [
        `${kind} ${name}`,
        {
          text: JSON.stringify(outcome),
          failedIn: kind === "step" && outcome.kind === "error" ? attempt : undefined,
        },
      ]),
    );
    for (const [name, { text, failedIn }] of known) {
      const isOver = failedIn !== undefined && failedIn < attempt;
      const now = told.get(name)?.text;
      if (isOver ? now === text : now !== text)
        this.#violate(
          token,
          isOver ? `${name} failed in attempt ${failedIn} alone` : `${name} was ${text}, is ${now}`,
        );
    }
    if (records.some(({ seq }, at) => at > 0 && seq <= records[at - 1]!.seq))
      this.#violate(token, "they are out of order");
    this.#records.set(key, told);
  }

  #violate(token: DispatchToken, detail: string): void {
    this.#journal.violate("C24 records grow only", `${tokenKey(token)}: ${detail}`);
  }

  #isOld(token: DispatchToken): boolean {
    return token.dispatch < (this.#newest.get(taskRunKey(token)) ?? 0);
  }

  stepRun({ token, attempt }: Dispatch, { name }: StepName): void {
    this.#journal.note(`step ${name} of ${tokenKey(token)}`);
    const known = this.#records.get(taskRunKey(token))?.get(`step ${name}`);
    if (this.#isOld(token) || !known || (known.failedIn !== undefined && known.failedIn < attempt)) return;
    this.#journal.violate("C23 a recorded step does not run again", `${tokenKey(token)}: ${name}`);
  }

  stepRecorded(token: DispatchToken, { name, outcome }: Steps["steps"][number]): void {
    const known = this.#records.get(taskRunKey(token));
    // Of two dispatches that ran it one counts: which, the next dispatch says.
    const row = this.#tables.steps.get(
      keyOf(1, token.runId, token.node, token.item, token.generation, "step", name, 1),
    );
    if (!row) this.#journal.violate("C23 a step is recorded before it is said to be", tokenKey(token));
    else if (textOf(row) === JSON.stringify(outcome))
      known?.set(`step ${name}`, {
        text: textOf(row),
        failedIn: outcome.kind === "error" ? row.attempt : undefined,
      });
  }
}

function textOf({ outcome }: { readonly outcome: object }): string {
  return JSON.stringify(outcome);
}

function taskRunKey({ runId, node, item, generation }: DispatchToken): string {
  return `${runId}/${node}/${item}/${generation}`;
}
