/** Random pipelines and random messages, read from a tape of numbers: a shorter or smaller tape is a simpler case. */
import { errorCodeOf } from "../src/error/millrace-error.ts";
import { compileGraph } from "../src/graph/compile.ts";
import type {
  NodeDefinition,
  NodeKind,
  PipelineDefinition,
  RegionDefinition,
  Template,
} from "../src/graph/definition.ts";
import { triggerRules } from "../src/graph/definition.ts";
import type { Json } from "../src/json.ts";
import { noRetry } from "../src/retry/policy.ts";
import type { AttemptOutcome, DispatchName, RunState } from "../src/run/state.ts";
import { nodeWait, type OperationOutcome, type WaitRequest } from "../src/run/wait.ts";
import { node, output, plainOptions, region, value, why } from "./build.ts";
import type { Message, Model, ModelTaskRun } from "./model.ts";

export class Tape {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get isOver(): boolean {
    return this.#at >= this.#numbers.length;
  }

  /** 0 … count − 1; 0 when the tape is over. */
  pick(count: number): number {
    const next = this.#numbers[this.#at] ?? 0;
    this.#at += 1;
    return next % count;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.pick(choices.length)]!;
  }

  /** True `times` out of `total`; false when the tape is over. */
  chance(times: number, total: number): boolean {
    return this.pick(total) >= total - times;
  }
}

export const params: Json = { list: [1, 2], none: [], word: "x" };

interface Draft {
  readonly nodes: NodeDefinition[];
  readonly regions: RegionDefinition[];
}

/** Every vertex refers to earlier ones only, so there is no cycle. */
export function makeDefinition(tape: Tape): PipelineDefinition {
  const draft: Draft = { nodes: [], regions: [] };
  const count = 1 + tape.pick(7);
  for (let at = 0; at < count; at += 1) {
    if (draft.regions.length < 3 && tape.chance(1, 3)) makeRegion(tape, draft);
    draft.nodes.push(makeNode(tape, draft, `n${at}`));
  }
  const used = (id: string): boolean =>
    draft.nodes.some((some) => some.region === id) ||
    draft.regions.some((inner) => inner.parent === id && used(inner.id));
  const definition: PipelineDefinition = {
    name: "random",
    tags: [],
    paused: false,
    nodes: draft.nodes,
    regions: draft.regions.filter(({ id }) => used(id)),
    ...(tape.chance(1, 3) ? { output: output(tape.of(draft.nodes).id) } : {}),
    ...(tape.chance(1, 8) ? { deadlineMs: 5_000 } : {}),
  };
  return isRefused(definition) ? withoutConcurrency(definition) : definition;
}

/** The one fault that can be made here: an item that waits for all items of a bounded fan-out. */
function isRefused(definition: PipelineDefinition): boolean {
  try {
    compileGraph(definition);
    return false;
  } catch (error) {
    if (errorCodeOf(error) === "MILLRACE_GRAPH_INVALID") return true;
    throw error;
  }
}

function unbounded({ id, parent, over, combine, settled }: RegionDefinition): RegionDefinition {
  return { id, over, combine, settled, ...(parent === undefined ? {} : { parent }) };
}

function withoutConcurrency(definition: PipelineDefinition): PipelineDefinition {
  return { ...definition, regions: definition.regions.map(unbounded) };
}

function makeRegion(tape: Tape, draft: Draft): void {
  const outer = draft.regions.filter(({ parent }) => parent === undefined);
  const parent = outer.length > 0 && tape.chance(1, 2) ? tape.of(outer).id : undefined;
  const over = [makeList(tape, draft, parent)];
  if (tape.chance(1, 5)) over.push(makeList(tape, draft, parent));
  draft.regions.push({
    ...region(`r${draft.regions.length}`, value([])),
    over,
    combine: tape.of(["zip", "cross"]),
    settled: tape.chance(1, 4),
    ...(parent === undefined ? {} : { parent }),
    ...(tape.chance(1, 3) ? { concurrency: 1 + tape.pick(2) } : {}),
  });
}

function makeList(tape: Tape, draft: Draft, parent: string | undefined): Template {
  const kind = tape.pick(6);
  if (kind <= 2 && draft.nodes.length > 0) return output(tape.of(draft.nodes).id);
  if (kind === 3) return { kind: "params", path: [tape.of(["list", "none", "word"])] };
  if (kind === 4 && parent !== undefined) return { kind: "item", region: parent, path: [] };
  return value(tape.of<Json>([[1], [1, 2], [[1, 2], [3]], [1, 2, 3], []]));
}

