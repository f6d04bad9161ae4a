/** Waits in a graph: a node that a condition ends. */
import {
  errorCodeOf,
  MillraceError,
  noRetry,
  parseCondition,
  type ApprovalOptions,
  type Duration,
  type Json,
} from "@millrace/core";
import { claimId, currentPlace, markIn, type Place } from "./build.ts";
import { ruleOption, type CallOptions } from "./call.ts";
import type { Firing } from "./condition/firing.ts";
import type { DescribedCondition } from "./condition/described.ts";
import { eventTypesWithin } from "./condition/event-type.ts";
import { fillHoles, hasHoles } from "./condition/hole.ts";
import { conditionOf, type On, type Operands } from "./condition/on.ts";
import { edgesOf } from "./edge.ts";
import { toTemplate } from "./input.ts";
import { checkName } from "./name.ts";
import {
  checkOptionNames,
  choiceOption,
  optionError,
  parsePositiveDuration,
  type OptionOwner,
} from "./options.ts";
import { makeReference, type Ref } from "./reference.ts";
import { formatSource, locate, type SourceMark } from "./source.ts";

/** Options of a wait. */
export interface WaitOptions extends Pick<CallOptions, "id" | "after" | "rule"> {
  /** From when the node begins to wait. Without it, it waits for as long as its run goes on. */
  readonly timeout?: Duration;
  /**
   * What becomes of the node then: it fails (`fail`, the default), it is skipped, and so is what follows (`skip`), or it
   * succeeds and its output says `timedOut` (`continue`).
   */
  readonly onTimeout?: "fail" | "skip" | "continue";
}

/** What ended a wait: the exact members by operand name, or that its time was over. */
export interface WaitResult<Of extends Operands> extends Firing<Of> {
  /** Only with `onTimeout: "continue"`: nothing came, and there are no members. */
  readonly timedOut: boolean;
}

const optionNames = ["id", "after", "rule", "timeout", "onTimeout"];

/**
 * A node that waits for a condition: it holds no slot and no process. Filters may hold references. An event that came since
 * the run began counts.
 *
 * @example
 * const order = place({ item: params.item });
 * const paid = wait(on.event("order.paid", { where: { data: { orderId: order.id } } }), { timeout: "2d" });
 * ship({ order: order.id }, { after: paid });
 */
export function wait<Of extends Operands>(condition: On<Of>, options: WaitOptions = {}): Ref<WaitResult<Of>> {
  const place = currentPlace("`wait`", wait);
  const { build } = place;
  const mark = markIn(build, wait);
  const owner: OptionOwner = { what: `In pipeline "${build.name}", the wait`, mark, root: build.root };
  checkOptionNames(options, optionNames, owner);
  if (options.id !== undefined) checkName(options.id, owner);
  const input = fillHoles(conditionJson(condition, owner));
  build.conditions.push(described(condition, owner));
  return addWaitNode<WaitResult<Of>>({
    place,
    owner,
    mark,
    options,
    name: options.id ?? "wait",
    what: "the condition",
    input,
  });
}

export interface WaitNode {
  readonly place: Place;
  readonly owner: OptionOwner;
  readonly mark: SourceMark | undefined;
  readonly options: Pick<WaitOptions, "after" | "rule" | "timeout" | "onTimeout">;
  readonly name: string;
  /** What `input` is. */
  readonly what: string;
  readonly input: unknown;
  readonly approval?: ApprovalOptions;
}

/** Adds a node that waits, and refers to its output. */
export function addWaitNode<Output>({
  place,
  owner,
  mark,
  options,
  name,
  what,
  input,
  approval,
}: WaitNode): Ref<Output> {
  const { build, region } = place;
  const id = place.prefix + name;
  claimId(build, id, mark);
  const where = { build, region, what: `${what} of "${id}"`, mark };
  build.nodes.set(id, {
    id,
    kind: "wait",
    name,
    region,
    input: toTemplate(input, where),
    after: [...place.edges, ...edgesOf(options.after, { ...where, what: `"${id}"` })],
    rule: ruleOption(options.rule, owner),
    teardownOf: undefined,
    wait: {
      onTimeout: choiceOption(options.onTimeout ?? "fail", "onTimeout", owner, ["fail", "skip", "continue"]),
      ...(options.timeout === undefined
        ? {}
        : { timeoutMs: parsePositiveDuration(options.timeout, "timeout", owner) }),
      ...(approval ? { approval } : {}),
    },
    options: { retry: noRetry, priority: 0, queue: "default", env: [], connections: [] },
    description: undefined,
    mark,
  });
  if (options.onTimeout !== undefined && options.timeout === undefined)
    throw optionError(owner, 'option "onTimeout" says something about "timeout", which it lacks');
  return makeReference<Output>({
    owner: build,
    target: { kind: "output", node: id, path: [] },
    view: region,
  });
}

/** What `conditionJson` has accepted. */
function described(condition: unknown, { what }: OptionOwner): DescribedCondition {
  const { condition: given, mark } = conditionOf(condition)!;
  const json = given as unknown as Json;
  return {
    condition: parseCondition(json),
    eventTypes: eventTypesWithin(given),
    what,
    mark,
    hasHoles: hasHoles(json),
  };
}

function conditionJson(condition: unknown, owner: OptionOwner): Json {
  const made = conditionOf(condition);
  if (!made)
    throw optionError(owner, "its first argument must be a condition, which the functions of `on` give");
  const json = made.condition as unknown as Json;
  if (made.condition.by !== undefined) {
    throw optionError(
      owner,
      "its condition has a key (`.by`), which keeps many states: a wait has one. Ask for one key's events by `where`",
    );
  }
  try {
    parseCondition(json, []);
    return json;
  } catch (error) {
    if (errorCodeOf(error) === undefined) throw error;
    const { code, message, advice, fields } = error as MillraceError;
    const source = locate(made.mark, owner.root);
    throw new MillraceError(code, {
      message: `${owner.what} (${formatSource(source)}): ${message}`,
      advice,
      fields,
      ...(source ? { source } : {}),
    });
  }
}
