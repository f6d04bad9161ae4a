/**
 * How an ending spreads through a run: tallies change, rules decide, regions expand, scopes and the run end.
 *
 * P1: a task run leaves an end state only by a rerun or a mark, which make a new generation.
 * P2: a task run is decided at most once per generation: only `pending` ones are evaluated.
 * P3: the run ends exactly when nothing in it is open.
 */
import { assert } from "../assert.ts";
import { downstreamOf, type GraphEdge, type GraphNode, type GraphRegion } from "../graph/graph.ts";
import type { Json } from "../json.ts";
import { mapItemsMax } from "../limits.ts";
import type { AttemptError } from "../retry/policy.ts";
import { resolveTemplate } from "./input.ts";
import { judgeRun } from "./judge.ts";
import { ruleReason } from "./rule-reason.ts";
import { decideRule, parentFacts } from "./rule.ts";
import {
  countOutcome,
  factsOf,
  fillExpansion,
  forEachScope,
  outcomeSeenFrom,
  scopeAt,
  tallyOf,
} from "./scope.ts";
import {
  isEndState,
  type EndState,
  type Expansion,
  type Reason,
  type Run,
  type RunEffect,
  type Scope,
  type TaskRun,
} from "./state.ts";
import type { OpenWait } from "./wait.ts";

interface Task {
  readonly subject: GraphNode | GraphRegion;
  readonly scope: Scope;
  /** The edge over which news came; absent: look at all. */
  readonly cause?: GraphEdge;
}

/** One decision under way. */
export interface Step {
  readonly run: Run;
  readonly now: number;
  readonly effects: RunEffect[];
  readonly touched: Set<TaskRun>;
  runTouched: boolean;
  /** Rebuilding from rows: outcomes are counted, nothing is decided. */
  readonly rebuilding: boolean;
  /** Nodes and regions to evaluate below a scope, in order. */
  readonly agenda: Task[];
}

export function newStep(run: Run, now: number, rebuilding = false): Step {
  return { run, now, effects: [], touched: new Set(), runTouched: false, rebuilding, agenda: [] };
}

/** Evaluates until nothing more follows, then closes the decision. */
export function settle(step: Step): RunEffect[] {
  for (let at = 0; at < step.agenda.length; at += 1) {
    const { subject, scope, cause } = step.agenda[at]!;
    if ("leaf" in subject)
      forEachScope(subject.region, scope, (inner) =>
        evaluateNode(step, inner.taskRuns[subject.slot]!, cause),
      );
    else
      forEachScope(subject.parent, scope, (outer) => evaluateRegion(step, outer.expansions[subject.slot]!));
  }
  step.agenda.length = 0;
  for (const taskRun of step.touched) step.effects.push({ kind: "task_run", taskRun });
  updateRunState(step);
  if (step.runTouched) step.effects.push({ kind: "run" });
  return step.effects;
}

const countedStates = new Set(["queued", "running", "waiting", "retrying"]);

/** Changes a task run's state and keeps the run's counts right. Every state change goes through here. */
export function setState(step: Step, taskRun: TaskRun, state: TaskRun["state"]): void {
  const counts: Record<string, number> = step.run.counts;
  if (countedStates.has(taskRun.state)) counts[taskRun.state]! -= 1;
  if (countedStates.has(state)) counts[state]! += 1;
  taskRun.state = state;
}

/** The agenda entries of everything in a scope that may begin. */
export function enterScope(step: Step, scope: Scope): void {
  scope.active = true;
  for (const taskRun of scope.taskRuns) step.agenda.push({ subject: taskRun.node, scope });
  for (const expansion of scope.expansions) step.agenda.push({ subject: expansion.region, scope });
}

export interface Ending {
  readonly state: EndState;
  readonly reason?: Reason;
}

/** Ends a task run (not a placeholder) and puts on the agenda what that may decide. */
export function endTaskRun(step: Step, taskRun: TaskRun, ending: Ending): void {
  assert(!isEndState(taskRun.state), "an ended task run does not end again (P1)");
  setEnd(step, taskRun, ending);
  spreadOutcome(step, taskRun, taskRun.scope);
  const { scope } = taskRun;
  scope.open -= 1;
  if (scope.open === 0) endScope(step, scope);
}

function setEnd(step: Step, taskRun: TaskRun, ending: Ending): void {
  setState(step, taskRun, ending.state);
  taskRun.reason = ending.reason;
  if (step.rebuilding) return;
  taskRun.endedAt = step.now;
  taskRun.resumeAt = undefined;
  if (taskRun.generation === 0) taskRun.generation = step.run.generation;
  step.touched.add(taskRun);
  endWaits(step, taskRun);
}

