/** `on`: how authors write conditions. */
import type { Condition, Duration, Json, Schedule, Where } from "@millrace/core";
import { markCaller, type SourceMark } from "../source.ts";
import { toEventKey, toWhere, type KeyInput, type WhereInput } from "../where.ts";
import { eventTypeBrand, eventTypeHandleOf, type EventType } from "./event-type.ts";
import type { FiredEvent, FiredSilence, FiredTick } from "./firing.ts";
import {
  checkOptions,
  inner,
  innerOf,
  make,
  span,
  wrong,
  type AnyOn,
  type DataOf,
  type NamedIn,
  type NoOperands,
  type On,
  type Operands,
  type PartitionIn,
  type Together,
  type ValueOf,
} from "./made.ts";
import { probed } from "./probed.ts";
import { reached } from "./reached.ts";
import { updated } from "./updated.ts";

export { conditionOf, type NoOperands, type On, type Operands } from "./made.ts";

export interface EventOptions<Data> {
  /** Which events of this type: an object that looks like the event, or CEL. */
  readonly where?: WhereInput<Data>;
}

/** Calendar time is that of a zone. */
export interface ScheduleOptions {
  /** An IANA name such as `Europe/Berlin`; UTC unless given. */
  readonly tz?: string;
}

/** Which days may have ticks. A day in `include` may, whatever the rest says. */
export interface Calendar {
  /** Monday to Friday. */
  readonly businessDays?: boolean;
  /** 1 or `MON` is Monday, 7 or `SUN` is Sunday; all of them unless given. */
  readonly weekdays?: readonly (number | "MON" | "TUE" | "WED" | "THU" | "FRI" | "SAT" | "SUN")[];
  /** Days without ticks: `2026-12-24`, or from one to another, both included: `2026-12-24/2027-01-01`. */
  readonly holidays?: readonly string[];
  /** As `holidays`. */
  readonly exclude?: readonly string[];
  readonly include?: readonly string[];
}

export interface AtOptions extends ScheduleOptions {
  /** Runs are delayed by up to this: by the same for the same tick, by another for another pipeline. */
  readonly jitter?: Duration;
}

export interface CronOptions extends AtOptions {
  /** A tick on a day that it excludes does not happen. */
  readonly calendar?: Calendar;
}

export interface EveryOptions extends CronOptions {
  /** A wall time from which it counts, both ways: `2026-01-31T06:00`. */
  readonly anchor?: string;
}

export interface WithinOptions {
  /** From the first to the last of its events, by log time. */
  readonly within?: Duration;
}

function event<Data = unknown, const Type extends string = string>(
  type: Type | EventType<Data, Type>,
  options: EventOptions<Data> = {},
): On<{ readonly [name in Type]: FiredEvent<Type, Data> }, never, never, null> {
  const mark = markCaller(event);
  checkOptions("event", options, ["where"], mark);
  const { type: name, source } = typeof type === "string" ? { type, source: undefined } : type;
  const filters: WhereInput[] = [
    ...(source === undefined ? [] : [{ source }]),
    ...(options.where === undefined ? [] : [options.where as WhereInput]),
  ];
  const [only] = filters;
  const where =
    only === undefined
      ? undefined
      : toWhere(filters.length === 1 ? only : { allOf: filters }, {
          what: `The filter of "${name}"`,
          mark,
        });
  const declared = eventTypeHandleOf(type);
  const atom: Condition = { kind: "event", type: name, ...(where === undefined ? {} : { where }) };
  return make(declared ? Object.assign(atom, { [eventTypeBrand]: declared }) : atom, mark);
}

/** How a run ends. */
export type FinishedState = "succeeded" | "failed" | "cancelled" | "superseded" | "quarantined";

/** What the log tells of a run that has ended, or of its node. */
export interface FinishedRun {
  readonly run: string;
  readonly pipeline: string;
  readonly project: string;
  readonly generation: number;
  readonly labels?: { readonly [name: string]: string };
  /** Of a run. */
  readonly state?: FinishedState;
  /** Of a node, with the index path of its item where it is mapped. */
  readonly node?: string;
  readonly item?: string;
  readonly attempt?: number;
  readonly reason?: { readonly code: string; readonly message: string };
  readonly error?: { readonly name: string; readonly message: string };
}