const kinds: readonly NodeKind[] = ["task", "task", "task", "branch", "short_circuit", "call", "wait"];

function makeNode(tape: Tape, draft: Draft, id: string): NodeDefinition {
  const inRegion = draft.regions.length > 0 && tape.chance(1, 2) ? tape.of(draft.regions).id : undefined;
  const kind = tape.of(kinds);
  const setups = draft.nodes.length > 0 && tape.chance(1, 5) ? [tape.of(draft.nodes).id] : [];
  if (setups.length > 0 && tape.chance(1, 3)) setups.push(tape.of(draft.nodes).id);
  const reads = draft.nodes.length > 0 && tape.chance(1, 3) ? output(tape.of(draft.nodes).id) : value(null);
  const retries = tape.of([0, 0, 1, 2]);
  const delayMs = tape.of([100, 0]);
  return {
    ...node(id, { input: reads }),
    kind,
    after: makeEdges(tape, draft, inRegion),
    rule: setups.length > 0 ? "all_done_setup_success" : makeRule(tape),
    options: { ...plainOptions, retry: { ...noRetry, retries, delayMs } },
    ...(inRegion === undefined ? {} : { region: inRegion }),
    ...(setups.length > 0 ? { teardownOf: [...new Set(setups)] } : {}),
    ...(kind === "branch" ? { choices: ["a", "b"] } : {}),
    ...(kind === "short_circuit" ? { skips: tape.of(["all", "direct"] as const) } : {}),
    ...(kind === "call" ? { calls: "other" } : {}),
  };
}

const makeRule = (tape: Tape): NodeDefinition["rule"] =>
  tape.chance(1, 2) ? tape.of(triggerRules) : "all_success";

function makeEdges(tape: Tape, draft: Draft, inRegion: string | undefined): NodeDefinition["after"] {
  if (draft.nodes.length === 0) return [];
  const count = tape.of([1, 0, 1, 2, 3]);
  return Array.from({ length: count }, () => {
    const parent = tape.of(draft.nodes);
    const around = chainOf(draft, inRegion);
    const enclosing = parent.region === undefined || around.includes(parent.region);
    const choices = tape.of([["a"], ["b"], ["a", "b"]]);
    return parent.kind === "branch" && enclosing && tape.chance(3, 4)
      ? { node: parent.id, choices }
      : { node: parent.id };
  });
}

function chainOf(draft: Draft, id: string | undefined): string[] {
  if (id === undefined) return [];
  return [id, ...chainOf(draft, draft.regions.find((some) => some.id === id)?.parent)];
}

/** The next message of a story; `sent` holds the earlier ones, some of which come again. */
export function makeMessage(tape: Tape, model: Model, sent: readonly Message[]): Message {
  const rare = tape.pick(60);
  if (rare >= 40 && rare < 48 && sent.length > 0) return tape.of(sent);
  if (rare >= 48) return makeIntervention(tape, model, rare);
  const live = model.taskRuns.filter(({ state }) =>
    ["queued", "running", "waiting", "retrying"].includes(state),
  );
  if (model.state === "queued" || live.length === 0) return { kind: "start" };
  return makeProgress(tape, model, tape.of(live));
}

function makeIntervention(tape: Tape, model: Model, which: number): Message {
  const retrying = model.taskRuns.filter(({ state }) => state === "retrying");
  const target = tape.of(retrying.length > 0 && tape.chance(1, 2) ? retrying : model.taskRuns);
  const name = { node: target.node.id, item: target.path.join(".") };
  switch (which) {
    case 48:
      return { kind: "cancel", by: tape.of(["user", "parent"]), reason: why };
    case 49:
      return tape.chance(1, 3)
        ? { kind: "cancel", by: "parent", reason: why, force: true }
        : { kind: "start" };
    case 50:
      return tape.chance(1, 2) ? { kind: "deadline" } : { kind: "start" };
    case 51:
      return tape.chance(1, 4) ? { kind: "quarantine", reason: why } : { kind: "start" };
    case 52:
    case 53:
      return { kind: "cancel_node", ...name, reason: why };
    case 54:
      return { kind: "cancel_node", node: name.node, reason: why };
    case 55:
      return { kind: "start" };
    default:
      return {
        kind: "mark",
        ...name,
        state: tape.of(["succeeded", "failed", "skipped"]),
        output: { value: makeOutput(tape, model, target) },
        reason: why,
      };
  }
}

