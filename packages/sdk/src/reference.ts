/**
 * References: what a task call returns inside a pipeline's body. A reference stands for a value that exists only when
 * the run runs. Property and index access give references; any other use throws at the place of the mistake.
 */
import { formatPath, MillraceError, unreachable, type Path, type Template } from "@millrace/core";
import { formatSource, locate, markCaller, type StackFunction } from "./source.ts";

declare const referenceType: unique symbol;

/** What every reference to a `T` is, whatever its members. */
export interface ReferenceBase<out T> {
  readonly [referenceType]: T;
}

type IsAny<T> = 0 extends 1 & T ? true : false;

/** A property that the value does not have resolves to null. */
type NullWhenAbsent<T> = undefined extends T ? Exclude<T, undefined> | null : T;

type ArrayMembers<T extends readonly unknown[]> = number extends T["length"]
  ? { readonly [index: number]: Ref<T[number]>; readonly length: Ref<number> }
  : { readonly [K in Exclude<keyof T, keyof (readonly unknown[])>]: Ref<T[K]> } & {
      readonly length: Ref<number>;
    };

type Members<T> = [T] extends [readonly unknown[]]
  ? ArrayMembers<T>
  : [T] extends [object]
    ? { readonly [K in keyof T & (string | number)]-?: Ref<NullWhenAbsent<T[K]>> }
    : unknown;

/**
 * A typed reference to a future `T`. `ref.rows` and `ref[0]` are references; a value that may be null has no members,
 * so a task must look at it. Pass references to tasks: awaiting, iterating, spreading, printing or calculating with
 * one throws `MILLRACE_REFERENCE_MISUSED`.
 *
 * @example
 * const totals = aggregate({ day: params.day });
 * announce({ rows: totals.rows });
 */
// oxlint-disable-next-line typescript/no-explicit-any -- an untyped output stays untyped
export type Ref<T> = IsAny<T> extends true ? any : ReferenceBase<T> & Members<T>;

/** The pipeline body that made a reference. */
export interface ReferenceOwner {
  readonly name: string;
  readonly root: string | undefined;
  /** The first `await` of a reference: an asynchronous body swallows what it throws. */
  awaited?: MillraceError;
}

export type ReferenceTarget = Extract<
  Template,
  { readonly kind: "output" | "item" | "index" | "params" | "firing" }
>;

export interface ReferenceState {
  readonly owner: ReferenceOwner;
  readonly target: ReferenceTarget;
  /** The innermost region from which `target.path` counts: outside it, an output is a list of outputs. */
  readonly view: string | undefined;
}

/** Keyed by the proxy and by its target: the traps see the latter. */
const states = new WeakMap<object, ReferenceState>();

/** The state of a reference, or `undefined` for anything else. Never runs a trap. */
export function referenceState(value: unknown): ReferenceState | undefined {
  return typeof value === "function" ? states.get(value) : undefined;
}

/** True for a reference; safe for every value. */
export function isReference(value: unknown): value is ReferenceBase<unknown> {
  return referenceState(value) !== undefined;
}

export function makeReference<T>(state: ReferenceState): Ref<T> {
  const target = (): undefined => undefined;
  const proxy = new Proxy(target, traps);
  Object.defineProperty(target, Symbol.for("nodejs.util.inspect.custom"), {
    value: () => `Ref<${describeTarget(state.target)}>`,
  });
  states.set(target, state);
  states.set(proxy, state);
  return proxy as unknown as Ref<T>;
}

/** `output of "aggregate" at $.rows`, for messages. */
export function describeTarget(target: ReferenceTarget): string {
  switch (target.kind) {
    case "output":
      return `output of "${target.node}"${describePath(target.path)}`;
    case "item":
      return `item of "${target.region}"${describePath(target.path)}`;
    case "index":
      return `index of "${target.region}"`;
    case "params":
      return `parameters${describePath(target.path)}`;
    case "firing":
      return `firing${describePath(target.path)}`;
    default:
      return unreachable(target);
  }
}

function describePath(path: Path): string {
  return path.length === 0 ? "" : ` at ${formatPath(path)}`;
}

const passIt = "Pass the reference to a task, and use its value there.";
const mapIt = "Use `task.map(reference)` or `group.map(name, reference, …)` to run once per element.";

/** Keys whose reading shows that somebody takes the reference for a value. */
const misuses: ReadonlyMap<string | symbol, readonly [what: string, advice: string]> = new Map<
  string | symbol,
  readonly [string, string]
>([
  [
    "then",
    ["awaited", `A body only describes the graph and never waits: remove \`async\` and \`await\`. ${passIt}`],
  ],
  ["toJSON", ["serialised to JSON", passIt]],
  ["toString", ["turned into a string", passIt]],
  ["valueOf", ["turned into a plain value", passIt]],
  [Symbol.toPrimitive, ["turned into a string or a number", passIt]],
  [Symbol.iterator, ["iterated or spread", mapIt]],
  [Symbol.asyncIterator, ["iterated", mapIt]],
]);

const traps: ProxyHandler<() => undefined> = {
  get: readMember,
  apply: refuseCall,
  ownKeys: refuseKeys,
  has: refuseSearch,
  set: refuseWrite,
  defineProperty: refuseWrite,
  deleteProperty: refuseWrite,
};

function readMember(target: object, key: string | symbol): unknown {
  const state = stateOf(target);
  const misuse = misuses.get(key);
  if (misuse) {
    const error = misused(state, misuse[0], misuse[1], readMember);
    if (key === "then") state.owner.awaited ??= error;
    throw error;
  }
  if (typeof key === "symbol") return undefined;
  if (state.target.kind === "index") throw misused(state, `read at "${key}"`, "It is a number.", readMember);
  const step = /^(?:0|[1-9]\d{0,9})$/.test(key) ? Number(key) : key;
  return makeReference({ ...state, target: { ...state.target, path: [...state.target.path, step] } });
}

function refuseCall(target: object): never {
  throw misused(stateOf(target), "called as a function", `${passIt} ${mapIt}`, refuseCall);
}

function refuseKeys(target: object): never {
  const advice = `Read the properties that you need. ${passIt}`;
  throw misused(stateOf(target), "spread or listed by its keys", advice, refuseKeys);
}

function refuseSearch(target: object): never {
  throw misused(stateOf(target), "searched with `in`", `Decide with \`branch\`. ${passIt}`, refuseSearch);
}

function refuseWrite(target: object): never {
  throw misused(stateOf(target), "written to", "Make the new value in a task.", refuseWrite);
}

function stateOf(target: object): ReferenceState {
  const state = states.get(target);
  if (!state) throw new Error("invariant broken: a reference without a state");
  return state;
}

function misused(state: ReferenceState, what: string, advice: string, trap: StackFunction): MillraceError {
  const source = locate(markCaller(trap), state.owner.root);
  const place = source ? ` (${formatSource(source)})` : "";
  return new MillraceError("MILLRACE_REFERENCE_MISUSED", {
    message: `In pipeline "${state.owner.name}", the reference to the ${describeTarget(state.target)} was ${what}${place}.`,
    advice,
    fields: { pipeline: state.owner.name },
    ...(source ? { source } : {}),
  });
}
