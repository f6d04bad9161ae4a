/**
 * What runs of a testbed wait for: conditions, spans, approvals. They are told the log as the server's evaluator tells it, by the
 * same functions of the core.
 *
 * W1: a wait is told everything from where it looks back to, once (J3 of the core); time only up to where all entries were told.
 * W2: a wait ends once, and its run is told so, unless it does not wait any more.
 */
import {
  approvalOf,
  approvalPlace,
  approvalRequest,
  ConditionWait,
  conditionEventOf,
  errorCodeOf,
  firedEvent,
  Heap,
  isTellable,
  lookBackOf,
  lookBackToStart,
  never,
  nodeWait,
  operationKey,
  resolveTemplate,
  TriggerIndex,
  waitConditionOf,
  waitTimeoutAt,
  waitValue,
  probesWithin,
  type AskedApproval,
  type AtomProbe,
  type EventDraft,
  type Json,
  type LookBack,
  type MillraceError,
  type OpenWait,
  type OperationOutcome,
  type RunMessage,
  type TaskRun,
} from "@millrace/core";
import type { EventBook } from "./event-book.ts";
import { withCauses } from "./run-causes.ts";
import type { RunEntry } from "./run-desk.ts";
import { instantMs } from "./trigger-watch.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface BedWait {
  readonly entry: RunEntry;
  readonly taskRun: TaskRun;
  /** Absent: of a wait node. */
  readonly wait: OpenWait | undefined;
  readonly told: ConditionWait;
  /** What a person is asked, where one ends it. */
  readonly asked: AskedApproval | undefined;
  readonly beganAt: number;
  readonly timeoutAt: number | undefined;
}

/** As the index files it. */
interface Filed {
  readonly program: ConditionWait["program"];
  readonly wait: BedWait;
}

export interface WaitDeskOptions {
  readonly log: EventBook;
  readonly time: VirtualTime;
  /** What is there already, for a wait that listens to this. */
  readonly present: (probe: AtomProbe, after: number) => readonly EventDraft[];
  readonly record: (events: readonly EventDraft[]) => void;
  /** Tells the run later: who ends a wait may stand within a step of its run. */
  readonly tellRun: (entry: RunEntry, message: RunMessage) => void;
}

export class WaitDesk {
  readonly #options: WaitDeskOptions;
  readonly #open = new Map<string, Filed>();
  readonly #index = new TriggerIndex<Filed>();
  readonly #dues = new Heap<{ readonly at: number; readonly filed: Filed }>((a, b) => a.at < b.at);
  #told = 0;

  constructor(options: WaitDeskOptions) {
    this.#options = options;
  }

  /** Those that have not ended, the oldest first. */
  *open(): Iterable<BedWait> {
    for (const { wait } of this.#open.values()) yield wait;
  }

  openOf(entry: RunEntry): BedWait[] {
    return [...this.open()].filter((wait) => wait.entry === entry);
  }

  begin(entry: RunEntry, taskRun: TaskRun, wait: OpenWait | undefined): void {
    if (!isWanted(taskRun, wait)) return;
    try {
      const filed = this.#file(entry, taskRun, wait);
      const { asked, timeoutAt } = filed.wait;
      const place = approvalPlace(entry.run.id, taskRun, wait ?? nodeWait);
      const pipeline = entry.pipeline.definition.name;
      if (asked)
        this.#options.record([withCauses(approvalRequest(place, { asked, pipeline, timeoutAt }), entry)]);
      const { after } = lookBack(filed.wait);
      const probes = filed.program ? probesWithin(filed.program.condition) : [];
      this.#options.record(probes.flatMap((probe) => this.#options.present(probe, after)));
      this.#lookBack(filed);
    } catch (error) {
      if (errorCodeOf(error) === undefined) throw error;
      const { code, message } = error as MillraceError;
      this.#tellEnd(entry, taskRun, wait, { kind: "error", error: { name: code, code, message } }, undefined);
    }
  }

  /** It does not wait for this any more; without `wait`: for nothing. */
  end(entry: RunEntry, taskRun: TaskRun, wait: OpenWait | undefined): void {
    for (const [key, filed] of this.#open) {
      const { wait: one } = filed;
      if (one.entry !== entry || one.taskRun !== taskRun) continue;
      if (wait === undefined || one.wait === wait) this.#drop(key, filed);
    }
  }

  /** Ends what else a run waits for: it has ended itself. */
  forget(entry: RunEntry): void {
    for (const [key, filed] of this.#open) if (filed.wait.entry === entry) this.#drop(key, filed);
  }

  #file(entry: RunEntry, taskRun: TaskRun, wait: OpenWait | undefined): Filed {
    const now = this.#options.time.now();
    const timeoutAt = waitTimeoutAt(taskRun, wait, now);
    const input = wait ? null : nodeInput(entry, taskRun);
    const asked = approvalOf(taskRun, wait, input);
    const place = approvalPlace(entry.run.id, taskRun, wait ?? nodeWait);
    const told = new ConditionWait({
      condition: waitConditionOf(place, wait, { asked, input }),
      beganAt: now,
      timeoutAt,
      identity: `${entry.run.id}/${taskRun.node.definition.id}/${taskRun.item}`,
      toldTo: 0,
    });
    const filed = {
      program: told.program,
      wait: { entry, taskRun, wait, told, asked, beganAt: now, timeoutAt },
    };
    this.#open.set(keyOf(filed.wait), filed);
    this.#index.add(filed);
    return filed;
  }

  #drop(key: string, filed: Filed): void {
    this.#open.delete(key);
    this.#index.remove(filed);
  }