/** Nobody waits for anything of it any more. */
function endWaits(step: Step, taskRun: TaskRun): void {
  const open = taskRun.code?.open;
  const isWaiting = taskRun.node.definition.kind === "wait" && taskRun.dispatch > 0;
  if (isWaiting || open?.size) step.effects.push({ kind: "unwait", taskRun, wait: undefined });
  for (const wait of open?.values() ?? []) cancelCalled(step, taskRun, wait);
  open?.clear();
}

export function cancelCalled(step: Step, taskRun: TaskRun, { childRunId }: OpenWait): void {
  if (childRunId !== undefined)
    step.effects.push({ kind: "cancel_child", taskRun, childRunId, force: step.run.cancel?.force ?? false });
}

function spreadOutcome(step: Step, taskRun: TaskRun, from: Scope): void {
  const { node } = taskRun;
  for (const level of node.levels) {
    if (level > from.depth) break;
    const scope = scopeAt(from, level);
    const seen = outcomeSeenFrom(from, level, taskRun.state as EndState);
    const changed = countOutcome(tallyOf(node, scope), seen);
    if (changed && !step.rebuilding) announce(step, node, scope, level);
  }
  if (!step.rebuilding && shutsDown(taskRun)) {
    for (const gated of downstreamOf([node])) {
      if (gated.gates.some((gate) => gate.node === node)) step.agenda.push({ subject: gated, scope: from });
    }
  }
}

function announce(step: Step, node: GraphNode, scope: Scope, level: number): void {
  for (const edge of node.children)
    if (edge.level === level) step.agenda.push({ subject: edge.child, scope, cause: edge });
  for (const feed of node.feeds) if (feed.level === level) step.agenda.push({ subject: feed.region, scope });
}

/** A short circuit that answered falsy. */
function shutsDown(taskRun: TaskRun): boolean {
  return (
    taskRun.node.definition.kind === "short_circuit" &&
    taskRun.state === "succeeded" &&
    !taskRun.output?.value
  );
}

function endScope(step: Step, scope: Scope): void {
  const { expansion } = scope;
  if (!expansion) return;
  expansion.openItems -= 1;
  if (scope.active) expansion.activeItems -= 1;
  if (!step.rebuilding) activateItems(step, expansion);
  if (expansion.openItems === 0) endExpansion(step, expansion);
}

function endExpansion(step: Step, expansion: Expansion): void {
  const { scope } = expansion;
  scope.open -= 1;
  if (scope.open === 0) endScope(step, scope);
}

/**
 * Lets as many items begin as the region's concurrency allows, in order: those under way are always the first ones that
 * have not ended.
 */
function activateItems(step: Step, expansion: Expansion): void {
  const limit = expansion.region.definition.concurrency ?? Number.POSITIVE_INFINITY;
  while (expansion.nextItem < expansion.items.length && expansion.activeItems < limit) {
    const item = expansion.items[expansion.nextItem]!;
    expansion.nextItem += 1;
    if (item.open === 0 || item.active) continue;
    expansion.activeItems += 1;
    enterScope(step, item);
  }
}

function notTaken({ definition: { id, kind } }: GraphNode): Ending {
  return kind === "short_circuit"
    ? skipped("short_circuit", `The short circuit ${id} answered no.`)
    : skipped("branch_not_taken", `The branch ${id} went another way.`);
}

function evaluateNode(step: Step, taskRun: TaskRun, cause: GraphEdge | undefined): void {
  if (taskRun.state !== "pending" || !taskRun.scope.active) return;
  if (cause && waitsOn(taskRun, cause)) return;
  const shut = taskRun.node.teardown ? undefined : shutGate(taskRun.node.gates, taskRun.scope);
  if (shut) {
    endTaskRun(step, taskRun, notTaken(shut));
    return;
  }
  let facts = 0;
  let setupFacts = 0;
  for (const edge of taskRun.node.parents) {
    const seen = edgeFacts(edge, taskRun.scope);
    if (seen === "not_taken") {
      endTaskRun(step, taskRun, notTaken(edge.parent));
      return;
    }
    facts |= seen;
    if (edge.setup) setupFacts |= seen;
  }
  const decision = decideRule(taskRun.node.definition.rule, facts, setupFacts);
  if (decision === "wait") return;
  if (decision === "run") {
    startAttempt(step, taskRun);
    // What ends later could decide otherwise, so this decision is written down.
    if ((facts & parentFacts.open) !== 0 || isGateOpen(taskRun)) step.touched.add(taskRun);
  } else if (step.run.cancel)
    endTaskRun(step, taskRun, { state: "cancelled", reason: step.run.cancel.reason });
  else endTaskRun(step, taskRun, { state: decision, reason: ruleReason(taskRun, decision, facts) });
}