export interface FinishedOptions {
  /** In which states: `["succeeded"]` unless given. Of a node, `succeeded` and `failed` are told. */
  readonly states?: readonly FinishedState[];
  /** Of this node in place of the run; a group's nodes have its name: `clean/airports`. */
  readonly node?: string;
  /** Which of them, as of any event: by their labels, say. */
  readonly where?: WhereInput<FinishedRun>;
}

const finishedStates: readonly string[] = ["succeeded", "failed", "cancelled", "superseded", "quarantined"];
const finishedNodeStates: readonly string[] = ["succeeded", "failed"];

/**
 * The end of each run of a pipeline, or of one of its nodes. It is found in the firing under the pipeline's name.
 *
 * @example
 * on.finished("daily-orders", { states: ["failed", "cancelled"] })
 */
function finished<const Name extends string>(
  of: Name | { readonly name: Name },
  options: FinishedOptions = {},
): On<{ readonly [name in Name]: FiredEvent<string, FinishedRun> }, never, Name> {
  const mark = markCaller(finished);
  checkOptions("finished", options, ["states", "node", "where"], mark);
  // A task is a function, and would be taken for its name.
  const pipeline: unknown = typeof of === "object" ? (of as { readonly name?: unknown } | null)?.name : of;
  if (typeof pipeline !== "string" || pipeline === "")
    throw wrong("`on.finished` takes a pipeline, or its name", mark);
  const { node, states = ["succeeded"] } = options;
  const known = node === undefined ? finishedStates : finishedNodeStates;
  const other = Array.isArray(states) ? states.find((state) => !known.includes(state)) : states;
  if (other !== undefined || states.length === 0)
    throw wrong(
      `option "states" of \`on.finished("${pipeline}")\` must name some of ${known.join(", ")}; found ${JSON.stringify(other ?? states)}`,
      mark,
    );
  const path = ["subject"] as const;
  const subject: Where = { op: "eq", path, value: node === undefined ? pipeline : `${pipeline}/${node}` };
  const place = { what: `The filter of \`on.finished("${pipeline}")\``, mark };
  const where: Where =
    options.where === undefined ? subject : { op: "and", of: [subject, toWhere(options.where, place)] };
  const kind = node === undefined ? "run" : "node";
  const atoms = [...new Set(states)].map((state): Condition => ({
    kind: "event",
    type: `millrace.${kind}.${state}`,
    where,
  }));
  const [only] = atoms;
  const condition = atoms.length === 1 && only ? only : ({ kind: "any", of: atoms } satisfies Condition);
  return make({ ...condition, name: pipeline }, mark);
}

type Ticks = { readonly schedule: FiredTick };

/** Ticks of a cron expression: five fields, or six with seconds first. */
function cron(expression: string, options: CronOptions = {}): On<Ticks, never, never, null> {
  const mark = markCaller(cron);
  checkOptions("cron", options, ["tz", "jitter", "calendar"], mark);
  return make(schedule({ kind: "cron", expression, ...recurring(options, mark) }), mark);
}

/** Ticks at equal distances: `15m` from local midnight, `1d` at midnight, `2w`, `1mo`. */
function every(length: string, options: EveryOptions = {}): On<Ticks, never, never, null> {
  const mark = markCaller(every);
  checkOptions("every", options, ["tz", "jitter", "calendar", "anchor"], mark);
  const anchor = options.anchor === undefined ? {} : { anchor: options.anchor };
  return make(schedule({ kind: "every", every: length, ...recurring(options, mark), ...anchor }), mark);
}

/** Ticks at these instants. */
function at(instants: readonly string[], options: AtOptions = {}): On<Ticks, never, never, null> {
  const mark = markCaller(at);
  checkOptions("at", options, ["tz", "jitter"], mark);
  return make(schedule({ kind: "at", instants, ...recurring(options, mark) }), mark);
}