  #lookBack(filed: Filed): void {
    const { told } = filed.wait;
    const { after, since } = lookBack(filed.wait);
    const { log } = this.#options;
    for (let position = after + 1; position <= log.position && !told.ended; position += 1) {
      const event = log.at(position)!;
      if (event.recordedAt >= since && isTellable(event))
        told.tell(conditionEventOf(event, event.data.value ?? null), true);
    }
    told.noteTold(log.position);
    this.#settle(filed);
  }

  // --- what it is told ----------------------------------------------------------------------------------------------

  /** Tells the entries that were not told yet; true when there were any. */
  work(): boolean {
    const { log } = this.#options;
    if (this.#told === log.position) return false;
    while (this.#told < log.position) {
      this.#told += 1;
      const entry = log.at(this.#told)!;
      if (this.#open.size === 0 || !isTellable(entry) || !this.#index.wants(entry.type)) continue;
      const event = conditionEventOf(entry, entry.data.value ?? null);
      for (const filed of new Set([...this.#index.matching(event)].map(({ trigger }) => trigger))) {
        filed.wait.told.tell(event);
        this.#settle(filed);
      }
    }
    return true;
  }

  nextDue(): number | undefined {
    for (let first = this.#dues.first(); first; first = this.#dues.first()) {
      const { filed, at } = first;
      if (this.#open.get(keyOf(filed.wait)) === filed && filed.wait.told.dueAt === at) return at;
      this.#dues.pop();
    }
    return undefined;
  }

  /** Tells that it is `at` now, and that all entries up to it were told. */
  tellTime(at: number): void {
    const before = at + instantMs;
    this.#options.log.close(before);
    for (let due = this.nextDue(); due !== undefined && due < before; due = this.nextDue()) {
      const { filed } = this.#dues.pop()!;
      filed.wait.told.tellTime(before);
      this.#settle(filed);
    }
  }

  /** Notes when it is due, or ends it. */
  #settle(filed: Filed): void {
    const { told, entry, taskRun, wait, asked } = filed.wait;
    if (!told.ended) {
      const at = told.dueAt;
      if (at !== undefined && at !== never) this.#dues.push({ at, filed });
      return;
    }
    this.#drop(keyOf(filed.wait), filed);
    const kind = {
      isApproval: asked !== undefined,
      isNode: wait === undefined,
      isSleep: wait?.op.kind === "sleep" || wait?.op.kind === "sleep_until",
    };
    const ended = waitValue(told, kind, (position) => {
      const event = this.#options.log.at(position)!;
      return firedEvent(event, event.data.value ?? null);
    });
    const outcome: OperationOutcome =
      ended === "timeout" ? { kind: "timeout" } : { kind: "value", value: { value: ended.value } };
    this.#tellEnd(entry, taskRun, wait, outcome, this.#heardTo(told));
  }

  /** Up to where a wait that has ended heard the log: the next one of its name hears what follows. */
  #heardTo({ toldTo, overAt }: ConditionWait): number {
    if (overAt === undefined) return toldTo;
    const { log } = this.#options;
    let { position } = log;
    while (position > toldTo && log.at(position)!.recordedAt > overAt) position -= 1;
    return position;
  }

  #tellEnd(
    entry: RunEntry,
    taskRun: TaskRun,
    wait: OpenWait | undefined,
    outcome: OperationOutcome,
    position: number | undefined,
  ): void {
    const { name, occurrence } = wait ?? nodeWait;
    const { node, item, generation } = taskRun;
    this.#options.tellRun(entry, {
      kind: "wait_ended",
      node: node.definition.id,
      item,
      generation,
      name,
      occurrence,
      outcome,
      position,
    });
  }
}

function lookBack({ entry, taskRun, wait }: Pick<BedWait, "entry" | "taskRun" | "wait">): LookBack {
  const known = lookBackOf(entry.run, taskRun, wait ?? nodeWait);
  return known ?? lookBackToStart(entry.run, entry.logPosition);
}

function isWanted(taskRun: TaskRun, wait: OpenWait | undefined): boolean {
  if (!wait) return taskRun.state === "waiting";
  return taskRun.code?.open.get(operationKey(wait)) === wait;
}

function nodeInput({ run }: RunEntry, taskRun: TaskRun): Json {
  const resolved = resolveTemplate(run, taskRun.scope, taskRun.node.definition.input);
  if (resolved.kind === "value") return resolved.value;
  throw new Error("invariant broken: a testbed keeps all values in memory");
}

function keyOf({ entry, taskRun, wait }: Pick<BedWait, "entry" | "taskRun" | "wait">): string {
  const { node, item } = taskRun;
  return JSON.stringify([entry.run.id, node.definition.id, item, operationKey(wait ?? nodeWait)]);
}