/**
 * A rule that waited waits on while any parent is open, unless the news itself decides it. Knowing one open parent
 * spares a join of thousands from asking all of them each time one ends.
 */
function waitsOn(taskRun: TaskRun, cause: GraphEdge): boolean {
  const { node, scope } = taskRun;
  const seen = edgeFacts(cause, scope);
  if (seen === "not_taken") return false;
  for (let edge = node.parents[taskRun.openEdge]; edge; edge = node.parents[(taskRun.openEdge += 1)]) {
    const facts = edgeFacts(edge, scope);
    if (facts === "not_taken") return false;
    if ((facts & parentFacts.open) === 0) continue;
    return decideRule(node.definition.rule, seen | parentFacts.open, setupFactsOf(taskRun)) === "wait";
  }
  return false;
}

function setupFactsOf({ node, scope }: TaskRun): number {
  let facts = 0;
  for (const edge of node.parents)
    if (edge.setup) facts |= factsOf(tallyOf(edge.parent, scopeAt(scope, edge.level)));
  return facts;
}

function edgeFacts(edge: GraphEdge, scope: Scope): number | "not_taken" {
  const base = scopeAt(scope, edge.level);
  if (edge.parent.depth === edge.level) {
    const parent = base.taskRuns[edge.parent.slot]!;
    if (parent.state === "succeeded") {
      if (edge.choices && !edge.choices.some((choice) => chosen(parent.output?.value).includes(choice)))
        return "not_taken";
      if (edge.parent.definition.skips === "direct" && !edge.child.teardown && !parent.output?.value)
        return "not_taken";
    }
  }
  return factsOf(tallyOf(edge.parent, base));
}

/** A branch's answer as a list. */
export function chosen(output: Json | undefined): readonly Json[] {
  if (Array.isArray(output)) return output;
  return output === undefined || output === null ? [] : [output];
}

function shutGate(gates: GraphNode["gates"], scope: Scope): GraphNode | undefined {
  return gates.find((gate) => shutsDown(scopeAt(scope, gate.level).taskRuns[gate.node.slot]!))?.node;
}

function isGateOpen({ node, scope }: TaskRun): boolean {
  return node.gates.some((gate) => !isEndState(scopeAt(scope, gate.level).taskRuns[gate.node.slot]!.state));
}

function skipped(code: string, message: string): Ending {
  return { state: "skipped", reason: { code, message } };
}

/** Begins the next attempt of a task run: it is queued for a worker, or waits: for the run that it calls, or for a condition. */
export function startAttempt(step: Step, taskRun: TaskRun): void {
  taskRun.attempt += 1;
  if (taskRun.generation === 0) taskRun.generation = step.run.generation;
  taskRun.readyAt = step.now;
  taskRun.resumeAt = undefined;
  taskRun.reason = undefined;
  if (taskRun.code && taskRun.code.ranMs > 0) {
    taskRun.code.ranMs = 0;
    step.effects.push({ kind: "code", taskRun });
  }
  const { kind } = taskRun.node.definition;
  if (kind !== "call" && kind !== "wait") {
    queueTaskRun(step, taskRun);
    return;
  }
  setState(step, taskRun, "waiting");
  taskRun.dispatch += 1;
  taskRun.startedAt = step.now;
  taskRun.childRunId = undefined;
  taskRun.error = undefined;
  step.touched.add(taskRun);
  step.effects.push(kind === "call" ? { kind, taskRun } : { kind, taskRun, wait: undefined, isAgain: false });
}

/** A queued task run has a row if it had one before; a fresh one is found again by its rule (or see `evaluateNode`). */
export function queueTaskRun(step: Step, taskRun: TaskRun): void {
  setState(step, taskRun, "queued");
  if (taskRun.dispatch > 0) step.touched.add(taskRun);
  step.effects.push({ kind: "ready", taskRun });
}

function evaluateRegion(step: Step, expansion: Expansion): void {
  if (!expansion.scope.active) return;
  if (expansion.state === "expanded") activateItems(step, expansion);
  if (expansion.state !== "pending") return;
  let facts = 0;
  for (const source of expansion.region.sources)
    facts |= factsOf(tallyOf(source.node, scopeAt(expansion.scope, source.level)));
  const decision = decideRule("all_success", facts);
  if (decision === "wait") return;
  if (decision === "run") expand(step, expansion);
  else {
    const what = decision === "skipped" ? "was skipped" : "did not succeed";
    closeExpansion(step, expansion, {
      state: decision,
      reason: { code: "map_source", message: `What its list is read from ${what}.` },
    });
  }
}

