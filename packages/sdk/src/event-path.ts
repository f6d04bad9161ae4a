/**
 * Paths into an event. Functions never travel: the callback form `(e) => e.data.orderId` runs once, with a recorder that
 * notes which properties are read and refuses everything else at the place of the mistake.
 */
import {
  errorCodeOf,
  formatWherePath,
  MillraceError,
  type SourceLocation,
  type WherePath,
} from "@millrace/core";
import { formatSource, locate, markCaller, type SourceMark, type StackFunction } from "./source.ts";

declare const pathType: unique symbol;

export interface EventPathBase<out T> {
  readonly [pathType]: T;
}

type IsAny<T> = 0 extends 1 & T ? true : false;

/** The members that any variant of a union has. */
export type KeyOf<T> = T extends unknown ? keyof T & string : never;
export type MemberOf<T, K extends string> = T extends unknown
  ? K extends keyof T
    ? T[K]
    : undefined
  : never;

type PathMembers<T> = [T] extends [readonly (infer E)[]]
  ? { readonly [index: number]: EventPath<E> }
  : [T] extends [object]
    ? { readonly [K in KeyOf<T>]-?: EventPath<MemberOf<T, K>> }
    : unknown;

/**
 * What a `.by` callback is given in place of a value of type `T`. Optional parts and variants of a union can be passed
 * through: an event without a value there belongs to no key.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- untyped data stays untyped
export type EventPath<T> = IsAny<T> extends true ? any : EventPathBase<T> & PathMembers<NonNullable<T>>;

/** The option that a path is recorded for, and where it was written. */
export interface RecordingPlace {
  /** `The key of "paid-orders"`. */
  readonly what: string;
  readonly mark: SourceMark | undefined;
  readonly root?: string | undefined;
}

interface RecorderState {
  readonly place: RecordingPlace;
  readonly path: WherePath;
}

/** Keyed by the proxy and by its target: the traps see the latter. */
const states = new WeakMap<object, RecorderState>();

/** Runs `callback` with a recorder; the path of what it returns. */
export function recordEventPath(callback: (event: never) => unknown, place: RecordingPlace): WherePath {
  const source = locate(place.mark, place.root);
  let result: unknown;
  try {
    result = callback(makeRecorder({ place, path: [] }) as never);
  } catch (error) {
    if (errorCodeOf(error) !== undefined) throw error;
    throw misused(place, "the function threw", { source, cause: error });
  }
  const state = typeof result === "function" ? states.get(result) : undefined;
  if (state?.place === place && state.path.length > 0) return state.path;
  throw misused(place, `the function returns ${state ? "the whole event" : "no part of the event"}`, {
    source,
  });
}

function makeRecorder(state: RecorderState): object {
  const target = (): undefined => undefined;
  const recorder = new Proxy(target, traps);
  Object.defineProperty(target, Symbol.for("nodejs.util.inspect.custom"), {
    value: () => `EventPath<${formatPlace(state)}>`,
  });
  states.set(target, state);
  states.set(recorder, state);
  return recorder;
}

/** Keys whose reading shows that somebody takes the recorder for a value. */
const misuses: ReadonlyMap<string | symbol, string> = new Map<string | symbol, string>([
  ["then", "awaited"],
  ["toJSON", "serialised to JSON"],
  ["toString", "turned into a text"],
  ["valueOf", "turned into a plain value"],
  [Symbol.toPrimitive, "calculated with or turned into a text"],
  [Symbol.iterator, "iterated or spread"],
  [Symbol.asyncIterator, "iterated"],
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
  if (misuse !== undefined) throw refuse(state, misuse, readMember);
  if (typeof key === "symbol") return undefined;
  return makeRecorder({ ...state, path: [...state.path, key] });
}

function refuseCall(target: object): never {
  throw refuse(stateOf(target), "called as a function", refuseCall);
}

function refuseKeys(target: object): never {
  throw refuse(stateOf(target), "spread or listed by its keys", refuseKeys);
}

function refuseSearch(target: object): never {
  throw refuse(stateOf(target), "searched with `in`", refuseSearch);
}

function refuseWrite(target: object): never {
  throw refuse(stateOf(target), "written to", refuseWrite);
}

function stateOf(target: object): RecorderState {
  const state = states.get(target);
  if (!state) throw new Error("invariant broken: a recorder without a state");
  return state;
}

function formatPlace({ path }: RecorderState): string {
  return path.length === 0 ? "event" : formatWherePath(path);
}

function refuse(state: RecorderState, what: string, trap: StackFunction): MillraceError {
  const source = locate(markCaller(trap), state.place.root);
  return misused(state.place, `the path \`${formatPlace(state)}\` was ${what}`, { source });
}

function misused(
  place: RecordingPlace,
  what: string,
  { source, cause }: { readonly source: SourceLocation | undefined; readonly cause?: unknown },
): MillraceError {
  return new MillraceError("MILLRACE_REFERENCE_MISUSED", {
    message: `${place.what}: ${what}${source ? ` (${formatSource(source)})` : ""}.`,
    advice:
      'The function only names a part of the event: write `(e) => e.data.orderId`. What must be computed is CEL: `{ cel: "data.a + data.b" }`.',
    ...(source ? { source } : {}),
    ...(cause === undefined ? {} : { cause }),
  });
}
