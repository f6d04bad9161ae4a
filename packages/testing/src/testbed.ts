/**
 * A testbed: pipelines in the test's own process, on virtual time. Log, triggers, runs and limits are in memory; the pure
 * core decides, as it does in the server.
 *
 * B1: one thing at a time: what is asked for waits for what was asked before.
 * B2: what a test awaits has happened whole: everything that follows without time passing is over.
 */
import {
  givenEntry,
  MillraceError,
  triggerChanged,
  triggerPaused,
  triggerResumed,
  type Duration,
  type EventDraft,
  type Json,
  type LogEvent,
} from "@millrace/core";
import type { Branch, Pipeline, Probe, ShortCircuit, Task, Webhook } from "@millrace/sdk";
import { Definitions } from "./definitions.ts";
import { EventBook } from "./event-book.ts";
import { explain, type TestExplanation } from "./explanation.ts";
import { FiringDesk } from "./firing-desk.ts";
import { assetJudge, draftOf, recordIn, requireEntry, type GivenEvent } from "./given-event.ts";
import { outboxEvent } from "./own-event.ts";
import { LimitBook } from "./limit-book.ts";
import { ProbeDesk, type ProbeControl } from "./probe-desk.ts";
import { withCauses } from "./run-causes.ts";
import type { RerunOptions } from "./next-generation.ts";
import { RunCommands, type MarkOptions, type NodeOptions } from "./run-commands.ts";
import { RunDesk, type RunEntry } from "./run-desk.ts";
import { seededRandom } from "./seeded-random.ts";
import { ControlledTask, type TaskControl } from "./task-control.ts";
import { TaskDesk } from "./task-desk.ts";
import { answerTo, approvalOf, requireAsked, type TestAnswer, type TestApproval } from "./test-approval.ts";
import { firingOf, testEvent, type TestEvent, type TestFiring } from "./test-firing.ts";
import { catchUpOf, foreseenFirings, type ForeseenFiring } from "./test-resume.ts";
import { RunView, type TestRun } from "./test-run.ts";
import { instantMs, TriggerWatch, type BedTrigger } from "./trigger-watch.ts";
import {
  requireOptions,
  type ResumeOptions,
  type StartArguments,
  type StartOptions,
  type TestbedOptions,
  type TestClock,
  type TestReceipt,
  type Unfinished,
} from "./testbed-options.ts";
import { unfinishedError, waitsFor } from "./unfinished.ts";
import { earliest, readInstant, readSpan, VirtualTime } from "./virtual-time.ts";
import { WaitDesk } from "./wait-desk.ts";
import { WebhookDesk, type GivenDelivery, type TestDeliveryAnswer } from "./webhook-desk.ts";

/** A pipeline, by itself or by its name. */
type PipelineName = string | { readonly name: string };

/**
 * Makes a testbed of pipelines: a list of them, or what a file exports. Throws what a deploy of them would be refused for.
 *
 * @example
 * const t = await testbed({ dailyReport }, { now: "2026-01-31T05:00:00Z" });
 * await t.advance("1d");
 * assert.equal(t.runs.length, 1);
 */
// oxlint-disable-next-line typescript/require-await -- what it throws is the promise's
export async function testbed(pipelines: object, options: TestbedOptions = {}): Promise<Testbed> {
  return new Testbed(pipelines, options);
}

export class Testbed {
  readonly clock: TestClock;
  readonly #definitions: Definitions;
  readonly #time: VirtualTime;
  readonly #log: EventBook;
  readonly #tasks: TaskDesk;
  readonly #runs: RunDesk;
  readonly #desk: FiringDesk;
  readonly #triggers: TriggerWatch;
  readonly #commands: RunCommands;
  readonly #webhooks: WebhookDesk;
  readonly #waits: WaitDesk;
  readonly #probes: ProbeDesk;
  readonly #controls = new Map<string, ControlledTask>();
  readonly #views = new WeakMap<RunEntry, TestRun>();
  #turn: Promise<unknown> = Promise.resolve();
  #events = 0;