function all<const Of extends readonly AnyOn[]>(
  of: Of,
  options: WithinOptions = {},
): On<Together<Of>, NamedIn<Of[number]>, never, PartitionIn<Of[number]> | null> {
  const mark = markCaller(all);
  checkOptions("all", options, ["within"], mark);
  return make({ kind: "all", of: innerOf(of, mark), ...within(options, mark) }, mark);
}

function any<const Of extends readonly AnyOn[]>(
  of: Of,
): On<Together<Of>, NamedIn<Of[number]>, never, PartitionIn<Of[number]>> {
  const mark = markCaller(any);
  return make({ kind: "any", of: innerOf(of, mark) }, mark);
}

function atLeast<const Of extends readonly AnyOn[]>(
  n: number,
  of: Of,
  options: WithinOptions = {},
): On<Together<Of>, NamedIn<Of[number]>, never, PartitionIn<Of[number]> | null> {
  const mark = markCaller(atLeast);
  checkOptions("atLeast", options, ["within"], mark);
  return make({ kind: "at_least", n, of: innerOf(of, mark), ...within(options, mark) }, mark);
}

function sequence<const Of extends readonly AnyOn[]>(
  of: Of,
  options: WithinOptions = {},
): On<Together<Of>, NamedIn<Of[number]>, never, PartitionIn<Of[number]> | null> {
  const mark = markCaller(sequence);
  checkOptions("sequence", options, ["within"], mark);
  return make({ kind: "sequence", of: innerOf(of, mark), ...within(options, mark) }, mark);
}

function unless<Of extends Operands, Inner, Own, Partition>(
  of: On<Of, Inner, Own, Partition>,
  until: AnyOn,
  options: WithinOptions = {},
): On<Of, Inner | Own, never, Partition> {
  const mark = markCaller(unless);
  checkOptions("unless", options, ["within"], mark);
  return make(
    { kind: "unless", of: inner(of, mark), until: inner(until, mark), ...within(options, mark) },
    mark,
  );
}

function absent<After extends Operands = NoOperands, Inner = never, Own = never>(
  of: AnyOn,
  options: { readonly within: Duration; readonly after?: On<After, Inner, Own> },
): On<After & { readonly absent: FiredSilence }, Inner | Own, never, null> {
  const mark = markCaller(absent);
  checkOptions("absent", options, ["within", "after"], mark);
  const after = options.after === undefined ? {} : { after: inner(options.after, mark) };
  return make(
    { kind: "absent", of: inner(of, mark), withinMs: span(options.within, "within", mark), ...after },
    mark,
  );
}

function count<Of extends Operands, Inner, Own, Partition>(
  of: On<Of, Inner, Own, Partition>,
  n: number,
  options: WithinOptions = {},
): On<Of, Inner | Own, never, Partition | null> {
  const mark = markCaller(count);
  checkOptions("count", options, ["within"], mark);
  return make({ kind: "count", of: inner(of, mark), n, ...within(options, mark) }, mark);
}

function batch<Of extends Operands, Inner, Own, Partition>(
  of: On<Of, Inner, Own, Partition>,
  options: { readonly max: number; readonly maxWait: Duration },
): On<Of, Inner | Own, never, Partition | null> {
  const mark = markCaller(batch);
  checkOptions("batch", options, ["max", "maxWait"], mark);
  const maxWaitMs = span(options.maxWait, "maxWait", mark);
  return make({ kind: "batch", of: inner(of, mark), max: options.max, maxWaitMs }, mark);
}

function session<Of extends Operands, Inner, Own, Partition>(
  of: On<Of, Inner, Own, Partition>,
  options: { readonly gap: Duration; readonly max?: Duration },
): On<Of, Inner | Own, never, Partition | null> {
  const mark = markCaller(session);
  checkOptions("session", options, ["gap", "max"], mark);
  const max = options.max === undefined ? {} : { maxMs: span(options.max, "max", mark) };
  return make({ kind: "session", of: inner(of, mark), gapMs: span(options.gap, "gap", mark), ...max }, mark);
}

