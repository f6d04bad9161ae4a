/** Fills templates from what a run has recorded. */
import { assert, unreachable } from "../assert.ts";
import { chainOf, sharedDepth, type GraphNode, type GraphRegion } from "../graph/graph.ts";
import type { Template } from "../graph/definition.ts";
import { valueAt, type Json } from "../json.ts";
import { streamedMembersOf } from "../trigger/merged-firing.ts";
import { scopeAt } from "./scope.ts";
import type { Expansion, Run, Scope, StoredValue, TaskRun } from "./state.ts";

export type Resolved =
  | { readonly kind: "value"; readonly value: Json }
  /** Blobs that must be loaded first: call again with them. */
  | { readonly kind: "missing"; readonly blobs: readonly string[] };

interface Resolving {
  readonly run: Run;
  readonly scope: Scope;
  readonly blobs: ReadonlyMap<string, Json> | undefined;
  readonly missing: Set<string>;
}

/**
 * Resolves `template` as seen from `scope`. What is not there (the output of a parent that did not succeed, a property
 * that the value does not have) is null: rules other than `all_success` let a node start without its parents' values.
 */
export function resolveTemplate(
  run: Run,
  scope: Scope,
  template: Template,
  blobs?: ReadonlyMap<string, Json>,
): Resolved {
  const resolving: Resolving = { run, scope, blobs, missing: new Set() };
  const value = fill(resolving, template);
  return resolving.missing.size > 0
    ? { kind: "missing", blobs: [...resolving.missing] }
    : { kind: "value", value };
}

/**
 * How many members of the run's firing a template asks for that are not in its value: these are read as a stream. Nothing
 * where it asks for none.
 */
export function streamedMembersIn(run: Run, template: Template): number | undefined {
  const count = run.firing?.value === undefined ? undefined : streamedMembersOf(run.firing.value);
  return count === undefined || !asksForMembers(template) ? undefined : count;
}

function asksForMembers(template: Template): boolean {
  switch (template.kind) {
    case "firing":
      return template.path.length === 0 || template.path[0] === "members";
    case "object":
      return Object.values(template.entries).some(asksForMembers);
    case "array":
      return template.items.some(asksForMembers);
    default:
      return false;
  }
}

/** The stored output that a template hands on untouched, so that a large one need not be loaded. */
export function wholeOutput(run: Run, scope: Scope, template: Template): StoredValue | undefined {
  if (template.kind !== "output" || template.path.length > 0) return undefined;
  const node = run.graph.byId.get(template.node);
  if (!node || node.depth > sharedDepth(node.region, scope.region)) return undefined;
  const taskRun = scopeAt(scope, node.depth).taskRuns[node.slot];
  return taskRun?.state === "succeeded" ? taskRun.output : undefined;
}

function fill(resolving: Resolving, template: Template): Json {
  switch (template.kind) {
    case "value":
      return template.value;
    case "object": {
      const value: Record<string, Json> = {};
      for (const [key, entry] of Object.entries(template.entries)) {
        Object.defineProperty(value, key, {
          value: fill(resolving, entry),
          enumerable: true,
          writable: true,
          configurable: true,
        });
      }
      return value;
    }
    case "array":
      return template.items.map((entry) => fill(resolving, entry));
    case "params":
      return valueAt(load(resolving, resolving.run.params), template.path) ?? null;
    case "firing":
      return valueAt(load(resolving, resolving.run.firing), template.path) ?? null;
    case "item":
      return valueAt(enclosing(resolving.scope, template.region).item ?? null, template.path) ?? null;
    case "index":
      return enclosing(resolving.scope, template.region).index;
    case "output":
      return valueAt(outputOf(resolving, template.node), template.path) ?? null;
    default:
      return unreachable(template);
  }
}

function enclosing(scope: Scope, region: string): Scope {
  for (let current: Scope | undefined = scope; current; current = current.parent) {
    if (current.region?.definition.id === region) return current;
  }
  throw new Error(`invariant broken: the region ${region} encloses its use`);
}

function load(resolving: Resolving, stored: StoredValue | undefined): Json {
  if (!stored) return null;
  if (stored.value !== undefined) return stored.value;
  assert(stored.blob !== undefined, "a stored value is inline or a blob");
  const value = resolving.blobs?.get(stored.blob);
  if (value !== undefined) return value;
  resolving.missing.add(stored.blob);
  return null;
}

function outputOf(resolving: Resolving, id: string): Json {
  const node = resolving.run.graph.byId.get(id);
  assert(node, `the node ${id} exists`);
  const level = sharedDepth(node.region, resolving.scope.region);
  const base = scopeAt(resolving.scope, level);
  if (node.depth === level) return instanceOutput(resolving, base.taskRuns[node.slot]!);
  const chain = chainOf(node.region).slice(level);
  const settled = chain.some((region) => region.definition.settled);
  return gather(resolving, base, { node, chain, settled }) ?? null;
}

function instanceOutput(resolving: Resolving, taskRun: TaskRun): Json {
  return taskRun.state === "succeeded" ? load(resolving, taskRun.output) : null;
}

interface Gathering {
  readonly node: GraphNode;
  readonly chain: readonly GraphRegion[];
  readonly settled: boolean;
}

/** The list of items' outputs in order, without skipped ones; `undefined` when one failed and nobody asked to settle. */
function gather(resolving: Resolving, scope: Scope, gathering: Gathering): Json[] | undefined {
  const { node, chain, settled } = gathering;
  const expansion = scope.expansions[chain[scope.depth - chain[0]!.depth + 1]!.slot]!;
  if (expansion.state !== "expanded")
    return placeholderOf(expansion, node).state === "succeeded" ? [] : undefined;
  const list: Json[] = [];
  for (const item of expansion.items) {
    const end = endOfItem(item, gathering);
    if (end?.state === "skipped") continue;
    let output: Json | undefined;
    if (!end) output = gather(resolving, item, gathering);
    else if (settled) output = settledOutput(resolving, end);
    else if (end.state === "succeeded") output = load(resolving, end.output);
    if (output === undefined) return undefined;
    list.push(output);
  }
  return list;
}

/** What stands for the node in an item, unless that is a list of its own. */
function endOfItem(item: Scope, { node, chain }: Gathering): TaskRun | undefined {
  if (item.depth === node.depth) return item.taskRuns[node.slot];
  const inner = item.expansions[chain[item.depth - chain[0]!.depth + 1]!.slot]!;
  if (inner.state === "expanded") return undefined;
  const placeholder = placeholderOf(inner, node);
  return placeholder.state === "succeeded" ? undefined : placeholder;
}

function placeholderOf(expansion: Expansion, node: GraphNode): TaskRun {
  const found = expansion.placeholders.find((taskRun) => taskRun.node === node);
  assert(found, `a fan-out without items has a placeholder for ${node.definition.id}`);
  return found;
}

function settledOutput(resolving: Resolving, taskRun: TaskRun): Json {
  if (taskRun.state === "succeeded") return { status: "succeeded", value: load(resolving, taskRun.output) };
  const error = taskRun.error ? { name: taskRun.error.name, message: taskRun.error.message } : null;
  return { status: taskRun.state, error };
}