/** Reads the region's list and makes its items, or closes the region when there are none. */
function expand(step: Step, expansion: Expansion): void {
  const items = readItems(step.run, expansion);
  if ("code" in items) {
    failExpansion(step, expansion, items);
  } else if (items.length === 0) {
    closeExpansion(step, expansion, {
      state: "succeeded",
      reason: { code: "empty_list", message: "The list is empty." },
    });
  } else {
    fillExpansion(expansion, items);
    activateItems(step, expansion);
  }
}

/** The items of a region whose sources have succeeded, or what is wrong with its lists. */
export function readItems(
  run: Run,
  expansion: Expansion,
): readonly Json[] | (AttemptError & { readonly code: string }) {
  const { definition } = expansion.region;
  const lists: (readonly Json[])[] = [];
  for (const template of definition.over) {
    const resolved = resolveTemplate(run, expansion.scope, template);
    assert(resolved.kind === "value", "what a region is read from is in memory");
    const list = resolved.value;
    if (!Array.isArray(list)) {
      const found = list === null ? "null" : typeof list;
      return mapError(
        "MILLRACE_MAP_NOT_A_LIST",
        `"${definition.id}" is mapped over ${found}, expected a list.`,
      );
    }
    lists.push(list);
  }
  if (lists.length === 1) return checkSize(definition.id, lists[0]!.length) ?? lists[0]!;
  if (definition.combine === "zip") {
    const lengths = lists.map((list) => list.length);
    if (new Set(lengths).size > 1) {
      return mapError(
        "MILLRACE_MAP_UNEQUAL",
        `"${definition.id}" zips lists of the lengths ${lengths.join(", ")}.`,
      );
    }
    return (
      checkSize(definition.id, lengths[0]!) ?? lists[0]!.map((_, index) => lists.map((list) => list[index]!))
    );
  }
  const size = lists.reduce((product, list) => product * list.length, 1);
  return (
    checkSize(definition.id, size) ??
    lists.reduce<Json[][]>(
      (tuples, list) => tuples.flatMap((tuple) => list.map((entry) => [...tuple, entry])),
      [[]],
    )
  );
}

function checkSize(id: string, size: number): (AttemptError & { readonly code: string }) | undefined {
  if (size <= mapItemsMax) return undefined;
  return mapError(
    "MILLRACE_MAP_TOO_LARGE",
    `"${id}" has ${size} items; a fan-out holds at most ${mapItemsMax}.`,
  );
}

function mapError(code: string, message: string): AttemptError & { readonly code: string } {
  return { name: code, code, message, next: "fatal" };
}

/** The nodes that would have begun fail with the error; those behind them are upstream_failed. */
function failExpansion(step: Step, expansion: Expansion, error: AttemptError): void {
  const reason = { code: error.code ?? error.name, message: error.message };
  for (const placeholder of expansion.placeholders) {
    const inner = placeholder.node.parents.some((edge) => edge.level >= expansion.region.depth);
    if (!inner) placeholder.error = error;
    setEnd(step, placeholder, { state: inner ? "upstream_failed" : "failed", reason });
  }
  finishClosing(step, expansion);
}

export function closeExpansion(step: Step, expansion: Expansion, ending: Ending): void {
  for (const placeholder of expansion.placeholders) setEnd(step, placeholder, ending);
  finishClosing(step, expansion);
}

/** Closes an expansion whose placeholders have their end states. */
export function finishClosing(step: Step, expansion: Expansion): void {
  assert(expansion.state === "pending", "an expansion closes once");
  expansion.state = "closed";
  for (const placeholder of expansion.placeholders) spreadOutcome(step, placeholder, expansion.scope);
  endExpansion(step, expansion);
}

function updateRunState(step: Step): void {
  const { run } = step;
  if (run.state !== "running" && run.state !== "waiting") return;
  if (run.root.open === 0) {
    endRun(step);
    return;
  }
  const { counts } = run;
  const state =
    counts.waiting > 0 && counts.queued + counts.running + counts.retrying === 0 ? "waiting" : "running";
  if (state === run.state) return;
  run.state = state;
  step.runTouched = true;
}

function endRun(step: Step): void {
  const { run } = step;
  const outcome = judgeRun(run);
  run.state = outcome.state;
  run.reason = outcome.reason;
  run.endedAt = step.now;
  if (run.state === "succeeded" && run.graph.definition.output) {
    const resolved = resolveTemplate(run, run.root, run.graph.definition.output);
    assert(resolved.kind === "value", "what a run's output is read from is in memory");
    run.output = { value: resolved.value };
  }
  step.runTouched = true;
  step.effects.push({ kind: "ended" });
}
