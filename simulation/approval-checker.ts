/**
 * Judges approvals by the durable log.
 *
 * A1: whoever is asked is asked in the log, once.
 * A2: an approval has one answer, which is one that somebody gave; who was told that it counts gave that one.
 * A3: a run sees exactly the answer, if the log took it by the wait's time, and else that nobody answered; a rejection has become
 *     what its node says.
 */
import {
  answerEventId,
  approvalAnswered,
  approvalId,
  approvalRequested,
  isEndState,
  readAnswer,
  requestEventId,
  type ApprovalAnswer,
  type EventDraft,
  type EventOutcome,
  type Json,
  type LogEvent,
  type OperationOutcome,
  type StoredValue,
  type WaitOptions,
} from "@millrace/core";
import type { FlushBatch, TaskRunRow, WaitRow } from "@millrace/store";
import type { MemoryTables } from "@millrace/testkit";
import type { DefinitionsBook } from "./definitions-book.ts";
import type { GenerationChecker } from "./generation-checker.ts";
import type { Journal } from "./journal.ts";

export interface ApprovalCheckerOptions {
  readonly tables: MemoryTables;
  readonly journal: Journal;
  readonly book: DefinitionsBook;
  readonly generations: GenerationChecker;
  readonly blobs: ReadonlyMap<string, string>;
}

type NodeEnd = Pick<TaskRunRow, "state" | "reason" | "output">;

const nodesName = { name: "", occurrence: 1 };

export class ApprovalChecker {
  readonly #options: ApprovalCheckerOptions;
  /** By their ids. */
  readonly #waits = new Map<string, WaitRow>();
  readonly #codeEnds = new Map<string, OperationOutcome>();
  readonly #nodeEnds = new Map<string, { readonly end: NodeEnd; readonly wait: WaitOptions }>();
  /** Texts of the answers that people gave, by the ids of their events. */
  readonly #given = new Map<string, Set<string>>();
  readonly #told = new Map<string, string>();

  constructor(options: ApprovalCheckerOptions) {
    this.#options = options;
  }

  onFlush(batch: FlushBatch): void {
    const { journal } = this.#options;
    for (const wait of batch.waits) {
      if (wait.approval === undefined) continue;
      journal.count("approvals asked for");
      this.#waits.set(approvalId(wait), wait);
    }
    for (const row of batch.steps)
      if (row.kind === "wait" && this.#waits.has(approvalId(row)))
        this.#codeEnds.set(approvalId(row), row.outcome);
    for (const row of batch.taskRuns) this.#noteNode(row);
  }

  #noteNode(row: TaskRunRow): void {
    const { book, generations } = this.#options;
    const id = approvalId({ ...row, ...nodesName });
    const asked = this.#waits.get(id);
    if (!asked || !isEndState(row.state) || row.carried) return;
    const { bundle, pipeline } = generations.placeOf(row.runId, row.generation);
    const { wait } = book.node(bundle, pipeline, row.node);
    if (wait?.approval) this.#nodeEnds.set(id, { end: row, wait });
  }

  // --- people -------------------------------------------------------------------------------------------------------

  given({ id, data }: EventDraft): void {
    const texts = this.#given.get(id) ?? new Set();
    this.#given.set(id, texts.add(JSON.stringify(data.value)));
  }

  answered({ id, data }: EventDraft, outcome: EventOutcome): void {
    this.#options.journal.count(`approvals answered: ${outcome.kind}`);
    if (outcome.kind !== "recorded" && outcome.kind !== "duplicate") return;
    const text = JSON.stringify(data.value);
    const before = this.#told.get(id);
    if (before !== undefined && before !== text)
      this.#violate("A2 one answer counts", `${id}: ${before} and ${text}`);
    this.#told.set(id, text);
  }

  #violate(rule: string, detail: string): void {
    this.#options.journal.violate(rule, detail);
  }

  // --- the end ------------------------------------------------------------------------------------------------------

  checkEnd(): void {
    const entries = this.#options.tables.logs.get(1)?.entries ?? [];
    const ofType = (type: string): Map<string, LogEvent> =>
      new Map(entries.filter((entry) => entry.type === type).map((entry) => [entry.id, entry]));
    const requests = ofType(approvalRequested);
    const answers = ofType(approvalAnswered);
    for (const id of this.#waits.keys())
      if (!requests.has(requestEventId(id))) this.#violate("A1 who is asked is asked in the log", id);
    for (const { id, data } of answers.values()) {
      const text = JSON.stringify(this.#load(data));
      if (!this.#given.get(id)?.has(text))
        this.#violate("A2 an answer is one that was given", `${id}: ${text}`);
    }
    for (const [id, text] of this.#told)
      if (JSON.stringify(this.#load(answers.get(id)?.data ?? { value: null })) !== text)
        this.#violate("A2 one answer counts", `${id}: ${text} was told to count`);
    for (const [id, outcome] of this.#codeEnds) {
      const expected = this.#expected(id, answers);
      const found = outcome.kind === "value" ? this.#load(outcome.value) : outcome.kind;
      this.#compare(id, found, expected ? (expected as unknown as Json) : "timeout");
    }
    for (const [id, { end, wait }] of this.#nodeEnds)
      this.#checkNode(id, end, wait, this.#expected(id, answers));
  }

  /** The answer that its run is to see; nothing: none came in time. */
  #expected(id: string, answers: ReadonlyMap<string, LogEvent>): ApprovalAnswer | undefined {
    const entry = answers.get(answerEventId(id));
    const { timeoutAt } = this.#waits.get(id)!;
    if (!entry || (timeoutAt !== undefined && entry.recordedAt > timeoutAt)) return undefined;
    const data = this.#load(entry.data);
    return { ...readAnswer({ data } as never), at: new Date(entry.recordedAt).toISOString() };
  }

  #checkNode(
    id: string,
    { state, reason, output }: NodeEnd,
    wait: WaitOptions,
    answer: ApprovalAnswer | undefined,
  ): void {
    const { journal } = this.#options;
    const isOutside = reason !== undefined && !reason.code.startsWith("MILLRACE_");
    if (state === "cancelled" || isOutside) return journal.count("approvals ended otherwise");
    const found = `${state} ${reason?.code ?? ""}`;
    const how = answer ? wait.approval!.onReject : wait.onTimeout;
    const code = answer ? "MILLRACE_APPROVAL_REJECTED" : "MILLRACE_WAIT_TIMEOUT";
    const goesOn = answer?.approved === true || how === "continue";
    journal.count(
      `approvals of nodes: ${answer ? (answer.approved ? "approved" : "rejected") : "nobody answered"}`,
    );
    if (!goesOn) return this.#compare(id, found, `${how === "skip" ? "skipped" : "failed"} ${code}`);
    this.#compare(id, found, "succeeded ");
    const nobody = { approved: false, by: null, at: null, note: null, form: null, timedOut: true };
    this.#compare(id, output ? this.#load(output) : null, answer ? { ...answer, timedOut: false } : nobody);
  }

  #compare(id: string, found: Json, expected: Json): void {
    if (JSON.stringify(found) === JSON.stringify(expected)) return;
    this.#violate(
      "A3 a run sees the answer",
      `${id}: ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`,
    );
  }

  #load(stored: StoredValue): Json {
    if (stored.blob === undefined) return stored.value;
    return JSON.parse(this.#options.blobs.get(stored.blob) ?? "null") as Json;
  }
}
