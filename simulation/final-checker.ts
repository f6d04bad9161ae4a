/**
 * Judges what is durable once faults have stopped and everything had time to end.
 *
 * C9: every run that was accepted has ended, and nothing of it is left in live tables.
 * C10: a run's history is what the machine allows: rebuilt from its rows there is nothing left to decide, and it has the
 *      same outcome.
 * C11: what a task run recorded is what an execution of that very dispatch reported.
 */
import { decide, hydrateRun, isEndState, type Json, type StoredValue } from "@millrace/core";
import { tokenKey, type AttemptOutcome } from "@millrace/protocol";
import { newestRows } from "@millrace/server";
import type { TaskRunRow } from "@millrace/store";
import { keyOf, type EndedRun, type MemoryTables } from "@millrace/testkit";
import type { DefinitionsBook } from "./definitions-book.ts";
import type { FlushChecker } from "./flush-checker.ts";
import type { GenerationChecker } from "./generation-checker.ts";
import type { Journal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";

export interface Evidence {
  readonly tables: MemoryTables;
  readonly journal: Journal;
  readonly book: DefinitionsBook;
  readonly generations: GenerationChecker;
  readonly ledger: Ledger;
  readonly flushes: FlushChecker;
  readonly blobs: ReadonlyMap<string, string>;
  /** Runs whose making was answered. */
  readonly accepted: ReadonlySet<string>;
}

export function checkEnd(evidence: Evidence): void {
  checkLeftovers(evidence);
  const rows = Map.groupBy(evidence.tables.taskRunHistory.values(), (row) => row.runId);
  const ended = new Set<string>();
  const generations = new Set<string>();
  for (const run of evidence.tables.runHistory.values()) {
    const name = keyOf(run.id, run.generation);
    if (generations.has(name)) evidence.journal.violate("C9 a generation ends once", name);
    generations.add(name);
    ended.add(run.id);
    const newestFirst = (rows.get(run.id) ?? []).toSorted((a, b) => b.generation - a.generation);
    checkOutcome(evidence, run, newestRows(newestFirst, run.generation));
  }
  for (const id of evidence.accepted) {
    if (!ended.has(id) && !evidence.tables.runs.has(keyOf(1, id)))
      evidence.journal.violate("C9 no accepted run is lost", id);
  }
}

function checkLeftovers({ tables, journal }: Evidence): void {
  const isSetAside = (runId: string): boolean => tables.runs.get(keyOf(1, runId))?.state === "quarantined";
  for (const run of tables.runs.values()) {
    if (run.state !== "quarantined")
      journal.violate(
        "C9 every run ends",
        `${run.id} of ${run.pipeline} is ${run.state}: ${describeOpen(tables, run.id)}`,
      );
  }
  for (const run of tables.taskRuns.keys()) {
    if (!tables.runs.has(run)) journal.violate("C9 nothing is left", `task runs of ${run}`);
  }
  for (const row of tables.grants.values())
    if (!isSetAside(row.runId))
      journal.violate("C9 no slot leaks", `${row.kind} ${row.name} is held by ${row.holder}`);
    else
      journal.violate("C9 no slot leaks", `${row.kind} ${row.name} is held by the quarantined ${row.holder}`);
  for (const row of tables.requests.values())
    journal.violate("C9 no request is left", `${row.kind} ${row.name} is wanted by ${row.holder}`);
  for (const row of tables.inbox.values())
    journal.violate("C9 no message is left", JSON.stringify(row).slice(0, 300));
  for (const row of tables.offers.values()) journal.violate("C9 no offer is left", JSON.stringify(row));
}

function describeOpen(tables: MemoryTables, runId: string): string {
  const open = [...(tables.taskRuns.get(keyOf(1, runId))?.values() ?? [])].filter(
    (row) => !isEndState(row.state),
  );
  return open
    .map(
      (row) =>
        `${row.node}[${row.item}] ${row.state} ${row.attempt}.${row.dispatch} child ${row.childRunId ?? "-"}`,
    )
    .join("; ");
}

function checkOutcome(evidence: Evidence, run: EndedRun, rows: readonly TaskRunRow[]): void {
  const { journal, book, flushes } = evidence;
  const graph = book.graph(run.bundle, run.pipeline);
  for (const row of rows) {
    if (!isEndState(row.state))
      journal.violate("C10 history is of what ended", `${run.id}/${row.node}/${row.item} is ${row.state}`);
    if (row.generation === run.generation) checkRecorded(evidence, run, row);
  }
  // A person moved it to history as it stood.
  if (run.reason?.code === "MILLRACE_RUN_QUARANTINED") return;
  if (run.startedAt === undefined) {
    if (run.state !== "cancelled" && run.state !== "superseded")
      journal.violate("C10 the machine allows it", `${run.id} ended ${run.state} without a start`);
    return;
  }
  // A cancel that ended its run at once is in no row but the reason.
  const isCancelled = run.state === "cancelled" || run.reason?.code === "MILLRACE_RUN_DEADLINE";
  const by = run.state === "failed" ? ("deadline" as const) : ("user" as const);
  const cancel =
    flushes.cancels.get(keyOf(run.id, run.generation)) ??
    (isCancelled && run.reason ? { by, reason: run.reason, force: false } : undefined);
  const loaded = rows.map((row) => ({ ...row, output: row.output && load(evidence, row.output) }));
  const params = load(evidence, run.params);
  const rebuilt = hydrateRun(
    graph,
    {
      ...run,
      params,
      state: "running",
      reason: undefined,
      endedAt: undefined,
      output: undefined,
      cancel: cancel && { ...cancel },
    },
    loaded,
  );
  const { effects } = decide(rebuilt, { kind: "resume" }, run.endedAt);
  const open = effects.filter((effect) => ["ready", "call", "wait"].includes(effect.kind));
  if (open.length > 0 || rebuilt.state !== run.state)
    journal.violate(
      "C10 the machine allows it",
      `${run.id} of ${run.pipeline}, generation ${run.generation}, ended ${run.state} (${run.reason?.message ?? ""}); its rows say ${rebuilt.state}${cancel ? ", it was cancelled" : ""}, ${open.length} could begin`,
    );
  else if (
    JSON.stringify(rebuilt.output && textOf(evidence, rebuilt.output)) !==
    JSON.stringify(run.output && textOf(evidence, run.output))
  )
    journal.violate("C10 the machine allows it", `${run.id} has another output than its rows give`);
}

function checkRecorded(evidence: Evidence, run: EndedRun, row: TaskRunRow): void {
  const { journal, ledger, book, generations, tables, blobs } = evidence;
  const name = `${row.runId}/${row.node}/${row.item} of ${row.generation}`;
  if (row.dispatch === 0 || row.reason?.code === "cached" || row.reason?.code === "marked") return;
  if (!book.graph(run.bundle, run.pipeline).byId.has(row.node))
    return journal.violate(
      "C10 the machine allows it",
      `${name} is a task run of a node that ${run.pipeline} does not have`,
    );
  // That with which it ended, if the run was moved since.
  const bundle = generations.bundleOf(row) ?? run.bundle;
  const { kind } = book.node(bundle, run.pipeline, row.node);
  if (kind === "call") return checkCall({ journal, tables }, row);
  // What ends a wait is judged by the log (`wait-checker.ts`).
  if (kind === "wait") return undefined;
  const outcomes = ledger.outcomes.get(tokenKey({ ...row, runId: row.runId })) ?? [];
  if (row.state === "succeeded") {
    const text = textOf({ blobs }, row.output!);
    const isReported = outcomes.some(
      (outcome) => outcome.kind === "succeeded" && textOf({ blobs }, outcome.output) === text,
    );
    if (!isReported)
      journal.violate(
        "C11 what is recorded was reported",
        `${name} dispatch ${row.dispatch} succeeded; reported: ${kindsOf(outcomes)}`,
      );
  }
  if (row.state === "skipped" && !outcomes.some(({ kind }) => kind === "skipped"))
    journal.violate(
      "C11 what is recorded was reported",
      `${name} was skipped by its task; reported: ${kindsOf(outcomes)}`,
    );
}

function checkCall({ journal, tables }: Pick<Evidence, "journal" | "tables">, row: TaskRunRow): void {
  if (row.state !== "succeeded") return;
  const child = [...tables.runHistory.values()].find(
    ({ id, generation }) => id === row.childRunId && generation === 1,
  );
  if (child?.state !== "succeeded")
    journal.violate(
      "C11 what is recorded was reported",
      `the call ${row.runId}/${row.node}/${row.item} succeeded, its child ${row.childRunId} is ${child?.state}`,
    );
}

function kindsOf(outcomes: readonly AttemptOutcome[]): string {
  return outcomes.map(({ kind }) => kind).join(", ") || "nothing";
}

function load({ blobs }: Pick<Evidence, "blobs">, stored: StoredValue): StoredValue {
  if (stored.blob === undefined) return stored;
  return { ...stored, value: JSON.parse(blobs.get(stored.blob) ?? "null") as Json };
}

function textOf(evidence: Pick<Evidence, "blobs">, stored: StoredValue): string {
  return JSON.stringify(load(evidence, stored).value ?? null);
}
