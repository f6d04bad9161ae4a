/** Tasks: our code on a worker. */
import type { TaskFunction } from "./build.ts";
import { callNode, mapNode, type Callee, type CallOptions, type MapOptions, type MapOutput } from "./call.ts";
import type { TaskContext } from "./context.ts";
import type { Input } from "./input.ts";
import type { ElementOf, Mappable, MappableTo } from "./list.ts";
import type { TaskOptions } from "./options.ts";
import type { Recorded } from "./recorded.ts";
import type { Ref } from "./reference.ts";
import { markCaller, type StackFunction } from "./source.ts";

/** The arguments of a call: a task whose function needs no input is called without one. */
export type CallArguments<In> = 0 extends 1 & In
  ? [input?: Input<In>, options?: CallOptions]
  : undefined extends In
    ? [input?: Input<Exclude<In, void>>, options?: CallOptions]
    : [input: Input<In>, options?: CallOptions];

/** Maps what is callable once per element of a list. */
export interface MapFunction<In, Out> {
  /** Each element is the input. Yields the list of outputs, in order. */
  <Settles extends boolean = false>(
    list: MappableTo<In>,
    options?: MapOptions<Settles>,
  ): Ref<MapOutput<Out, Settles>>;
  /** `input` makes the input from references to the element and its index, and runs once, when the graph is described. */
  <L extends Mappable, Settles extends boolean = false>(
    list: L,
    input: (item: Ref<ElementOf<L>>, index: Ref<number>) => Input<In>,
    options?: MapOptions<Settles>,
  ): Ref<MapOutput<Out, Settles>>;
}

/** A task: called inside a pipeline's body, it adds a node and returns a reference to its future output. */
export interface Task<In, Out> {
  (...call: CallArguments<In>): Ref<Out>;
  readonly map: MapFunction<In, Out>;
}

type Body<In, Out> = (input: In, ctx: TaskContext) => Out;

/** Under this stands the name of what authors call, also when another copy of this module made it. */
export const taskNameBrand: unique symbol = Symbol.for("millrace.task");

/** The input of a function; with a default (`(day = "today") => …`) it may be left out. */
type InputOf<Fn, In> = [In] extends [void]
  ? In
  : Fn extends (...all: infer All extends readonly [unknown?, ...unknown[]]) => unknown
    ? undefined extends All[0]
      ? In | undefined
      : In
    : In;

/**
 * Declares a task. `fn` runs on workers; its input and its output are JSON. Importing a task does nothing.
 *
 * @example
 * const clean = task("clean", { retries: 3, timeout: "5m" }, async (input: { file: string }, ctx) => {
 *   ctx.log.info("cleaning", { file: input.file });
 *   return { rows: await cleanFile(input.file, ctx.signal) };
 * });
 */
export function task<In = void, Out = unknown, Fn = Body<In, Out>>(
  name: string,
  fn: Body<In, Out> & Fn,
): Task<InputOf<Fn, In>, Recorded<Awaited<Out>>>;
export function task<In = void, Out = unknown, Fn = Body<In, Out>>(
  name: string,
  options: TaskOptions,
  fn: Body<In, Out> & Fn,
): Task<InputOf<Fn, In>, Recorded<Awaited<Out>>>;
export function task(name: string, ...rest: readonly unknown[]): object {
  const callee = makeCallee({ kind: "task", name, what: `task "${name}"` }, rest, task);
  return makeCallable(callee);
}

/** Reads `(options?, fn)` of `task`, `branch` and `shortCircuit`. */
export function makeCallee(
  base: Pick<Callee, "kind" | "name" | "what">,
  rest: readonly unknown[],
  below: StackFunction,
): Callee {
  const [options, fn] = typeof rest[0] === "function" ? [undefined, rest[0]] : rest;
  return {
    ...base,
    mark: markCaller(below),
    options: options as object | undefined,
    ownOptions: [],
    run: fn as TaskFunction,
  };
}

/** The function that authors call. */
export function makeCall(callee: Callee): object {
  const call = (input?: unknown, options?: CallOptions): unknown => callNode(callee, input, options, call);
  return Object.assign(call, { [taskNameBrand]: callee.name });
}

/** The function that authors call, with its `map`. */
export function makeCallable(callee: Callee): object {
  const map = (list: unknown, first?: unknown, options?: MapOptions): unknown =>
    mapNode(callee, list, [first, options], map);
  return Object.assign(makeCall(callee), { map });
}
