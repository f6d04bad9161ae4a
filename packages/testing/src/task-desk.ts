/**
 * The attempts of a testbed. Each calls its function at once; what a task *takes* passes by the virtual clock.
 *
 * T1: an attempt answers once: by its function, its timeout, or a cancel.
 * T2: the virtual clock does not move while a function runs: who moves it waits for `quiet`.
 */
import {
  holderOf,
  MillraceError,
  taskRunsBelow,
  type EventDraft,
  type Json,
  type Run,
  type StepRecord,
  type TaskRun,
} from "@millrace/core";
import { partitionLabel } from "@millrace/protocol";
import type { LocalRecord, RunAttempt } from "@millrace/worker/attempt";
import { Attempt, type AttemptEnd, type Emitted, type FinishedStep } from "./attempt.ts";
import type { Definitions } from "./definitions.ts";
import type { DispatchId } from "./dispatch-id.ts";
import type { RunEntry } from "./run-desk.ts";
import type { Beginning, ControlledTask } from "./task-control.ts";
import type { Alarm, VirtualTime } from "./virtual-time.ts";

export interface TaskDeskOptions {
  readonly definitions: Definitions;
  readonly time: VirtualTime;
  /** How a connection is to be read: a URL or the text of a JSON object. */
  readonly connections: { readonly [name: string]: string };
  /** How long a function may run in real time before it counts as hanging, in ms. */
  readonly hangMs: number;
  readonly control: (task: string) => ControlledTask;
  readonly emitNow: (dispatched: Dispatched, event: EventDraft) => void;
  /** Tells the run of a step that finished. */
  readonly recordStep: (dispatched: Dispatched, step: FinishedStep, emitted: Emitted) => void;
}

export interface Dispatched {
  readonly entry: RunEntry;
  readonly taskRun: TaskRun;
  readonly input: Json;
  readonly name: DispatchId;
  /** What earlier dispatches of the generation have recorded. */
  readonly records: readonly StepRecord[];
}

interface UnderWay {
  readonly dispatched: Dispatched;
  readonly attempt: Attempt;
  readonly answer: (outcome: AttemptEnd) => void;
  readonly alarms: Alarm[];
  /** The function has returned; the attempt takes its time. */
  outcome?: AttemptEnd;
  timer?: ReturnType<typeof setTimeout>;
}

/** What ignores `ctx.signal` is given up after this long. */
const stopGraceMs = 100;

export class TaskDesk {
  readonly #options: TaskDeskOptions;
  readonly #underWay = new Map<string, UnderWay>();
  /** Functions that have not returned. */
  readonly #running = new Set<UnderWay>();
  readonly #attempts = new WeakMap<TaskRun, Attempt[]>();
  /** What was said of the attempt that began last, of tasks that wait in code. */
  readonly #begun = new WeakMap<TaskRun, { readonly attempt: number; readonly beginning: Beginning }>();
  /** Outcomes that nobody was told of yet, in the order of their coming. */
  readonly #answers: (() => void)[] = [];
  #wake: (() => void) | undefined;
  #returned = 0;
  #ownTimers = 0;

  constructor(options: TaskDeskOptions) {
    this.#options = options;
  }

  attemptsOf(taskRun: TaskRun): readonly Attempt[] {
    return this.#attempts.get(taskRun) ?? [];
  }

  /** What a later generation of a run keeps has the attempts that it had. */
  carry(from: Run, to: Run): void {
    const nameOf = ({ node, item }: TaskRun): string => `${node.definition.id}\n${item}`;
    const known = new Map([...taskRunsBelow(from.root)].map((taskRun) => [nameOf(taskRun), taskRun]));
    for (const taskRun of taskRunsBelow(to.root)) {
      const before = taskRun.carried ? known.get(nameOf(taskRun)) : undefined;
      if (before) this.#attempts.set(taskRun, [...this.attemptsOf(before)]);
    }
  }

