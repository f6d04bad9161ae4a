/** What a task function gets beside its input. The worker makes it. */
import type { Duration, Json } from "@millrace/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Asset } from "./asset/handle.ts";
import type { AssetReporter } from "./asset/reporter.ts";
import type { CalledPipeline } from "./called-pipeline.ts";
import type { EventType } from "./condition/event-type.ts";
import type { Fired, FiredEvent, Firing } from "./condition/firing.ts";
import type { On, Operands } from "./condition/on.ts";
import type { Recorded } from "./recorded.ts";

/** Fields of a log line. */
export interface LogFields {
  readonly [name: string]: Json | undefined;
}

/** Writes structured lines to the attempt's log. */
export interface TaskLog {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** What `ctx.artifact` keeps with the attempt. */
export type ArtifactContent =
  | { readonly markdown: string }
  /** Rows of one shape; the keys are the columns. */
  | { readonly table: readonly { readonly [column: string]: Json | undefined }[] }
  | { readonly image: Uint8Array; readonly mediaType: string }
  /** Path of a file on the worker, copied when the call is made. */
  | { readonly file: string; readonly mediaType?: string }
  | { readonly html: string };

/**
 * Access data of an outside system, read from the worker's environment variable `MILLRACE_CONNECTION_<NAME>`: a URL,
 * or a JSON object with these fields.
 */
export interface Connection {
  readonly name: string;
  /** The URL as given, or composed from the fields. Absent when JSON gave neither `url` nor `host`. */
  readonly url?: string;
  readonly protocol?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  /** The URL's path without the leading slash. */
  readonly database?: string;
  /** A URL's query, or the further fields of JSON. */
  readonly extra: { readonly [name: string]: Json };
}

/** An event that a task emits. */
export interface EmittedEvent<Data = unknown> {
  /** What happened: a name such as `order.placed`, or a declared type, whose data are then checked by the compiler. */
  readonly type: string | EventType<Data>;
  /** What it happened to. */
  readonly subject?: string;
  readonly data?: Data;
  /** When it happened; when it is recorded, if absent. */
  readonly time?: Date | string;
  /** Its name within the source. By default the run, the item, and how many of this type came before: a retry repeats it. */
  readonly id?: string;
  /** Where it happened: by default `/pipelines/PIPELINE/NODE`. */
  readonly source?: string;
}

export interface EmitOptions {
  /** Records it at once, and resolves when that is done: also when the attempt fails afterwards. */
  readonly now?: boolean;
}

/** What a step's function gets. */
export interface StepContext {
  /** Equal whenever this step runs for this task run, new after a rerun: give it to systems that remember it. */
  readonly idempotencyKey: string;
}

export interface StepOptions {
  /** Tells steps of one name apart, in a loop over things: the id of the thing. Without it they are told apart by their order. */
  readonly key?: string | number;
}

export interface NameOption {
  /** Tells it apart from other waits; how often the name came before does the rest. */
  readonly name?: string;
}

export interface WaitForOptions extends NameOption {
  /** From its registration. Then the answer is null. */
  readonly timeout?: Duration;
}

export interface ApproveOptions<Form extends StandardSchemaV1 = StandardSchemaV1> extends WaitForOptions {
  /** The question. */
  readonly title?: string;
  /** Who may answer. */
  readonly by?: string | readonly string[];
  /** What is entered with an approval: a schema as a pipeline's `params` takes it. Its own validator runs on the worker. */
  readonly form?: Form;
}

/** What a person answered. */
export type Approval<Form = Json> =
  | {
      readonly approved: true;
      readonly by: string;
      readonly at: string;
      readonly note: string | null;
      readonly form: Form;
    }
  | {
      readonly approved: false;
      readonly by: string;
      readonly at: string;
      readonly note: string | null;
      readonly form: Json;
    };

type FormOf<Schema extends StandardSchemaV1> = StandardSchemaV1 extends Schema
  ? Json
  : StandardSchemaV1.InferOutput<Schema>;

/** The input of a pipeline that is called: none where it has no parameters. */
export type CallInput<In> = 0 extends 1 & In
  ? [input?: In, options?: NameOption]
  : undefined extends In
    ? [input?: Exclude<In, void>, options?: NameOption]
    : [input: In, options?: NameOption];

/**
 * What satisfied the trigger of the run, read page by page from the server: of any number. A run that a person started has
 * no members. What fails for a minute throws MILLRACE_INTERNAL.
 */
export interface FiringReader {
  /**
   * The events that are members, in their order: all, or those of one operand.
   *
   * @example
   * for await (const order of ctx.firing.events<{ amount: number }>("orders")) total += order.data.amount;
   */
  events<Data = unknown>(operand?: string): AsyncIterable<FiredEvent<string, Data>>;
  /** All members, also ticks and silences. */
  members(operand?: string): AsyncIterable<Fired>;
}

/** Identity of the attempt, and what it may do. */
export interface TaskContext {
  readonly run: {
    readonly id: string;
    readonly pipeline: string;
    readonly generation: number;
    /** The key of the partition that the run is for; absent where it is for none. */
    readonly partition?: string;
  };
  /** The node's id. */
  readonly node: string;
  /** `""` outside fan-outs, else the item path: `"3"`, nested `"3.0"`. */
  readonly item: string;
  /** Index in the innermost fan-out. */
  readonly index: number | undefined;
  /** From 1, counted by the retry policy. */
  readonly attempt: number;
  /** From 1; also counts hand-overs after a lost worker. */
  readonly dispatch: number;
  /** Equal over all attempts of this task run, new after a rerun: give it to systems that remember it. */
  readonly idempotencyKey: string;
  /** Aborted when the run is cancelled or the attempt's time is over. What ignores it is killed soon after. */
  readonly signal: AbortSignal;
  readonly log: TaskLog;
  /** What satisfied the trigger, as a stream. An input carries up to 10,000 members, or 16 MB of them. */
  readonly firing: FiringReader;
  /** The run's parameters, after the author's validator. */
  readonly params: unknown;
  /**
   * Runs `fn` once: what it gives is recorded, and is what this call gives whenever the function runs again, after a wait, a
   * lost worker or in the next attempt. What it throws is recorded for this attempt; the next one runs the step again. A step
   * begins no step and no wait, and what it emits is recorded with it. A step is known by its name (with its key, at most 200
   * characters) and how often that came before, so the function must ask for the same ones when it runs again.
   *
   * Both what it gives and what it throws come as recorded: JSON (4 MiB at most), and an error with its name, message and code
   * that is no instance of the class that was thrown. Throws MILLRACE_STEP_NESTED, MILLRACE_STEP_TOO_LARGE,
   * MILLRACE_STEPS_TOO_MANY (1,000 steps and waits in one task run), MILLRACE_VALUE_NOT_JSON, MILLRACE_OPTION_INVALID, and
   * MILLRACE_REPLAY_DIVERGED when a wait was recorded in its place.
   *
   * @example
   * const order = await ctx.step("order", () => shop.order(input.id));
   * for (const item of order.items) {
   *   await ctx.step("charge", ({ idempotencyKey }) => bank.charge(item, idempotencyKey), { key: item.id });
   * }
   */
  step<T>(name: string, fn: (step: StepContext) => T, options?: StepOptions): Promise<Recorded<Awaited<T>>>;
  /**
   * Waits a span. When a task has nothing to do but wait, it gives up its slot and its process: `finally` does not run, and the
   * function runs again from the top when a wait has ended. Steps and waits that are over give then what they gave before.
   *
   * @example
   * await ctx.sleep("2h");
   */
  sleep(duration: Duration, options?: NameOption): Promise<void>;
  /** Waits until an instant: a date, ISO 8601 with its offset, or milliseconds since the epoch. One that is past is over at once. */
  sleepUntil(instant: Date | string | number, options?: NameOption): Promise<void>;
  /**
   * Waits until a condition of `on` is satisfied, by events since the run's start; null when the timeout comes first. Of one name
   * the second wait looks back to what ended the first. Its name is what the condition says, unless given. Throws
   * MILLRACE_CONDITION_INVALID.
   *
   * @example
   * const paid = await ctx.waitFor(on.event(orderPaid, { where: { data: { orderId: input.id } } }), { timeout: "3d" });
   * if (paid === null) await remind(input.id);
   */
  waitFor<Of extends Operands>(
    condition: On<Of>,
    options?: WaitForOptions & { readonly timeout?: undefined },
  ): Promise<Firing<Of>>;
  waitFor<Of extends Operands>(condition: On<Of>, options: WaitForOptions): Promise<Firing<Of> | null>;
  /**
   * Waits for a person's answer; null when the timeout comes first. Throws MILLRACE_FORM_INVALID when the form's own validator
   * refuses what was entered.
   *
   * @example
   * const answer = await ctx.approve({ title: "Publish?", form: z.object({ note: z.string() }) });
   * if (!answer.approved) throw new Fatal(`${answer.by} said no`);
   */
  approve<Form extends StandardSchemaV1>(
    options?: ApproveOptions<Form> & { readonly timeout?: undefined },
  ): Promise<Approval<FormOf<Form>>>;
  approve<Form extends StandardSchemaV1>(
    options: ApproveOptions<Form>,
  ): Promise<Approval<FormOf<Form>> | null>;
  /**
   * Starts a run of another pipeline, waits for it and gives its output. Throws what made it fail.
   *
   * @example
   * const { rows } = await ctx.call(load, { day: input.day });
   */
  call<In, Out>(pipeline: CalledPipeline<In, Out>, ...input: CallInput<In>): Promise<Out>;
  /** Says how far the attempt is, from 0 to 1. */
  progress(fraction: number, message?: string): void;
  /**
   * Puts an event into the event log: with the step that emits it, else with the attempt's success, and not at all when it fails. A retry and a rerun of the
   * same node emit the same events, which are recorded once per generation. Throws MILLRACE_EVENT_INVALID or
   * MILLRACE_EVENT_TOO_LARGE: data has at most 16,384 characters as JSON, with `now` 1 MB.
   *
   * @example
   * await ctx.emit({ type: "report.ready", subject: day, data: { rows } });
   */
  emit<Data>(event: EmittedEvent<Data>, options?: EmitOptions): Promise<void>;
  /**
   * Tells what became of an asset: with the attempt's success, and not at all when it fails.
   *
   * @example
   * await ctx.asset(report).materialized({ partition: day, metadata: { rows } });
   */
  asset<Key extends string | null>(asset: Asset<Key> | string): AssetReporter<Key>;
  /** Keeps something to look at with the attempt. */
  artifact(name: string, content: ArtifactContent): Promise<void>;
  /** Access data of a connection that the task lists in `connections`. */
  connection(name: string): Connection;
}