  constructor(pipelines: object, options: TestbedOptions) {
    const { now = Date.UTC(2026, 0, 1), config = {}, seed = 1, hang = "5s" } = requireOptions(options);
    const { connections = {}, secrets = {} } = options;
    this.#definitions = new Definitions(pipelines, config);
    const time = new VirtualTime(readInstant(now, "The testbed's `now`"));
    this.#time = time;
    this.#log = new EventBook(time, this.#definitions.project.definition.eventTypes ?? []);
    this.#tasks = new TaskDesk({
      definitions: this.#definitions,
      time,
      connections,
      hangMs: readSpan(hang, "The testbed's `hang`"),
      control: (task) => this.#control(task),
      emitNow: ({ entry }, event) => {
        const given = givenEntry(event, assetJudge(this.#definitions.project, time.now()));
        this.#append(withCauses(given, entry));
      },
      recordStep: (...step) => this.#runs.recordStep(...step),
    });
    const record = (events: readonly EventDraft[]): void => {
      // What an attempt before has emitted, or emitted with other data, is in the log.
      for (const event of events) this.#log.append(event);
    };
    this.#runs = new RunDesk({
      definitions: this.#definitions,
      time,
      limits: new LimitBook(),
      random: seededRandom(seed),
      pools: { ...config.pools, ...options.pools },
      tasks: this.#tasks,
      waits: () => this.#waits,
      record,
      logPosition: () => this.#log.position,
    });
    this.#probes = new ProbeDesk(this.#definitions, (event) => this.#log.positionOf(event));
    this.#waits = new WaitDesk({
      present: (probe, after) => this.#probes.present(probe, after),
      log: this.#log,
      time,
      record,
      tellRun: (entry, message) => this.#runs.tell(entry, message),
    });
    this.#desk = new FiringDesk(this.#log, this.#runs);
    this.#triggers = new TriggerWatch(this.#log, this.#desk);
    this.#commands = new RunCommands(this.#definitions, this.#runs);
    this.#webhooks = new WebhookDesk(this.#definitions, { log: this.#log, time }, secrets);
    this.#deploy();
    // oxlint-disable-next-line typescript/no-this-alias, unicorn/no-this-assignment -- the clock reads it
    const bed = this;
    this.clock = {
      get now() {
        return bed.now;
      },
      to: (instant) =>
        this.#inTurn(() => this.#moveTo(readInstant(instant, "Where the clock is to be moved"))),
      by: (span) => this.advance(span),
    };
  }

  /** The log tells which triggers there are, as after a deploy. */
  #deploy(): void {
    for (const pipeline of this.#definitions.pipelines.values()) {
      const { name, trigger, paused } = pipeline.definition;
      if (!trigger) continue;
      const data = { trigger: trigger as unknown as Json, paused };
      const { position } = this.#append(outboxEvent(triggerChanged, name, data, this.#log.position + 1));
      this.#triggers.hold(pipeline, this.#log.at(position)!);
    }
    this.#triggers.work();
  }

  // --- what a test does ---------------------------------------------------------------------------------------------

  /** The virtual clock's time. */
  get now(): Date {
    return new Date(this.#time.now());
  }

  /**
   * Puts an event, or several in their order, into the log. Resolves when everything that follows from it has happened.
   * Throws MILLRACE_EVENT_INVALID, MILLRACE_EVENT_TOO_LARGE, MILLRACE_EVENT_CONFLICT, MILLRACE_VALUE_NOT_JSON,
   * MILLRACE_PROGRESS_AHEAD.
   *
   * @example
   * await t.emit({ type: "order.paid", data: { orderId: "a1", amount: 120 } });
   */
  emit<Data>(event: GivenEvent<Data>): Promise<TestReceipt>;
  emit(events: readonly GivenEvent[]): Promise<readonly TestReceipt[]>;
  emit(given: GivenEvent | readonly GivenEvent[]): Promise<TestReceipt | readonly TestReceipt[]> {
    const freeId = (): string => `event-${(this.#events += 1)}`;
    return this.#do(() => {
      const judge = assetJudge(this.#definitions.project, this.#time.now());
      const drafts = [given].flat().map((event: GivenEvent) => draftOf(event, freeId, judge));
      const receipts = drafts.map((draft) => this.#append(draft));
      return Array.isArray(given) ? receipts : receipts[0]!;
    });
  }

  /** Moves the clock on by a span such as `"1h"`, and does what is due on the way, each at its own time. */
  advance(span: Duration): Promise<void> {
    const ms = readSpan(span, "How far the clock is to be moved");
    return this.#inTurn(() => this.#moveTo(Math.floor(this.#time.now()) + ms));
  }

  /**
   * Starts a run by hand. Resolves when it has ended, or waits for time or events. Throws MILLRACE_PARAMS_INVALID,
   * MILLRACE_PIPELINE_UNKNOWN, MILLRACE_PIPELINE_PAUSED, MILLRACE_PARTITION_REQUIRED.
   *
   * @example
   * const run = await t.start(invoice, { order: "a1" });
   * assert.equal(run.state, "succeeded");
   */
  start<In, Out>(pipeline: Pipeline<In, Out>, ...params: StartArguments<NoInfer<In>>): Promise<TestRun<Out>>;
  start(pipeline: string, params?: Json, options?: StartOptions): Promise<TestRun>;
  start(given: unknown, params: unknown = {}, options: StartOptions = {}): Promise<TestRun<never>> {
    return this.#do(() => this.#viewOf(this.#commands.start(given, params, options)) as TestRun<never>);
  }

  /** Moves the clock to whatever is due next, until the run has ended. Throws MILLRACE_TEST_UNFINISHED when nothing is due any more. */
  finish<Out>(run: TestRun<Out>): Promise<TestRun<Out>> {
    return this.#inTurn(async () => {
      const entry = this.#runs.byId.get(run.id);
      while (!run.hasEnded) {
        const due = this.#nextDue();
        if (due === undefined || !entry) throw this.#leftOver(entry ? [entry] : []);
        await this.#moveTo(Math.floor(due));
      }
      return run;
    });
  }

  /**
   * Asks a run to stop, as a person would, or one node of it; asked again, its teardowns, too. Throws MILLRACE_RUN_STATE_CONFLICT when
   * it has ended, MILLRACE_NODE_UNKNOWN.
   */
  cancel(run: TestRun, of: NodeOptions = {}): Promise<void> {
    return this.#do(() => this.#commands.cancel(run.id, of));
  }

  /**
   * Runs an ended run again: what failed, or the nodes that are named, or all, with what hangs on it. Its other nodes keep their outputs.
   * Throws MILLRACE_RUN_STATE_CONFLICT when it has not ended or nothing failed, MILLRACE_NODE_UNKNOWN.
   *
   * @example
   * await t.rerun(run);
   * assert.equal(run.generation, 2);
   */
  rerun(run: TestRun, what: RerunOptions = {}): Promise<void> {
    return this.#do(() => this.#commands.rerun(run.id, what));
  }

  /**
   * Sets a node's outcome, as a person would; in a run that has ended, what is downstream and did not run is decided again. Throws
   * MILLRACE_RUN_STATE_CONFLICT, MILLRACE_NODE_UNKNOWN.
   *
   * @example
   * await t.mark(run, "fetch", { state: "succeeded", output: [1, 2] });
   */
  mark(run: TestRun, node: string, as: MarkOptions): Promise<void> {
    return this.#do(() => this.#commands.mark(run.id, node, as));
  }

  /** Controls a task, given by itself or by its name. Throws MILLRACE_TASK_UNKNOWN, with the nearest name. */
  task<In, Out>(task: Task<In, Out>): TaskControl<In, Out>;
  task<In, Choice extends string>(branch: Branch<In, Choice>): TaskControl<In, Choice | readonly Choice[]>;
  task<In>(shortCircuit: ShortCircuit<In>): TaskControl<In, boolean>;
  task(name: string): TaskControl;
  task(given: unknown): unknown {
    return this.#control(this.#definitions.taskName(given));
  }

  /** Pauses a pipeline: nobody starts a run of it, and the log keeps what comes for its trigger. Throws MILLRACE_PIPELINE_UNKNOWN. */
  pause(pipeline: PipelineName): Promise<void> {
    return this.#do(() => {
      const found = this.#definitions.pipeline(pipeline);
      found.isPaused = true;
      const trigger = this.#triggers.triggers.get(found.definition.name);
      if (trigger) this.#triggers.pause(trigger, this.#tellOf(trigger, triggerPaused, {}));
    });
  }

  /**
   * Ends a pause: those firings begin that would have come meanwhile and that `onResume` names, by default what the pipeline
   * says. Throws MILLRACE_PIPELINE_UNKNOWN, MILLRACE_CONDITION_INVALID.
   */
  resume(pipeline: PipelineName, options: ResumeOptions = {}): Promise<void> {
    return this.#do(async () => {
      const found = this.#definitions.pipeline(pipeline);
      const onResume = catchUpOf(options);
      found.isPaused = false;
      const trigger = this.#triggers.triggers.get(found.definition.name);
      if (!trigger) return;
      const data = onResume === undefined ? {} : { onResume: onResume as Json };
      // What was due by now was due during the pause.
      this.#log.close(this.#time.now() + instantMs);
      const entry = this.#tellOf(trigger, triggerResumed, data);
      await this.#triggers.resume(trigger, entry, onResume);
    });
  }

  /**
   * What `resume` would let begin at this moment, and what its trigger's gate would make of it; nothing changes. Throws
   * MILLRACE_TRIGGER_UNKNOWN.
   */
  previewResume(pipeline: PipelineName, options: ResumeOptions = {}): Promise<readonly ForeseenFiring[]> {
    return this.#inTurn(async () => {
      const trigger = this.#triggerOf(pipeline);
      const at = this.#time.now() + instantMs;
      const decided = await this.#triggers.previewResume(trigger, at, catchUpOf(options));
      return foreseenFirings(this.#desk, trigger, decided);
    });
  }

  /**
   * Answers what a node (`approve`) or a task (`ctx.approve`) waits for. Throws MILLRACE_FORM_INVALID, and MILLRACE_RUN_STATE_CONFLICT when nobody
   * waits for it any more.
   *
   * @example
   * await t.answer(t.approvals[0]!, { approved: false, by: "ann" });
   */
  answer(approval: TestApproval, answer: TestAnswer = {}): Promise<void> {
    return this.#do(() => {
      const wait = requireAsked(this.#waits.open(), approval);
      this.#append(answerTo(approval, wait, answer));
    });
  }

  /**
   * Posts to a webhook's `/hooks/NAME`, and answers what a server would. Secrets are those of `testbed(…, { secrets })`.
   *
   * @example
   * const answer = await t.webhook("shop", { headers: { authorization: "Bearer s3cret" }, body: { order: 7 } });
   * assert.equal(answer.status, 200);
   */
  webhook(name: string | Webhook, delivery: GivenDelivery): Promise<TestDeliveryAnswer> {
    return this.#do(() => this.#webhooks.deliver(typeof name === "string" ? name : name.name, delivery));
  }

  /**
   * What a probe sees, with these arguments: nothing looks by itself. Throws MILLRACE_PROBE_UNKNOWN where the testbed was not given it.
   *
   * @example
   * await t.probe(report, { day: "2026-11-27" }).sees({ size: 5 });
   */
  probe<Args, Value>(
    probe: Probe<Args, Value>,
    ...[args]: [Args] extends [void] ? [] : [args: Args]
  ): ProbeControl<Value> {
    return this.#probes.control(probe, args, (eventsAt) =>
      this.#do(() => {
        for (const event of eventsAt(this.#time.now())) this.#append(event);
      }),
    );
  }

  // --- what a test looks at -----------------------------------------------------------------------------------------

  /** All runs, the oldest first. */
  get runs(): readonly TestRun[] {
    return this.#runs.runs.map((entry) => this.#viewOf(entry));
  }

  /** The runs of one pipeline, the oldest first. */
  runsOf<In, Out>(pipeline: Pipeline<In, Out>): readonly TestRun<Out>[];
  runsOf(pipeline: string): readonly TestRun[];
  runsOf(pipeline: PipelineName): readonly TestRun<never>[] {
    const found = this.#definitions.pipeline(pipeline);
    const entries = this.#runs.runs.filter((entry) => entry.pipeline === found);
    return entries.map((entry) => this.#viewOf(entry) as TestRun<never>);
  }

  /** All firings of all triggers, the oldest first. */
  get firings(): readonly TestFiring[] {
    return this.#desk.firings.map((record) => firingOf(this.#desk, record, (run) => this.#viewOf(run)));
  }

  firingsOf(pipeline: PipelineName): readonly TestFiring[] {
    const { name } = this.#definitions.pipeline(pipeline).definition;
    return this.firings.filter((firing) => firing.pipeline === name);
  }

  /** Approvals that runs wait for, the oldest first. */
  get approvals(): readonly TestApproval[] {
    return [...this.#waits.open()].flatMap((wait) => approvalOf(wait) ?? []);
  }

  /** The event log, what Millrace itself tells included. */
  get events(): readonly TestEvent[] {
    return this.#log.entries.map(testEvent);
  }

  /**
   * What a pipeline's trigger has and waits for, of a key where it has keys; and what became of an event, which is named by its
   * position or by what `emit` gave. Throws MILLRACE_TRIGGER_UNKNOWN, MILLRACE_TRIGGER_KEY_UNKNOWN, MILLRACE_EVENT_UNKNOWN.
   *
   * @example
   * const paid = await t.emit({ type: "order.paid", data: { amount: 5 } });
   * console.log((await t.explain(largeOrder, { event: paid })).text);
   */
  explain(
    pipeline: PipelineName,
    asked: { readonly key?: string; readonly event?: number | { readonly position: number } } = {},
  ): Promise<TestExplanation> {
    return this.#inTurn(async () => {
      const { key, event } = asked;
      const entry = event === undefined ? undefined : requireEntry(this.#log, event);
      return explain(this.#desk.firings, this.#log, { trigger: this.#triggerOf(pipeline), key, entry });
    });
  }

  /** Runs that have not ended. */
  get unfinished(): readonly Unfinished[] {
    return this.#runs
      .unfinished()
      .map((entry) => ({ run: this.#viewOf(entry), waitsFor: this.#waitsFor(entry) }));
  }

  /** Throws MILLRACE_TEST_UNFINISHED, with what they wait for, unless all runs have ended. */
  expectFinished(): void {
    const left = this.#runs.unfinished();
    if (left.length > 0) throw this.#leftOver(left);
  }

  #triggerOf(pipeline: PipelineName): BedTrigger {
    return this.#triggers.trigger(this.#definitions.pipeline(pipeline).definition.name);
  }

  /** What happens to a trigger stands in the log. */
  #tellOf(trigger: BedTrigger, type: string, data: Json): LogEvent {
    const { position } = this.#append(outboxEvent(type, trigger.row.pipeline, data, this.#log.position + 1));
    this.#triggers.work();
    return this.#log.at(position)!;
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  /** B1. */
  #inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn;
    return turn;
  }

  #append(draft: EventDraft): TestReceipt {
    return recordIn(this.#log, draft);
  }

  /** B2: does something, and everything that follows from it. */
  #do<Answer>(work: () => Answer | Promise<Answer>): Promise<Answer> {
    return this.#inTurn(async () => {
      const answer = await work();
      await this.#settle();
      return answer;
    });
  }

  /** Everything that follows without time passing: also what is due by now, and what was due before it was asked for. */
  async #settle(): Promise<void> {
    for (;;) {
      while (this.#triggers.work() || this.#waits.work() || this.#runs.work() || this.#tasks.work());
      if (!this.#tasks.isQuiet) {
        await this.#tasks.nextAnswer();
        continue;
      }
      const callback = this.#time.takeDue();
      if (callback) {
        callback();
        continue;
      }
      // What was recorded at an instant comes before the deadlines of that instant (P1).
      const told = earliest(this.#triggers.nextDue(), this.#waits.nextDue());
      const now = this.#time.now();
      if (told === undefined || told > now) return;
      this.#triggers.tellTime(now);
      this.#waits.tellTime(now);
    }
  }

  #nextDue(): number | undefined {
    return earliest(earliest(this.#time.nextDue(), this.#triggers.nextDue()), this.#waits.nextDue());
  }

  async #moveTo(target: number): Promise<void> {
    this.#time.requireAhead(target);
    // The whole millisecond belongs to it (V3).
    for (let due = this.#nextDue(); due !== undefined && due < target + 1; due = this.#nextDue()) {
      this.#time.moveTo(due);
      await this.#settle();
    }
    this.#time.moveTo(target);
  }

  #control(name: string): ControlledTask {
    const known = this.#controls.get(name) ?? new ControlledTask(name);
    this.#controls.set(name, known);
    return known;
  }

  #viewOf(entry: RunEntry): TestRun {
    const known = this.#views.get(entry) ?? new RunView(entry, this.#tasks);
    this.#views.set(entry, known);
    return known;
  }

  readonly #waitsFor = (entry: RunEntry): string => waitsFor(entry, this.#waits.openOf(entry));

  #leftOver(entries: readonly RunEntry[]): MillraceError {
    return unfinishedError(entries, this.now, this.#waitsFor);
  }
}
