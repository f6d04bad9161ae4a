/** What a test says of a task: what it answers instead of its function, how long it takes; and what it was asked. */
import { MillraceError, type Duration } from "@millrace/core";
import type { TaskContext } from "@millrace/sdk";
import { requireMembers } from "./member-names.ts";
import { readSpan } from "./virtual-time.ts";

/** One attempt of a task, as it began. */
export interface TaskCall<In = unknown> {
  readonly input: In;
  /** The run's id. */
  readonly run: string;
  readonly pipeline: string;
  readonly node: string;
  /** `""` outside fan-outs, else the item path: `"3"`, nested `"3.0"`. */
  readonly item: string;
  /** From 1. */
  readonly attempt: number;
  readonly at: Date;
}

export interface Answering<In = unknown> {
  /** Attempts that are answered so; then comes what was said next, or the task's own function. All unless given. */
  readonly times?: number;
  /** Only attempts for which this says true. */
  readonly when?: (call: TaskCall<In>) => boolean;
}

/**
 * Controls one task, in all pipelines that have it. What is said with `times` holds one after the other, in the order in
 * which it was said; what is said without holds from then on, until something else is said without.
 */
export interface TaskControl<In = unknown, Out = unknown> {
  readonly name: string;
  /** The attempts that have begun, the oldest first. */
  readonly calls: readonly TaskCall<In>[];
  /**
   * Its attempts fail with this error: a text, an `Error`, or what steers retries (`Fatal`, `RetryAfter`, `Skip`).
   *
   * @example
   * t.task("fetch").fails("the station did not answer", { times: 2 });
   */
  fails(error: unknown, options?: Answering<In>): this;
  /** Its attempts succeed with this value; its function is not called. */
  returns(value: Out, options?: Answering<In>): this;
  /** Its attempts call this function instead of its own. */
  does(fn: (input: In, ctx: TaskContext) => Out | Promise<Out>, options?: Answering<In>): this;
  /** Its attempts never answer: they end by their timeout, or a cancel. */
  hangs(options?: Answering<In>): this;
  /** Each of its attempts takes so long by the virtual clock: no time at all unless said. Throws MILLRACE_TEST_CLOCK. */
  takes(span: Duration): this;
  /** Forgets what was said: its own function is called again, and takes no time. */
  reset(): this;
}

export type Behaviour =
  | { readonly kind: "returns"; readonly value: unknown }
  | { readonly kind: "throws"; readonly error: unknown }
  | { readonly kind: "calls"; readonly fn: (input: never, ctx: TaskContext) => unknown }
  | { readonly kind: "hangs" };

interface Rule {
  readonly behaviour: Behaviour;
  readonly when: ((call: TaskCall<never>) => boolean) | undefined;
  left: number;
}

/** What an attempt does, and how long it takes. Without a behaviour it calls its own function. */
export interface Beginning {
  readonly behaviour: Behaviour | undefined;
  readonly takesMs: number;
}

export class ControlledTask implements TaskControl {
  readonly name: string;
  readonly calls: TaskCall[] = [];
  #rules: Rule[] = [];
  #takesMs = 0;

  constructor(name: string) {
    this.name = name;
  }

  fails(error: unknown, options?: Answering): this {
    const thrown = typeof error === "string" ? new Error(error) : error;
    return this.#add({ kind: "throws", error: thrown }, options);
  }

  returns(value: unknown, options?: Answering): this {
    return this.#add({ kind: "returns", value }, options);
  }

  does(fn: (input: never, ctx: TaskContext) => unknown, options?: Answering): this {
    return this.#add({ kind: "calls", fn }, options);
  }

  hangs(options?: Answering): this {
    return this.#add({ kind: "hangs" }, options);
  }

  takes(span: Duration): this {
    this.#takesMs = readSpan(span, `What the task "${this.name}" takes`);
    return this;
  }

  reset(): this {
    this.#rules = [];
    this.#takesMs = 0;
    return this;
  }

  begin(call: TaskCall): Beginning {
    this.calls.push(call);
    const rule = this.#rules.find(({ left, when }) => left > 0 && (when?.(call as never) ?? true));
    if (rule) rule.left -= 1;
    const takesMs = rule?.behaviour.kind === "hangs" ? Number.POSITIVE_INFINITY : this.#takesMs;
    return { behaviour: rule?.behaviour, takesMs };
  }

  #add(behaviour: Behaviour, answering: Answering = {}): this {
    const { times = Number.POSITIVE_INFINITY, when } = requireAnswering(answering, this.name);
    const isForAll = (rule: Rule): boolean =>
      rule.when === undefined && rule.left === Number.POSITIVE_INFINITY;
    const added = { behaviour, left: times, when };
    if (isForAll(added)) this.#rules = this.#rules.filter((rule) => !isForAll(rule));
    // What holds for all stands last: what is said for some comes before.
    const at = this.#rules.findIndex(isForAll);
    if (at < 0) this.#rules.push(added);
    else this.#rules.splice(at, 0, added);
    return this;
  }
}

/** Throws MILLRACE_OPTION_INVALID. */
function requireAnswering(answering: Answering, task: string): Answering {
  const what = `What is said of the task ${JSON.stringify(task)}`;
  const { times = 1, when } = requireMembers(answering, ["times", "when"], {
    what,
    code: "MILLRACE_OPTION_INVALID",
  });
  const isTold = times === Number.POSITIVE_INFINITY || (Number.isInteger(times) && times > 0);
  if (isTold && (when === undefined || typeof when === "function")) return answering;
  throw new MillraceError("MILLRACE_OPTION_INVALID", {
    message: isTold
      ? `${what} has a \`when\` that is no function.`
      : `${what} has the \`times\` ${JSON.stringify(times)}: expected a whole number from 1 on.`,
    fields: { task },
  });
}
