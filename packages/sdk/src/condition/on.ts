/**
 * `on`: how authors write conditions. What these functions give is immutable data; it is checked when the pipeline that
 * uses it is described.
 */
import {
  MillraceError,
  parseDuration,
  type Condition,
  type Duration,
  type Json,
  type Schedule,
} from "@millrace/core";
import { formatSource, locate, markCaller, type SourceMark } from "../source.ts";
import { toEventKey, toWhere, type KeyInput, type WhereInput } from "../where.ts";
import type { EventType } from "./event-type.ts";
import type { FiredEvent, FiredSilence, FiredTick } from "./firing.ts";

declare const operandsType: unique symbol;
declare const namesType: unique symbol;

/** What a condition's firing holds under each operand's name. */
export type Operands = { readonly [name: string]: unknown };
/** No condition, no operands. */
export type NoOperands = { readonly [name in never]: unknown };
type ValueOf<Of extends Operands> = Of[keyof Of];
/** The data of those operands that are events. */
type DataOf<Value> = Value extends { readonly data: infer Data } ? Data : never;
/** What all of several conditions together have as operands: one name may stand in more than one of them. */
type Together<Of extends readonly AnyOn[]> = {
  readonly [name in NameOf<OperandsOf<Of[number]>>]: ValueAt<OperandsOf<Of[number]>, name>;
};
/** The names that operands of these conditions were given, which an outer name leaves alone. */
type NamedIn<Of> = Of extends On<infer _, infer Inner, infer Own> ? Inner | Own : never;
type OperandsOf<Of> = Of extends { readonly [operandsType]?: infer Named } ? NonNullable<Named> : never;
type NameOf<Union> = Union extends unknown ? keyof Union : never;
type ValueAt<Union, Name> = Union extends unknown ? (Name extends keyof Union ? Union[Name] : never) : never;
// oxlint-disable-next-line typescript/no-explicit-any -- a condition of any names
type AnyOn = On<any>;
/** What an outer name does to operands: those that have no name of their own are found under it. */
type Renamed<Of extends Operands, Inner, Name extends string> = {
  readonly [name in Extract<keyof Of, Inner> | Name]:
    | (name extends Extract<keyof Of, Inner> ? Of[name] : never)
    | (name extends Name ? Of[Exclude<keyof Of, Inner>] : never);
};

/**
 * A condition: what a trigger fires on, and what a wait waits for. `Inner` are the names that operands within it were given,
 * `Own` the one that it has itself.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- who takes a condition asks for its operands alone
export interface On<Of extends Operands, Inner = any, Own = any> {
  readonly [operandsType]?: Of;
  readonly [namesType]?: { readonly inner: Inner; readonly own: Own };
  /** Names it: its events are found under this name in the firing, but for those of operands that have names of their own. */
  as<const Name extends string>(name: Name): On<Renamed<Of, Inner, Name>, Inner, Name>;
  /**
   * Separate state for each value of a key: `(event) => event.data.orderId`, a path such as `"data.orderId"`, `{ cel }`, or one
   * of these for each operand's name.
   */
  by(
    key: KeyInput<DataOf<ValueOf<Of>>> | { readonly [name in keyof Of]: KeyInput<DataOf<Of[name]>> },
  ): On<Of, Inner, Own>;
}

interface Made {
  readonly condition: Condition;
  readonly mark: SourceMark;
}

const made = new WeakMap<object, Made>();

/** The condition behind what `on` gave; `undefined` for anything else. */
export function conditionOf(value: unknown): Made | undefined {
  return value !== null && typeof value === "object" ? made.get(value) : undefined;
}