function debounce<Of extends Operands, Inner, Own, Partition>(
  of: On<Of, Inner, Own, Partition>,
  options: { readonly quiet: Duration; readonly maxWait?: Duration },
): On<Of, Inner | Own, never, Partition | null> {
  const mark = markCaller(debounce);
  checkOptions("debounce", options, ["quiet", "maxWait"], mark);
  const maxWait = options.maxWait === undefined ? {} : { maxWaitMs: span(options.maxWait, "maxWait", mark) };
  return make(
    { kind: "debounce", of: inner(of, mark), quietMs: span(options.quiet, "quiet", mark), ...maxWait },
    mark,
  );
}

function throttle<Of extends Operands, Inner, Own, Partition>(
  of: On<Of, Inner, Own, Partition>,
  options: { readonly limit: number; readonly per: Duration },
): On<Of, Inner | Own, never, Partition | null> {
  const mark = markCaller(throttle);
  checkOptions("throttle", options, ["limit", "per"], mark);
  const perMs = span(options.per, "per", mark);
  return make({ kind: "throttle", of: inner(of, mark), limit: options.limit, perMs }, mark);
}

export interface WindowOptions<Event> extends ScheduleOptions {
  /** Windows of equal length: `1h`, `1d`. */
  readonly every: string;
  /** Where an event's own time stands: `(event) => event.data.at`. Its `time` unless given. */
  readonly time?: KeyInput<DataOf<Event>>;
  /** A window closes once an event this much later than its end was seen. Nothing unless given. */
  readonly lateness?: Duration;
  /** A window also closes when nothing came for so long after its end. */
  readonly idle?: Duration;
  /** What becomes of an event whose window has closed: `ignore` unless given. */
  readonly late?: "ignore" | "revise";
}

function window<Of extends Operands, Inner, Own>(
  of: On<Of, Inner, Own>,
  options: WindowOptions<ValueOf<Of>>,
): On<Of, Inner | Own, never, null> {
  const mark = markCaller(window);
  checkOptions("window", options, ["every", "tz", "time", "lateness", "idle", "late"], mark);
  const { every: length, time, lateness, idle, late } = options;
  return make(
    {
      kind: "window",
      of: inner(of, mark) as Extract<Condition, { kind: "event" }>,
      every: { kind: "every", every: length, ...zone(options) } as unknown as Schedule,
      ...(time === undefined ? {} : { time: toEventKey(time, { what: "The time of a window", mark }) }),
      latenessMs: lateness === undefined ? 0 : span(lateness, "lateness", mark),
      ...(idle === undefined ? {} : { idleMs: span(idle, "idle", mark) }),
      late: late ?? "ignore",
    },
    mark,
  );
}

/** Conditions: what starts a run, and what a run waits for. */
export const on = {
  event,
  finished,
  cron,
  every,
  at,
  all,
  any,
  atLeast,
  sequence,
  unless,
  absent,
  count,
  batch,
  session,
  debounce,
  throttle,
  window,
  updated,
  reached,
  probe: probed,
} as const;

function schedule(json: Json): Condition {
  return { kind: "schedule", schedule: json as unknown as Schedule };
}

function recurring(
  { calendar, jitter, ...options }: CronOptions,
  mark: SourceMark,
): { readonly [name: string]: Json } {
  return {
    ...zone(options),
    ...(jitter === undefined ? {} : { jitterMs: span(jitter, "jitter", mark) }),
    ...(calendar === undefined ? {} : { calendar: calendar as unknown as Json }),
  };
}

function zone({ tz }: ScheduleOptions): { readonly tz?: string } {
  return tz === undefined ? {} : { tz };
}

function within({ within: value }: WithinOptions, mark: SourceMark): { readonly withinMs?: number } {
  return value === undefined ? {} : { withinMs: span(value, "within", mark) };
}
