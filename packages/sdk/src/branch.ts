/** Decisions: which part of the graph runs. */
import type { EdgeDefinition } from "@millrace/core";
import { currentPlace, graphError, markIn, runBody, type Place } from "./build.ts";
import type { TaskContext } from "./context.ts";
import { edgesOf, makeEdge, type Edge } from "./edge.ts";
import {
  choiceOption,
  describe,
  optionError,
  textListOption,
  type OptionOwner,
  type TaskOptions,
} from "./options.ts";
import { didYouMean } from "./nearest.ts";
import { referenceState, type Ref } from "./reference.ts";
import type { SourceMark } from "./source.ts";
import { makeCall, makeCallee, type CallArguments } from "./task.ts";

declare const choiceType: unique symbol;

/** What a branch's call returns: hand it to `when`. */
export type BranchRef<Choice extends string> = Ref<Choice | readonly Choice[]> & {
  readonly [choiceType]: Choice;
};

/** A branch: called like a task. */
export type Branch<In, Choice extends string> = (...call: CallArguments<In>) => BranchRef<Choice>;

/** Options of a branch. */
export interface BranchOptions<Choice extends string> extends TaskOptions {
  /** Everything that the branch may answer. */
  readonly choices: readonly Choice[];
}

type Answer<Choice extends string> = NoInfer<Choice> | readonly NoInfer<Choice>[];

/**
 * Declares a branch. `fn` answers one or several of `choices`; what follows only other choices is skipped.
 *
 * @example
 * const quality = branch("quality", { choices: ["good", "bad"] }, (input: { errors: number }) =>
 *   input.errors === 0 ? "good" : "bad");
 * // in a body:
 * const verdict = quality({ errors: checked.errors });
 * when(verdict, "good", () => publish(checked));
 * when(verdict, "bad", () => quarantine(checked));
 */
export function branch<const Choice extends string, In = void>(
  name: string,
  options: BranchOptions<Choice>,
  fn: (input: In, ctx: TaskContext) => Answer<Choice> | Promise<Answer<Choice>>,
): Branch<In, Choice>;
export function branch(name: string, ...rest: readonly unknown[]): object {
  const callee = makeCallee({ kind: "branch", name, what: `branch "${name}"` }, rest, branch);
  const { choices } = (callee.options ?? {}) as { readonly choices?: unknown };
  return makeCall({
    ...callee,
    ownOptions: ["choices"],
    decide: (owner) => ({ choices: checkChoices(choices, owner) }),
  });
}

function checkChoices(choices: unknown, owner: OptionOwner): readonly string[] {
  const listed = textListOption(choices, "choices", owner);
  if (listed.length === 0) throw optionError(owner, 'option "choices" must name at least one choice');
  if (new Set(listed).size < listed.length) throw optionError(owner, 'option "choices" names a choice twice');
  return listed;
}

/** Options of a short circuit. */
export interface ShortCircuitOptions extends TaskOptions {
  /** What a false answer skips: everything downstream (`all`, the default), or only what hangs on it directly. */
  readonly skips?: "all" | "direct";
}

/** A short circuit: called like a task, ordered before others with `after`. */
export type ShortCircuit<In> = (...call: CallArguments<In>) => Ref<boolean>;

type Check<In> = (input: In, ctx: TaskContext) => boolean | Promise<boolean>;

/**
 * Declares a short circuit: when `fn` answers false, what follows is skipped, whatever its trigger rules.
 *
 * @example
 * const isWorkday = shortCircuit("is-workday", (input: { day: string }) => !holidays.has(input.day));
 * // in a body:
 * send(report, { after: isWorkday({ day: params.day }) });
 */
export function shortCircuit<In = void>(name: string, fn: Check<In>): ShortCircuit<In>;
export function shortCircuit<In = void>(
  name: string,
  options: ShortCircuitOptions,
  fn: Check<In>,
): ShortCircuit<In>;
export function shortCircuit(name: string, ...rest: readonly unknown[]): object {
  const callee = makeCallee(
    { kind: "short_circuit", name, what: `short circuit "${name}"` },
    rest,
    shortCircuit,
  );
  const { skips } = (callee.options ?? {}) as { readonly skips?: unknown };
  return makeCall({
    ...callee,
    ownOptions: ["skips"],
    decide: (owner) => ({ skips: choiceOption(skips ?? "all", "skips", owner, ["all", "direct"]) }),
  });
}

/**
 * Every node that `body` makes runs only if the branch answered one of the choices. Returns what `body` returns.
 * A node that joins several choices needs the rule `none_failed_min_one_success`.
 */
export function when<Choice extends string, Result>(
  branch: BranchRef<Choice>,
  choices: NoInfer<Choice> | readonly NoInfer<Choice>[],
  body: () => Result,
): Result;
/** An edge for one call's `after`: `publish(data, { after: when(verdict, "good") })`. */
export function when<Choice extends string>(
  branch: BranchRef<Choice>,
  choices: NoInfer<Choice> | readonly NoInfer<Choice>[],
): Edge;
export function when(branch: unknown, choices: unknown, body?: () => unknown): unknown {
  const place = currentPlace("`when`", when);
  const mark = markIn(place.build, when);
  const edge = makeEdge({ owner: place.build, edge: choiceEdge(place, { branch, choices, mark }) });
  if (body === undefined) return edge;
  const { build, region } = place;
  const edges = edgesOf(edge, { build, region, what: "`when`", mark });
  return runBody({ ...place, edges: [...place.edges, ...edges] }, "the body of `when`", body);
}

interface ChoiceUse {
  readonly branch: unknown;
  readonly choices: unknown;
  readonly mark: SourceMark | undefined;
}

function choiceEdge({ build }: Place, { branch, choices, mark }: ChoiceUse): EdgeDefinition {
  const state = referenceState(branch);
  if (state && state.owner !== build) {
    throw graphError(build, "MILLRACE_GRAPH_FOREIGN_REFERENCE", {
      message: `\`when\` follows a branch of pipeline "${state.owner.name}".`,
      mark,
    });
  }
  const node = state?.target.kind === "output" ? build.nodes.get(state.target.node) : undefined;
  if (!node?.choices) {
    throw graphError(build, "MILLRACE_GRAPH_INVALID", {
      message: "`when` needs what a branch's call returned.",
      advice: 'Declare the decision with `branch("…", { choices: […] }, fn)`, call it, and pass its result.',
      mark,
    });
  }
  const listed: readonly unknown[] = Array.isArray(choices) ? choices : [choices];
  const owner = { what: `\`when\` of branch "${node.id}"`, mark, root: build.root };
  if (listed.length === 0) throw optionError(owner, "name at least one choice");
  for (const choice of listed) {
    if (typeof choice === "string" && node.choices.includes(choice)) continue;
    const hint = typeof choice === "string" ? didYouMean(choice, node.choices) : "";
    throw optionError(
      owner,
      `there is no choice ${describe(choice)}.${hint} Known are ${node.choices.join(", ")}`,
    );
  }
  return { node: node.id, choices: listed as readonly string[] };
}