  begin(dispatched: Dispatched, answer: (outcome: AttemptEnd) => void): void {
    const { taskRun, entry, input, name } = dispatched;
    const { definitions, emitNow, recordStep } = this.#options;
    const { behaviour, takesMs } = this.#beginningOf(dispatched);
    const attempt = new Attempt({
      project: definitions.project,
      run: this.#runAttempt(dispatched),
      input: JSON.parse(JSON.stringify(input)) as Json,
      params: paramsOf(entry),
      firedMembers: entry.firedMembers,
      behaviour,
      emitNow: (event) => emitNow(dispatched, event),
      recordStep: (step, emitted, recorded) => {
        this.#answers.push(() => {
          recordStep(dispatched, step, emitted);
          recorded();
        });
        this.#wake?.();
      },
      isIdle: this.#idleness(),
    });
    const attempts = this.#attempts.get(taskRun);
    if (attempts) attempts.push(attempt);
    else this.#attempts.set(taskRun, [attempt]);
    const underWay: UnderWay = { dispatched, attempt, answer, alarms: [] };
    this.#underWay.set(keyOf(name), underWay);
    this.#takeTime(underWay, takesMs);
    if (behaviour?.kind !== "hangs") this.#call(underWay, takesMs > 0);
  }

  /** An attempt that goes on after a wait is the one that began before it. */
  #beginningOf({ taskRun, entry, input }: Dispatched): Beginning {
    const { attempt, item, node } = taskRun;
    const begun = this.#begun.get(taskRun);
    if (begun?.attempt === attempt) return { ...begun.beginning, takesMs: 0 };
    const beginning = this.#options.control(node.definition.name).begin({
      input,
      run: entry.run.id,
      pipeline: entry.pipeline.definition.name,
      node: node.definition.id,
      item,
      attempt,
      at: new Date(this.#options.time.now()),
    });
    this.#begun.set(taskRun, { attempt, beginning });
    return beginning;
  }

  /** Whether nothing is open in this process beyond what is now, but for what this desk itself has. */
  #idleness(): () => boolean {
    const before = this.#foreignResources();
    return () => this.#foreignResources() <= before;
  }

  #foreignResources(): number {
    const open = process
      .getActiveResourcesInfo()
      .filter((kind) => kind !== "Immediate" && kind !== "CloseReq");
    return open.length - this.#ownTimers;
  }

  #call(underWay: UnderWay, takesTime: boolean): void {
    this.#running.add(underWay);
    const returned = (outcome: AttemptEnd): void => {
      if (!this.#running.delete(underWay)) return;
      if (underWay.timer !== undefined) this.#ownTimers -= 1;
      clearTimeout(underWay.timer);
      this.#returned += 1;
      if (takesTime && !underWay.attempt.stopped) underWay.outcome = outcome;
      else this.#answers.push(() => this.#end(underWay, outcome));
      this.#wake?.();
    };
    void underWay.attempt.start().then(returned);
    this.#boundInRealTime(underWay, returned);
  }

  /** A function that waits in earnest is stopped as a worker stops it: by its timeout, in real time. */
  #boundInRealTime(underWay: UnderWay, returned: (outcome: AttemptEnd) => void): void {
    const { timeoutMs } = underWay.dispatched.taskRun.node.definition.options;
    if (timeoutMs === undefined || timeoutMs >= this.#options.hangMs) return;
    this.#ownTimers += 1;
    underWay.timer = setTimeout(() => {
      underWay.attempt.timeOut(timeoutMs);
      underWay.timer = setTimeout(() => returned(underWay.attempt.stopped!), stopGraceMs);
    }, timeoutMs);
  }

  /** What takes longer than its timeout ends by that. */
  #takeTime(underWay: UnderWay, takesMs: number): void {
    const { time } = this.#options;
    const { timeoutMs } = underWay.dispatched.taskRun.node.definition.options;
    const stop = (): void => {
      underWay.attempt.timeOut(timeoutMs!);
      this.#endStopped(underWay);
    };
    if (timeoutMs !== undefined && timeoutMs < takesMs)
      underWay.alarms.push(time.set(time.now() + timeoutMs, stop));
    else if (takesMs > 0 && takesMs !== Number.POSITIVE_INFINITY)
      underWay.alarms.push(time.set(time.now() + takesMs, () => this.#end(underWay, underWay.outcome!)));
  }

  cancel(name: DispatchId, reason: string): void {
    const underWay = this.#underWay.get(keyOf(name));
    if (!underWay) return;
    underWay.attempt.cancel(reason);
    // Its run has asked for it, and is told later.
    this.#answers.push(() => this.#endStopped(underWay));
  }

  /** A function that has not returned answers when it does. */
  #endStopped(underWay: UnderWay): void {
    const { stopped } = underWay.attempt;
    if (stopped && !this.#running.has(underWay)) this.#end(underWay, stopped);
  }

  #end(underWay: UnderWay, outcome: AttemptEnd): void {
    const key = keyOf(underWay.dispatched.name);
    if (this.#underWay.get(key) !== underWay) return;
    this.#underWay.delete(key);
    for (const alarm of underWay.alarms) alarm.cancel();
    underWay.answer(outcome);
  }

  /** Tells what has come in meanwhile; true when there was any. */
  work(): boolean {
    if (this.#answers.length === 0) return false;
    for (const answer of this.#answers.splice(0)) answer();
    return true;
  }

  get isQuiet(): boolean {
    return this.#running.size === 0 && this.#answers.length === 0;
  }

  /** Resolves when a function has returned. Throws MILLRACE_TEST_HANGS when none does for long. */
  async nextAnswer(): Promise<void> {
    if (this.#answers.length > 0 || this.#running.size === 0) return;
    const { hangMs } = this.#options;
    await new Promise<void>((resolve, reject) => {
      let seen = this.#returned;
      this.#ownTimers += 1;
      const watch = setInterval(() => {
        if (seen === this.#returned) {
          done();
          reject(this.#hanging());
        }
        seen = this.#returned;
      }, hangMs);
      const done = (): void => {
        clearInterval(watch);
        this.#ownTimers -= 1;
        this.#wake = undefined;
      };
      this.#wake = () => {
        done();
        resolve();
      };
    });
  }

  #hanging(): MillraceError {
    const [first] = this.#running;
    const { entry, taskRun, input } = first!.dispatched;
    const { id } = taskRun.node.definition;
    const pipeline = entry.pipeline.definition.name;
    const item = taskRun.item === "" ? "" : `[${taskRun.item}]`;
    const given = (JSON.stringify(input) ?? "").slice(0, 200);
    const others =
      this.#running.size === 1 ? "" : ` ${this.#running.size - 1} more have not returned either.`;
    return new MillraceError("MILLRACE_TEST_HANGS", {
      message: `"${id}${item}" of pipeline "${pipeline}" (run ${entry.run.id}, attempt ${taskRun.attempt}) has not returned for ${this.#options.hangMs} ms of real time; its input was ${given}.${others}`,
      advice: `The virtual clock stands still while a function runs, and so does the testbed: what waits for real time, another system or a call of the testbed itself must come back, or be replaced: \`t.task("${taskRun.node.definition.name}").returns(…)\`. For a task that never answers: \`.hangs()\`. A longer wait: \`testbed(pipelines, { hang: "1m" })\`.`,
      fields: { pipeline, node: id, item: taskRun.item, run: entry.run.id },
    });
  }

  #runAttempt({ entry, taskRun, input, name, records }: Dispatched): RunAttempt {
    const { connections } = taskRun.node.definition.options;
    const own = records.map(localRecord);
    const partition = entry.labels[partitionLabel];
    return {
      kind: "run",
      id: 1,
      runId: name.runId,
      pipeline: entry.pipeline.definition.name,
      node: name.node,
      item: name.item,
      generation: name.generation,
      attempt: taskRun.attempt,
      dispatch: name.dispatch,
      idempotencyKey: holderOf(name.runId, taskRun),
      input: { value: input },
      env: {},
      connections: Object.fromEntries(
        connections.map((one) => [one, this.#options.connections[one] ?? null]),
      ),
      ...(own.length > 0 ? { records: own } : {}),
      ...(partition === undefined ? {} : { partition }),
    };
  }
}

function keyOf({ runId, node, item, generation, dispatch }: DispatchId): string {
  return `${runId}/${node}/${item}/${generation}/${dispatch}`;
}

function localRecord({ seq, kind, name, occurrence, outcome }: StepRecord): LocalRecord {
  const own =
    outcome.kind === "value"
      ? { kind: "value" as const, value: { value: outcome.value.value ?? null } }
      : outcome;
  return { seq, kind, name, occurrence, outcome: own };
}

/** As a worker is given them: what a run without parameters has is not. */
function paramsOf({ run, pipeline }: RunEntry): Json | undefined {
  const { value = null } = run.params;
  const isEmpty = value !== null && typeof value === "object" && Object.keys(value).length === 0;
  return pipeline.definition.params === undefined && isEmpty ? undefined : value;
}