function make<Of extends Operands, Inner = never, Own = never>(
  condition: Condition,
  mark: SourceMark,
): On<Of, Inner, Own> {
  const self: On<Of, Inner, Own> = {
    as: (name) => make({ ...condition, name }, mark),
    by: (key) => make({ ...condition, by: keyOf(key) }, mark),
  };
  made.set(self, { condition, mark });
  return Object.freeze(self);

  function keyOf(key: unknown): NonNullable<Condition["by"]> {
    if (key === null || typeof key !== "object" || typeof (key as { cel?: unknown }).cel === "string")
      return toEventKey(key, { what: "The key of a condition", mark });
    const parts = Object.entries(key).map(
      ([name, part]) => [name, toEventKey(part, { what: `The key of "${name}"`, mark })] as const,
    );
    return { kind: "operands", of: Object.fromEntries(parts) };
  }
}

export interface EventOptions<Data> {
  /** Which events of this type: an object that looks like the event, or CEL. */
  readonly where?: WhereInput<Data>;
}

/** Calendar time is that of a zone. */
export interface ScheduleOptions {
  /** An IANA name such as `Europe/Berlin`; UTC unless given. */
  readonly tz?: string;
}

export interface WithinOptions {
  /** From the first to the last of its events, by log time. */
  readonly within?: Duration;
}

function event<Data = unknown, const Type extends string = string>(
  type: Type | EventType<Data, Type>,
  options: EventOptions<Data> = {},
): On<{ readonly [name in Type]: FiredEvent<Type, Data> }, never, never> {
  const mark = markCaller(event);
  const name = typeof type === "string" ? type : type.type;
  const where =
    options.where === undefined
      ? undefined
      : toWhere(options.where, { what: `The filter of "${name}"`, mark });
  return make({ kind: "event", type: name, ...(where === undefined ? {} : { where }) }, mark);
}

type Ticks = { readonly schedule: FiredTick };

/** Ticks of a cron expression: five fields, or six with seconds first. */
function cron(expression: string, options: ScheduleOptions = {}): On<Ticks, never, never> {
  const mark = markCaller(cron);
  return make(schedule({ kind: "cron", expression, ...zone(options) }), mark);
}

/** Ticks at equal distances: `15m` from local midnight, `1d` at midnight, `2w`, `1mo`. */
function every(span: string, options: ScheduleOptions = {}): On<Ticks, never, never> {
  const mark = markCaller(every);
  return make(schedule({ kind: "every", every: span, ...zone(options) }), mark);
}

/** Ticks at these instants. */
function at(instants: readonly string[], options: ScheduleOptions = {}): On<Ticks, never, never> {
  const mark = markCaller(at);
  return make(schedule({ kind: "at", instants, ...zone(options) }), mark);
}

function all<const Of extends readonly AnyOn[]>(
  of: Of,
  options: WithinOptions = {},
): On<Together<Of>, NamedIn<Of[number]>, never> {
  const mark = markCaller(all);
  return make({ kind: "all", of: innerOf(of, mark), ...within(options, mark) }, mark);
}

function any<const Of extends readonly AnyOn[]>(of: Of): On<Together<Of>, NamedIn<Of[number]>, never> {
  const mark = markCaller(any);
  return make({ kind: "any", of: innerOf(of, mark) }, mark);
}

function atLeast<const Of extends readonly AnyOn[]>(
  n: number,
  of: Of,
  options: WithinOptions = {},
): On<Together<Of>, NamedIn<Of[number]>, never> {
  const mark = markCaller(atLeast);
  return make({ kind: "at_least", n, of: innerOf(of, mark), ...within(options, mark) }, mark);
}

function sequence<const Of extends readonly AnyOn[]>(
  of: Of,
  options: WithinOptions = {},
): On<Together<Of>, NamedIn<Of[number]>, never> {
  const mark = markCaller(sequence);
  return make({ kind: "sequence", of: innerOf(of, mark), ...within(options, mark) }, mark);
}

function unless<Of extends Operands, Inner, Own>(
  of: On<Of, Inner, Own>,
  until: AnyOn,
  options: WithinOptions = {},
): On<Of, Inner | Own, never> {
  const mark = markCaller(unless);
  return make(
    { kind: "unless", of: inner(of, mark), until: inner(until, mark), ...within(options, mark) },
    mark,
  );
}

