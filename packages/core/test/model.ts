/**
 * The run machine again, slow and plain: one list of task runs, one of fan-outs, and loops over both until nothing
 * changes. No tallies, no agenda, no compiled graph: it reads the definition each time. What it says is right.
 */
import type {
  NodeDefinition,
  PipelineDefinition,
  RegionDefinition,
  Template,
} from "../src/graph/definition.ts";
import { valueAt, type Json } from "../src/json.ts";
import type { AttemptError } from "../src/retry/policy.ts";
import {
  isEndState,
  isRunEnded,
  type EndState,
  type RunMessage,
  type RunState,
  type TaskRunState,
} from "../src/run/state.ts";
import { operationKey } from "../src/run/wait.ts";
import { slowDecision, type Parent } from "./slow-rule.ts";

/** Task runs are named, as the model has its own. */
export type Message =
  | Exclude<RunMessage, { kind: "dispatch" | "cached" | "refuse" }>
  | { readonly kind: "dispatch"; readonly node: string; readonly item: string }
  | { readonly kind: "cached"; readonly node: string; readonly item: string; readonly output: Json }
  | { readonly kind: "refuse"; readonly node: string; readonly item: string; readonly error: AttemptError };

export interface ModelTaskRun {
  readonly node: NodeDefinition;
  readonly path: readonly number[];
  state: TaskRunState;
  attempt: number;
  dispatch: number;
  losses: number;
  revoked: boolean;
  output: Json;
  error: AttemptError | undefined;
  childRunId: string | undefined;
  resumeAt: number;
  /** What its function waits for, and the dispatch at which a wait of it ended last. */
  open: Set<string>;
  wokenAt: number;
}

interface Fan {
  readonly region: RegionDefinition;
  readonly path: readonly number[];
  state: "pending" | "expanded" | "closed";
  items: readonly Json[];
  readonly begun: Set<number>;
}

const skipped = Symbol("skipped");
const failed = Symbol("failed");

const bad = (state: TaskRunState): boolean =>
  state === "failed" || state === "upstream_failed" || state === "cancelled";
const startsWith = (path: readonly number[], prefix: readonly number[]): boolean =>
  prefix.every((index, depth) => path[depth] === index);

export class Model {
  readonly definition: PipelineDefinition;
  readonly params: Json;
  readonly generation: number;
  state: RunState = "queued";
  output: Json | undefined;
  cancel: { by: string } | undefined;
  taskRuns: ModelTaskRun[] = [];
  fans: Fan[] = [];

  constructor(definition: PipelineDefinition, params: Json, generation = 1) {
    this.definition = definition;
    this.params = params;
    this.generation = generation;
    this.#open(undefined, []);
  }

  step(message: Message, now: number): void {
    if (isRunEnded(this.state) || this.state === "quarantined") return;
    this.#handle(message, now);
    this.#settle();
  }

  // --- messages

  #handle(message: Message, now: number): void {
    switch (message.kind) {
      case "start":
        if (this.state === "queued") this.state = "running";
        return;
      case "deadline":
        return this.#cancelRun("deadline", false);
      case "cancel":
        return this.#cancelRun(message.by, message.force ?? false);
      case "cancel_node":
        for (const taskRun of this.taskRuns) {
          const named = message.item === undefined || message.item === taskRun.path.join(".");
          if (taskRun.node.id === message.node && named && !this.#isPlaceholder(taskRun))
            this.#cancelTaskRun(taskRun);
        }
        return;
      case "quarantine":
        return this.#quarantine();
      case "dispatch": {
        const taskRun = this.find(message.node, message.item)!;
        Object.assign(taskRun, {
          state: "running",
          dispatch: taskRun.dispatch + 1,
          revoked: false,
          error: undefined,
        });
        return;
      }
      default:
        return this.#handleAnswer(message, now);
    }
  }

