/**
 * What the log tells of runs only where a condition asks for it: that they start and succeed, and that their nodes do. There are
 * too many of them to tell all (`docs/design/event-log.md`).
 */
import { compileCondition } from "../condition/compile.ts";
import type { Condition } from "../condition/condition.ts";
import type { CompiledWhere } from "../condition/where/compile.ts";
import type { WhereScalar } from "../condition/where/where.ts";
import { parseCondition } from "../condition/parse.ts";
import { errorCodeOf } from "../error/millrace-error.ts";
import type { NodeDefinition, PipelineDefinition, Template } from "../graph/definition.ts";
import type { Json } from "../json.ts";

export const runStarted = "millrace.run.started";
export const runSucceeded = "millrace.run.succeeded";
export const nodeSucceeded = "millrace.node.succeeded";

export type RunNewsType = typeof runStarted | typeof runSucceeded | typeof nodeSucceeded;

/** A condition wants to hear this. Without a subject: of all. */
export interface RunAsk {
  readonly type: RunNewsType;
  /** The pipeline, or `PIPELINE/NODE`. */
  readonly subject: string | undefined;
}

const ofRuns = "millrace.run.";
const ofNodes = "millrace.node.";

/**
 * What a condition asks for. A star alone asks for nothing of it, or it would hear of the runs that it starts itself; and of nodes
 * only those are told that a filter names.
 */
export function runAsksOf(condition: Condition): RunAsk[] {
  return compileCondition(condition).events.flatMap(({ type: given, isPrefix, where }) => {
    const types = [runStarted, runSucceeded, nodeSucceeded].filter((type) =>
      isPrefix ? given.startsWith("millrace.") && type.startsWith(given) : type === given,
    ) as RunNewsType[];
    const subjects = subjectsOf(where);
    return types.flatMap((type): RunAsk[] => {
      if (subjects) return subjects.map((subject) => ({ type, subject }));
      return type === nodeSucceeded ? [] : [{ type, subject: undefined }];
    });
  });
}

/** What a pipeline's trigger and its waits ask for. A wait asks from the deploy on, so that it finds what came since its run began. */
export function runAsksOfPipeline({
  trigger,
  nodes,
}: Pick<PipelineDefinition, "trigger" | "nodes">): RunAsk[] {
  const waits = nodes.filter(({ kind }) => kind === "wait").map(({ input }) => asksOfTemplate(input));
  return [...(trigger ? runAsksOf(trigger.condition) : []), ...waits.flat()];
}

/** Stands for what only a run knows: with it in place of a subject, all are asked for. */
const unknown = "\u0001";

/** The condition of a wait in a graph, as far as the graph has it: what only a run knows stands for itself in no name. */
export function conditionOfWait({
  kind,
  wait,
  input,
}: Pick<NodeDefinition, "kind" | "wait" | "input">): Condition | undefined {
  if (kind !== "wait" || wait?.approval !== undefined) return undefined;
  try {
    return parseCondition(fill(input));
  } catch (error) {
    // A reference stands where only a time or a number may.
    if (errorCodeOf(error) === undefined) throw error;
    return undefined;
  }
}

function asksOfTemplate(input: Template): RunAsk[] {
  const json = fill(input);
  if (!JSON.stringify(json).includes('"millrace.')) return [];
  try {
    return runAsksOf(parseCondition(json)).map((ask) =>
      ask.subject?.includes(unknown) ? { type: ask.type, subject: undefined } : ask,
    );
  } catch (error) {
    // A reference stands where only a time or a number may.
    if (errorCodeOf(error) === undefined) throw error;
    return [
      { type: runStarted, subject: undefined },
      { type: runSucceeded, subject: undefined },
    ];
  }
}

function fill(template: Template): Json {
  switch (template.kind) {
    case "value":
      return template.value;
    case "object":
      return Object.fromEntries(Object.entries(template.entries).map(([name, part]) => [name, fill(part)]));
    case "array":
      return template.items.map(fill);
    default:
      return unknown;
  }
}

/** A pipeline, maybe one of its nodes, of whose ends a condition wants to hear. */
export interface AskedPipeline {
  readonly pipeline: string;
  readonly node?: string;
}

/** Those that the condition's filters name: where there is none of that name, they never hold. */
export function pipelinesAskedOf(condition: Condition): AskedPipeline[] {
  return compileCondition(condition).events.flatMap(({ type, where }) => {
    const subjects = (subjectsOf(where) ?? []).filter((subject) => !subject.includes(unknown));
    if (type.startsWith(ofRuns)) return subjects.map((pipeline) => ({ pipeline }));
    if (!type.startsWith(ofNodes)) return [];
    return subjects.map((subject) => {
      const [pipeline = "", ...node] = subject.split("/");
      return { pipeline, node: node.join("/") };
    });
  });
}

/** The subjects that a filter leaves possible; nothing where it names none. */
function subjectsOf(where: CompiledWhere | undefined): string[] | undefined {
  const isSubject = ({ path }: { readonly path: readonly string[] }): boolean =>
    path.length === 1 && path[0] === "subject";
  const equality = where?.equalities.find(isSubject);
  const oneOf: readonly WhereScalar[] | undefined = equality
    ? [equality.value]
    : where?.alternatives.find(isSubject)?.oneOf;
  return oneOf?.filter((value) => typeof value === "string");
}