function makeProgress(tape: Tape, model: Model, target: ModelTaskRun): Message {
  const name = { node: target.node.id, item: target.path.join(".") };
  const token = tokenOf(model, target);
  switch (target.state) {
    case "queued":
      if (tape.chance(1, 12)) return { kind: "refuse", ...name, error: { name: "Input", message: "odd" } };
      if (tape.chance(1, 12)) return { kind: "cached", ...name, output: makeOutput(tape, model, target) };
      return { kind: "dispatch", ...name };
    case "retrying":
      return { kind: "retry_due", ...name, generation: model.generation };
    case "waiting":
      return target.node.kind === "call"
        ? makeCallNews(tape, model, target)
        : makeWaitEnd(tape, model, target);
    default: {
      if (target.node.kind === "task" && tape.chance(1, 6))
        return { kind: "suspended", token, waits: makeWaits(tape) };
      if (target.open.size > 0 && tape.chance(1, 3)) return makeWaitEnd(tape, model, target);
      const error = { name: "Lost", message: "gone" };
      if (tape.chance(1, 8)) return { kind: "lost", token, blame: tape.chance(2, 3), error };
      return { kind: "result", token, outcome: makeOutcome(tape, model, target), random: 0.5 };
    }
  }
}

const waitNames = ["a", "b"].flatMap((name) => [1, 2].map((occurrence) => ({ name, occurrence })));

function makeWaits(tape: Tape): WaitRequest[] {
  const wanted = waitNames.filter(() => tape.chance(1, 2));
  const names = wanted.length > 0 ? wanted : [tape.of(waitNames)];
  return names.map((name) => ({ ...name, op: { kind: "sleep", ms: 1 } }));
}

/** Of a wait that is open, or of one that is not. */
function makeWaitEnd(tape: Tape, model: Model, target: ModelTaskRun): Message {
  const name = target.node.kind === "wait" ? nodeWait : tape.of(waitNames);
  const outcome = tape.of<OperationOutcome>([
    { kind: "value", value: { value: makeOutput(tape, model, target) } },
    { kind: "timeout" },
    { kind: "error", error: { name: "Odd", message: "" } },
  ]);
  const { id } = target.node;
  const ended = { kind: "wait_ended", node: id, item: target.path.join("."), position: 7 } as const;
  return { ...ended, generation: model.generation, ...name, outcome };
}

function makeCallNews(tape: Tape, model: Model, target: ModelTaskRun): Message {
  const token = tokenOf(model, target);
  const childRunId = `child-${token.node}-${token.item}-${token.dispatch}`;
  if (tape.chance(1, 8))
    return { kind: "call_failed", token, error: { name: "NoSuchPipeline", message: "" } };
  if (target.childRunId === undefined && !tape.chance(1, 5))
    return { kind: "call_started", token, childRunId };
  const state = tape.of<RunState>(["succeeded", "succeeded", "failed", "cancelled", "superseded"]);
  const ended = { kind: "child_ended", token, childRunId, state, random: 0.5, reason: undefined } as const;
  return { ...ended, output: { value: makeOutput(tape, model, target) } };
}

export function tokenOf(model: Model, { node, path, dispatch }: ModelTaskRun): DispatchName {
  return { node: node.id, item: path.join("."), generation: model.generation, dispatch };
}

function makeOutcome(tape: Tape, model: Model, target: ModelTaskRun): AttemptOutcome {
  const which = tape.pick(10);
  if (which <= 5) return { kind: "succeeded", output: { value: makeOutput(tape, model, target) } };
  if (which === 6) return { kind: "skipped", reason: "nothing to do" };
  if (which === 7) return { kind: "cancelled" };
  const error = { name: "Error", message: "it broke" };
  return { kind: "failed", error: tape.chance(1, 4) ? { ...error, next: "fatal" } : error };
}

export function makeOutput(tape: Tape, model: Model, { node }: ModelTaskRun): Json {
  if (node.kind === "branch") return tape.of<Json>(["a", "b", ["a", "b"], [], null, "wrong"]);
  if (node.kind === "short_circuit") return tape.of<Json>([true, false, [1], 0]);
  const feeds = model.definition.regions.some(({ over }) =>
    over.some((list) => list.kind === "output" && list.node === node.id),
  );
  return feeds
    ? tape.of<Json>([[1, 2], [5], [], [[1], [2, 3]], "no list", [1, 2, 3]])
    : tape.of<Json>([1, null, [1]]);
}