  #handleAnswer(
    message: Exclude<
      Message,
      { kind: "start" | "deadline" | "cancel" | "cancel_node" | "quarantine" | "dispatch" }
    >,
    now: number,
  ): void {
    if (message.kind === "resume") return;
    const name = "token" in message ? message.token : message;
    const taskRun = this.find(name.node, name.item);
    if (!taskRun) return;
    if ("token" in message) {
      const { token } = message;
      if (token.generation !== this.generation || token.dispatch !== taskRun.dispatch) return;
      if (!isUnderWay(taskRun)) return;
    }
    switch (message.kind) {
      case "cached":
        if (taskRun.state === "queued") this.#succeed(taskRun, message.output, now);
        return;
      case "refuse":
        if (taskRun.state === "queued") Object.assign(taskRun, { state: "failed", error: message.error });
        return;
      case "result": {
        taskRun.losses = 0;
        const { outcome } = message;
        if (outcome.kind === "succeeded") this.#succeed(taskRun, outcome.output.value!, now);
        else if (outcome.kind === "failed") this.#fail(taskRun, outcome.error, now);
        else taskRun.state = outcome.kind;
        return;
      }
      case "suspended":
        if (taskRun.state === "running") this.#suspend(taskRun, message.waits.map(operationKey));
        return;
      case "step":
        return;
      case "wait_ended":
        if (message.generation === this.generation) this.#endWait(taskRun, message, now);
        return;
      case "lost":
        if (taskRun.state !== "running") return;
        taskRun.error = message.error;
        if (taskRun.revoked) taskRun.state = "cancelled";
        else {
          taskRun.state = "queued";
          if (message.blame) taskRun.losses += 1;
          if (taskRun.losses >= 3) this.#quarantine();
        }
        return;
      case "retry_due":
        if (taskRun.state === "retrying" && message.generation === this.generation && taskRun.resumeAt <= now)
          this.#begin(taskRun);
        return;
      case "call_started":
        taskRun.childRunId ??= message.childRunId;
        return;
      case "call_failed":
        return this.#fail(taskRun, message.error, now);
      case "child_ended":
        taskRun.losses = 0;
        taskRun.childRunId ??= message.childRunId;
        if (message.state === "succeeded") this.#succeed(taskRun, message.output.value!, now);
        else if (message.state === "cancelled") taskRun.state = "cancelled";
        else this.#fail(taskRun, { name: "ChildRunFailed", message: "" }, now);
        return;
      case "mark":
        if (isEndState(taskRun.state) || this.#isPlaceholder(taskRun)) return;
        if (isUnderWay(taskRun)) {
          taskRun.dispatch += 1;
          taskRun.revoked = true;
        }
        if (message.state === "succeeded") taskRun.output = message.output.value!;
        taskRun.state = message.state;
    }
  }

  #suspend(taskRun: ModelTaskRun, asked: readonly string[]): void {
    taskRun.losses = 0;
    if (taskRun.revoked) {
      taskRun.state = "cancelled";
      return;
    }
    const isWoken = taskRun.wokenAt === taskRun.dispatch;
    taskRun.open = new Set(asked.filter((key) => !isWoken || taskRun.open.has(key)));
    taskRun.state = isWoken ? "queued" : "waiting";
  }

  #endWait(
    taskRun: ModelTaskRun,
    message: Extract<Message, { readonly kind: "wait_ended" }>,
    now: number,
  ): void {
    const { outcome } = message;
    if (taskRun.node.kind === "wait") {
      if (taskRun.state !== "waiting") return;
      if (outcome.kind === "value") this.#succeed(taskRun, outcome.value.value!, now);
      else this.#fail(taskRun, { name: "x", message: "", next: "fatal" }, now);
      return;
    }
    if (isEndState(taskRun.state) || !taskRun.open.delete(operationKey(message))) return;
    taskRun.wokenAt = taskRun.dispatch;
    if (taskRun.state === "waiting") taskRun.state = "queued";
  }

  #succeed(taskRun: ModelTaskRun, output: Json, now: number): void {
    const { kind, choices } = taskRun.node;
    if (kind === "branch" && answers(output).some((answer) => !choices!.includes(answer as string)))
      return this.#fail(taskRun, { name: "x", message: "", next: "fatal" }, now);
    taskRun.state = "succeeded";
    taskRun.output = output;
  }

  #fail(taskRun: ModelTaskRun, error: AttemptError, now: number): void {
    const { retry } = taskRun.node.options;
    taskRun.error = error;
    if (taskRun.revoked) taskRun.state = "cancelled";
    else if (taskRun.attempt > retry.retries || error.next === "fatal") taskRun.state = "failed";
    else if (retry.delayMs === 0) this.#begin(taskRun);
    else {
      taskRun.state = "retrying";
      taskRun.resumeAt = now + retry.delayMs;
    }
  }

  #begin(taskRun: ModelTaskRun): void {
    taskRun.attempt += 1;
    if (taskRun.node.kind === "call" || taskRun.node.kind === "wait")
      Object.assign(taskRun, {
        state: "waiting",
        dispatch: taskRun.dispatch + 1,
        error: undefined,
        childRunId: undefined,
      });
    else taskRun.state = "queued";
  }

  #cancelRun(by: string, forced: boolean): void {
    if (this.state === "queued") {
      this.state = "cancelled";
      return;
    }
    if (this.cancel && by !== "user" && !forced) return;
    const force = forced || this.cancel !== undefined;
    this.cancel ??= { by };
    for (const fan of this.fans) if (fan.state === "pending") this.#close(fan, "cancelled");
    for (const taskRun of this.taskRuns) {
      if (force || !taskRun.node.teardownOf || !this.#isActive(taskRun.node.region, taskRun.path))
        this.#cancelTaskRun(taskRun);
    }
  }

  #cancelTaskRun(taskRun: ModelTaskRun): void {
    const isCalling = taskRun.state === "waiting" && taskRun.node.kind === "call";
    if (taskRun.state === "running" || isCalling) taskRun.revoked = true;
    else if (!isEndState(taskRun.state)) taskRun.state = "cancelled";
  }

  #quarantine(): void {
    this.state = "quarantined";
    for (const taskRun of this.taskRuns) if (taskRun.state === "running") taskRun.revoked = true;
  }

  // --- what follows

  #settle(): void {
    if (this.state !== "running" && this.state !== "waiting") return;
    while (this.#settleOnce());
    const open = this.taskRuns.filter((taskRun) => !isEndState(taskRun.state));
    if (open.length === 0) return this.#end();
    const busy = open.some((taskRun) => ["queued", "running", "retrying"].includes(taskRun.state));
    this.state = !busy && open.some((taskRun) => taskRun.state === "waiting") ? "waiting" : "running";
  }

  #settleOnce(): boolean {
    for (const fan of this.fans) {
      if (!this.#isActive(fan.region.parent, fan.path)) continue;
      if (fan.state === "pending" && this.#evaluateFan(fan)) return true;
      if (fan.state === "expanded" && this.#beginItem(fan)) return true;
    }
    for (const taskRun of this.taskRuns) {
      if (taskRun.state !== "pending" || this.#isPlaceholder(taskRun)) continue;
      if (!this.#isActive(taskRun.node.region, taskRun.path)) continue;
      const decision = this.#decide(taskRun);
      if (decision === "wait") continue;
      if (decision === "run") this.#begin(taskRun);
      else if (decision === "not_taken") taskRun.state = "skipped";
      else taskRun.state = this.cancel ? "cancelled" : decision;
      return true;
    }
    return false;
  }

  #evaluateFan(fan: Fan): boolean {
    const parents = fan.region.over
      .flatMap((list) => (list.kind === "output" ? [list.node] : []))
      .flatMap((node) =>
        this.#seen(node, fan.region.parent, fan.path).map((state) => ({ state, setup: false })),
      );
    const decision = decide("all_success", parents);
    if (decision === "wait") return false;
    if (decision !== "run") {
      this.#close(fan, decision);
      return true;
    }
    const items = this.#readItems(fan);
    if (items === undefined) this.#closeFaulty(fan);
    else if (items.length === 0) this.#close(fan, "succeeded");
    else {
      fan.state = "expanded";
      fan.items = items;
      this.taskRuns = this.taskRuns.filter((taskRun) => !this.#standsFor(taskRun, fan));
      items.forEach((_, index) => this.#open(fan.region, [...fan.path, index]));
    }
    return true;
  }

  #readItems(fan: Fan): readonly Json[] | undefined {
    const lists = fan.region.over.map((list) => this.#resolve(list, fan.region.parent, fan.path));
    if (!lists.every((list) => Array.isArray(list))) return undefined;
    if (lists.length === 1) return lists[0]!;
    const [left, right] = lists as [Json[], Json[]];
    if (fan.region.combine === "cross") return left.flatMap((a) => right.map((b) => [a, b]));
    return left.length === right.length ? left.map((a, index) => [a, right[index]!]) : undefined;
  }

  #beginItem(fan: Fan): boolean {
    const limit = fan.region.concurrency ?? Infinity;
    const open = fan.items.flatMap((_, index) => (this.#isItemOpen(fan, index) ? [index] : []));
    const next = open.find((index) => !fan.begun.has(index));
    if (next === undefined || open.filter((index) => fan.begun.has(index)).length >= limit) return false;
    fan.begun.add(next);
    return true;
  }

  #isItemOpen(fan: Fan, index: number): boolean {
    return this.taskRuns.some(
      (taskRun) =>
        !isEndState(taskRun.state) &&
        this.chain(taskRun.node.region).includes(fan.region) &&
        startsWith(taskRun.path, [...fan.path, index]),
    );
  }

  #close(fan: Fan, state: EndState): void {
    fan.state = "closed";
    for (const taskRun of this.taskRuns) if (this.#standsFor(taskRun, fan)) taskRun.state = state;
  }

  #closeFaulty(fan: Fan): void {
    fan.state = "closed";
    const depth = this.chain(fan.region.id).length;
    for (const taskRun of this.taskRuns) {
      if (!this.#standsFor(taskRun, fan)) continue;
      const inner = [...this.parents(taskRun.node).keys()].some(
        (id) => this.shared(this.node(id).region, taskRun.node.region) >= depth,
      );
      taskRun.state = inner ? "upstream_failed" : "failed";
      if (!inner) taskRun.error = { name: "", message: "" };
    }
  }

  #decide(taskRun: ModelTaskRun): "wait" | "run" | "not_taken" | EndState {
    const { node } = taskRun;
    if (!node.teardownOf && this.#isGated(taskRun)) return "not_taken";
    const parents: Parent[] = [];
    for (const [id, edge] of this.parents(node)) {
      const parent = this.node(id);
      const above = this.#above(parent, taskRun);
      if (above?.state === "succeeded") {
        if (edge.choices && !edge.choices.some((choice) => answers(above.output).includes(choice)))
          return "not_taken";
        if (parent.skips === "direct" && !node.teardownOf && !above.output) return "not_taken";
      }
      const setup = node.teardownOf?.includes(id) ?? false;
      for (const state of this.#seen(id, node.region, taskRun.path)) parents.push({ state, setup });
    }
    return decide(node.rule, parents);
  }

  #isGated(taskRun: ModelTaskRun): boolean {
    return this.definition.nodes.some((gate) => {
      if (gate.kind !== "short_circuit" || gate.skips === "direct") return false;
      const shut = this.#above(gate, taskRun);
      return shut?.state === "succeeded" && !shut.output && this.#reachesInside(gate, taskRun.node);
    });
  }

  /** A way from `gate` to `target` over nodes that all stand in the gate's fan-out. */
  #reachesInside(gate: NodeDefinition, target: NodeDefinition): boolean {
    const depth = this.chain(gate.region).length;
    const reached = new Set([gate]);
    for (const from of reached)
      for (const next of this.successors(from))
        if (this.shared(gate.region, next.region) === depth) reached.add(next);
    return target !== gate && reached.has(target);
  }

  #end(): void {
    const states = this.taskRuns.map((taskRun) => ({
      state: taskRun.state,
      leaf: !taskRun.node.teardownOf && this.successors(taskRun.node).every((next) => next.teardownOf),
    }));
    const badLeaf = states.some(({ state, leaf }) => leaf && bad(state));
    const cancelled = states.some(({ state }) => state === "cancelled");
    if (this.cancel && (cancelled || badLeaf))
      this.state = this.cancel.by === "deadline" ? "failed" : "cancelled";
    else this.state = badLeaf ? "failed" : "succeeded";
    const { output } = this.definition;
    if (this.state === "succeeded" && output) this.output = this.#resolve(output, undefined, []);
  }

  // --- looking things up

  find(node: string, item: string): ModelTaskRun | undefined {
    return this.taskRuns.find((taskRun) => taskRun.node.id === node && taskRun.path.join(".") === item);
  }

  node(id: string): NodeDefinition {
    return this.definition.nodes.find((node) => node.id === id)!;
  }

  /** The fan-outs around a place, outermost first. */
  chain(region: string | undefined): RegionDefinition[] {
    if (region === undefined) return [];
    const found = this.definition.regions.find(({ id }) => id === region)!;
    return [...this.chain(found.parent), found];
  }

  shared(a: string | undefined, b: string | undefined): number {
    const right = this.chain(b);
    return this.chain(a).filter((region) => right.includes(region)).length;
  }

  parents(node: NodeDefinition): Map<string, { choices?: readonly string[] | undefined }> {
    const found = new Map<string, { choices?: readonly string[] | undefined }>();
    for (const id of [...outputsIn(node.input), ...(node.teardownOf ?? [])]) found.set(id, {});
    for (const { node: id, choices } of node.after) {
      const known = found.get(id)?.choices ?? [];
      if (choices) found.set(id, { choices: [...known, ...choices] });
      else if (!found.has(id)) found.set(id, {});
    }
    return found;
  }

  successors(node: NodeDefinition): NodeDefinition[] {
    const fed = this.definition.regions.filter(({ over }) =>
      over.some((list) => outputsIn(list).includes(node.id)),
    );
    return this.definition.nodes.filter(
      (next) =>
        this.parents(next).has(node.id) || this.chain(next.region).some((region) => fed.includes(region)),
    );
  }

  #open(region: RegionDefinition | undefined, path: readonly number[]): void {
    for (const node of this.definition.nodes)
      if (node.region === region?.id) this.taskRuns.push(fresh(node, path));
    for (const inner of this.definition.regions) {
      if (inner.parent !== region?.id) continue;
      this.fans.push({ region: inner, path, state: "pending", items: [], begun: new Set() });
      for (const node of this.definition.nodes)
        if (this.chain(node.region).includes(inner)) this.taskRuns.push(fresh(node, path));
    }
  }

  #standsFor(taskRun: ModelTaskRun, fan: Fan): boolean {
    return (
      this.chain(taskRun.node.region).includes(fan.region) &&
      taskRun.path.length === fan.path.length &&
      startsWith(taskRun.path, fan.path)
    );
  }

  #isPlaceholder(taskRun: ModelTaskRun): boolean {
    return taskRun.path.length < this.chain(taskRun.node.region).length;
  }

  /** Is the place reached: the run started, and each item around begun? */
  #isActive(region: string | undefined, path: readonly number[]): boolean {
    if (this.state === "queued") return false;
    return this.chain(region)
      .slice(0, path.length)
      .every((around, depth) =>
        this.fans
          .find((fan) => fan.region === around && fan.path.join() === path.slice(0, depth).join())!
          .begun.has(path[depth]!),
      );
  }

  /** The instance of `node` that stands around `taskRun`, if there is one such. */
  #above(node: NodeDefinition, taskRun: ModelTaskRun): ModelTaskRun | undefined {
    const depth = this.chain(node.region).length;
    if (this.shared(node.region, taskRun.node.region) < depth) return undefined;
    return this.find(node.id, taskRun.path.slice(0, depth).join("."));
  }

  /** The outcomes of a node's instances as a place sees them. */
  #seen(id: string, region: string | undefined, path: readonly number[]): Parent["state"][] {
    const chain = this.chain(this.node(id).region);
    const level = this.shared(this.node(id).region, region);
    return this.taskRuns
      .filter((taskRun) => taskRun.node.id === id && startsWith(taskRun.path, path.slice(0, level)))
      .map((taskRun) => {
        if (!isEndState(taskRun.state)) return "open";
        const hidden = chain.slice(level, taskRun.path.length).some(({ settled }) => settled);
        return hidden && bad(taskRun.state) ? "succeeded" : taskRun.state;
      });
  }

  #resolve(template: Template, region: string | undefined, path: readonly number[]): Json {
    switch (template.kind) {
      case "value":
        return template.value;
      case "params":
        return valueAt(this.params, template.path) ?? null;
      case "item": {
        const depth = this.chain(template.region).length;
        const fan = this.fans.find(
          ({ region, path: at }) =>
            region.id === template.region && at.join() === path.slice(0, depth - 1).join(),
        )!;
        return valueAt(fan.items[path[depth - 1]!]!, template.path) ?? null;
      }
      case "output": {
        const node = this.node(template.node);
        const level = this.shared(node.region, region);
        const settled = this.chain(node.region)
          .slice(level)
          .some((inner) => inner.settled);
        const here = this.find(node.id, path.slice(0, level).join("."));
        if (here && here.state !== "succeeded") return null;
        const gathered = this.#gather(node, path.slice(0, level), settled);
        return typeof gathered === "symbol" ? null : (valueAt(gathered, template.path) ?? null);
      }
      default:
        throw new Error(`the model does not read ${template.kind}`);
    }
  }

  /** What a place above reads: a list of outputs, or of lists. */
  #gather(node: NodeDefinition, path: readonly number[], settled: boolean): Json | symbol {
    const chain = this.chain(node.region);
    const here = this.find(node.id, path.join("."));
    if (here) {
      const isList = path.length < chain.length;
      if (here.state === "skipped") return skipped;
      if (here.state === "succeeded" && isList) return [];
      if (here.state === "succeeded")
        return settled ? { status: "succeeded", value: here.output } : here.output;
      if (!settled) return failed;
      const { error } = here;
      return { status: here.state, error: error ? { name: error.name, message: error.message } : null };
    }
    const fan = this.fans.find(
      ({ region, path: at }) => region === chain[path.length] && at.join() === path.join(),
    )!;
    const items = fan.items.map((_, index) => this.#gather(node, [...path, index], settled));
    if (items.includes(failed)) return failed;
    return items.filter((item) => typeof item !== "symbol");
  }
}

