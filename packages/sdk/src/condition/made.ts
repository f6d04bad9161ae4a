/**
 * What the functions of `on` give: immutable data with a type. It is checked when the pipeline that uses it is described.
 */
import { MillraceError, parseDuration, type Condition } from "@millrace/core";
import { formatSource, locate, type SourceMark } from "../source.ts";
import { checkOptionNames, describe } from "../options.ts";
import { toEventKey, type KeyInput } from "../where.ts";

declare const operandsType: unique symbol;
declare const namesType: unique symbol;
declare const partitionType: unique symbol;

/** What a condition's firing holds under each operand's name. */
export type Operands = { readonly [name: string]: unknown };
/** No condition, no operands. */
export type NoOperands = { readonly [name in never]: unknown };
export type ValueOf<Of extends Operands> = Of[keyof Of];
/** The data of those operands that are events. */
export type DataOf<Value> = Value extends { readonly data: infer Data } ? Data : never;
/** What keys may read: anything where no operand is an event, as with an absence, whose events never are in a firing. */
type KeyData<Value> = [DataOf<Value>] extends [never] ? unknown : DataOf<Value>;
/** What all of several conditions together have as operands: one name may stand in more than one of them. */
export type Together<Of extends readonly AnyOn[]> = {
  readonly [name in NameOf<OperandsOf<Of[number]>>]: ValueAt<OperandsOf<Of[number]>, name>;
};
/** The names that operands of these conditions were given, which an outer name leaves alone. */
export type NamedIn<Of> =
  Of extends On<infer _, infer Inner, infer Own, infer _Partition> ? Inner | Own : never;
/** What firings of these conditions may be about. */
export type PartitionIn<Of> =
  Of extends On<infer _, infer _Inner, infer _Own, infer Partition> ? Partition : never;
type OperandsOf<Of> = Of extends { readonly [operandsType]?: infer Named } ? NonNullable<Named> : never;
type NameOf<Union> = Union extends unknown ? keyof Union : never;
type ValueAt<Union, Name> = Union extends unknown ? (Name extends keyof Union ? Union[Name] : never) : never;
// oxlint-disable-next-line typescript/no-explicit-any -- a condition of any names
export type AnyOn = On<any>;
/** What an outer name does to operands: those that have no name of their own are found under it. */
type Renamed<Of extends Operands, Inner, Name extends string> = {
  readonly [name in Extract<keyof Of, Inner> | Name]:
    | (name extends Extract<keyof Of, Inner> ? Of[name] : never)
    | (name extends Name ? Of[Exclude<keyof Of, Inner>] : never);
};

/**
 * A condition: what a trigger fires on, and what a wait waits for. `Inner` are the names that operands within it were given,
 * `Own` the one that it has itself. `Partition` is what its firings are about.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- who takes a condition asks for its operands alone
export interface On<Of extends Operands, Inner = any, Own = any, Partition = any> {
  readonly [operandsType]?: Of;
  readonly [namesType]?: { readonly inner: Inner; readonly own: Own };
  readonly [partitionType]?: Partition;
  /** Names it: its events are found under this name in the firing, but for those of operands that have names of their own. */
  as<const Name extends string>(name: Name): On<Renamed<Of, Inner, Name>, Inner, Name, Partition>;
  /**
   * Separate state for each value of a key: `(event) => event.data.orderId`, a path such as `"data.orderId"`, `{ cel }`, or one
   * of these for each operand's name.
   */
  by(
    key: KeyInput<KeyData<ValueOf<Of>>> | { readonly [name in keyof Of]: KeyInput<KeyData<Of[name]>> },
  ): On<Of, Inner, Own, Partition>;
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

export function make<Of extends Operands, Inner = never, Own = never, Partition = null>(
  condition: Condition,
  mark: SourceMark,
): On<Of, Inner, Own, Partition> {
  const self: On<Of, Inner, Own, Partition> = {
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

export function span(value: unknown, name: string, mark: SourceMark): number {
  const ms = parseDuration(value);
  if (ms !== undefined && ms > 0) return ms;
  throw wrong(
    `option "${name}" must be a duration such as "30s", "5m" or "2h", above zero and of ten years at most; found ${describe(value)}`,
    mark,
  );
}

export function innerOf(of: unknown, mark: SourceMark): Condition[] {
  if (!Array.isArray(of)) throw wrong("it takes a list of conditions", mark);
  return of.map((one) => inner(one, mark));
}

export function inner(of: unknown, mark: SourceMark): Condition {
  const found = conditionOf(of);
  if (found) return found.condition;
  throw wrong("it takes conditions, which the functions of `on` give", mark);
}

/** What `on.…` takes besides; throws MILLRACE_OPTION_INVALID: an option that is misspelt would say nothing. */
export function checkOptions(of: string, options: unknown, known: readonly string[], mark: SourceMark): void {
  checkOptionNames(options, known, { what: `\`on.${of}\``, mark, root: undefined });
}

export function wrong(what: string, mark: SourceMark): MillraceError {
  const source = locate(mark);
  return new MillraceError("MILLRACE_CONDITION_INVALID", {
    message: `A condition is wrong (${formatSource(source)}): ${what}.`,
    ...(source ? { source } : {}),
  });
}