function absent<After extends Operands = NoOperands, Inner = never, Own = never>(
  of: AnyOn,
  options: { readonly within: Duration; readonly after?: On<After, Inner, Own> },
): On<After & { readonly absent: FiredSilence }, Inner | Own, never> {
  const mark = markCaller(absent);
  const after = options.after === undefined ? {} : { after: inner(options.after, mark) };
  return make(
    { kind: "absent", of: inner(of, mark), withinMs: span(options.within, "within", mark), ...after },
    mark,
  );
}

function count<Of extends Operands, Inner, Own>(
  of: On<Of, Inner, Own>,
  n: number,
  options: WithinOptions = {},
): On<Of, Inner | Own, never> {
  const mark = markCaller(count);
  return make({ kind: "count", of: inner(of, mark), n, ...within(options, mark) }, mark);
}

function batch<Of extends Operands, Inner, Own>(
  of: On<Of, Inner, Own>,
  options: { readonly max: number; readonly maxWait: Duration },
): On<Of, Inner | Own, never> {
  const mark = markCaller(batch);
  const maxWaitMs = span(options.maxWait, "maxWait", mark);
  return make({ kind: "batch", of: inner(of, mark), max: options.max, maxWaitMs }, mark);
}

function session<Of extends Operands, Inner, Own>(
  of: On<Of, Inner, Own>,
  options: { readonly gap: Duration; readonly max?: Duration },
): On<Of, Inner | Own, never> {
  const mark = markCaller(session);
  const max = options.max === undefined ? {} : { maxMs: span(options.max, "max", mark) };
  return make({ kind: "session", of: inner(of, mark), gapMs: span(options.gap, "gap", mark), ...max }, mark);
}

function debounce<Of extends Operands, Inner, Own>(
  of: On<Of, Inner, Own>,
  options: { readonly quiet: Duration; readonly maxWait?: Duration },
): On<Of, Inner | Own, never> {
  const mark = markCaller(debounce);
  const maxWait = options.maxWait === undefined ? {} : { maxWaitMs: span(options.maxWait, "maxWait", mark) };
  return make(
    { kind: "debounce", of: inner(of, mark), quietMs: span(options.quiet, "quiet", mark), ...maxWait },
    mark,
  );
}

function throttle<Of extends Operands, Inner, Own>(
  of: On<Of, Inner, Own>,
  options: { readonly limit: number; readonly per: Duration },
): On<Of, Inner | Own, never> {
  const mark = markCaller(throttle);
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
): On<Of, Inner | Own, never> {
  const mark = markCaller(window);
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
} as const;

function schedule(json: Json): Condition {
  return { kind: "schedule", schedule: json as unknown as Schedule };
}

function zone({ tz }: ScheduleOptions): { readonly tz?: string } {
  return tz === undefined ? {} : { tz };
}

function within({ within: value }: WithinOptions, mark: SourceMark): { readonly withinMs?: number } {
  return value === undefined ? {} : { withinMs: span(value, "within", mark) };
}

function span(value: unknown, name: string, mark: SourceMark): number {
  const ms = parseDuration(value);
  if (ms !== undefined && ms > 0) return ms;
  throw wrong(`option "${name}" must be a duration such as "30s", "5m" or "2h"`, mark);
}

function innerOf(of: unknown, mark: SourceMark): Condition[] {
  if (!Array.isArray(of)) throw wrong("it takes a list of conditions", mark);
  return of.map((one) => inner(one, mark));
}

function inner(of: unknown, mark: SourceMark): Condition {
  const found = conditionOf(of);
  if (found) return found.condition;
  throw wrong("it takes conditions, which the functions of `on` give", mark);
}

function wrong(what: string, mark: SourceMark): MillraceError {
  const source = locate(mark);
  return new MillraceError("MILLRACE_CONDITION_INVALID", {
    message: `A condition is wrong (${formatSource(source)}): ${what}.`,
    ...(source ? { source } : {}),
  });
}