function fresh(node: NodeDefinition, path: readonly number[]): ModelTaskRun {
  const none = { error: undefined, childRunId: undefined, resumeAt: 0, open: new Set<string>(), wokenAt: 0 };
  return {
    node,
    path,
    state: "pending",
    attempt: 0,
    dispatch: 0,
    losses: 0,
    revoked: false,
    output: null,
    ...none,
  };
}

function answers(output: Json): readonly Json[] {
  if (Array.isArray(output)) return output;
  return output === null ? [] : [output];
}

function outputsIn(template: Template): string[] {
  if (template.kind === "output") return [template.node];
  if (template.kind === "array") return template.items.flatMap(outputsIn);
  return template.kind === "object" ? Object.values(template.entries).flatMap(outputsIn) : [];
}

/** Equal parents decide alike, and two open ones like any number. */
function decide(rule: NodeDefinition["rule"], parents: readonly Parent[]): ReturnType<typeof slowDecision> {
  const few = parents.filter(({ state, setup }, at) => {
    const before = parents
      .slice(0, at)
      .filter((other) => other.state === state && other.setup === setup).length;
    return before < (state === "open" ? 2 : 1);
  });
  return slowDecision(rule, few);
}

/** Something answers for its dispatch: a worker, or a called run. */
export function isUnderWay({ state, node }: ModelTaskRun): boolean {
  return state === "running" || (state === "waiting" && node.kind === "call");
}
