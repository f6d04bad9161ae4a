/** The machine and the model side by side, with every invariant checked after every message. */
import { isNode } from "../src/graph/graph.ts";
import type { PipelineDefinition } from "../src/graph/definition.ts";
import { findTaskRun, outcomeSeenFrom, taskRunsBelow } from "../src/run/scope.ts";
import {
  isEndState,
  isRunEnded,
  type DispatchName,
  type RunEffect,
  type RunMessage,
  type Scope,
  type TaskRun,
  type TaskRunState,
} from "../src/run/state.ts";
import { Bench, nameOf, rowOf } from "./build.ts";
import { isUnderWay, Model, type Message } from "./model.ts";
import { makeMessage, params, Tape, tokenOf } from "./random-run.ts";

/** Every edge that was seen, `from → to`. */
export interface Edges {
  readonly run: Set<string>;
  readonly taskRun: Set<string>;
  readonly dispatch: Set<string>;
}

export const newEdges = (): Edges => ({ run: new Set(), taskRun: new Set(), dispatch: new Set() });

function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

type Picture = ReadonlyMap<string, { readonly state: TaskRunState; readonly row: string }>;

const stringify = (value: unknown): string => JSON.stringify(value);

export class Lockstep {
  readonly bench: Bench;
  readonly model: Model;
  readonly edges: Edges;
  readonly sent: Message[] = [];
  /** What the owner of the queue believes to be queued. */
  readonly #ready = new Set<string>();
  /** Dispatches that hold something of shared limits. */
  readonly #held = new Set<string>();
  readonly #released = new Set<string>();
  #endings = 0;

  constructor(definition: PipelineDefinition, edges: Edges) {
    this.bench = new Bench(definition, { params: { value: params } });
    this.model = new Model(definition, params);
    this.edges = edges;
  }

  get isOver(): boolean {
    const { state } = this.bench.run;
    return isRunEnded(state) || state === "quarantined";
  }

  send(message: Message): void {
    const { bench, model } = this;
    const real = this.#realise(message);
    if (!real) return;
    this.sent.push(message);
    const before = this.#picture();
    const wasOver = this.isOver;
    const stale = "token" in message && !this.#isCurrent(message.token);
    const effects = bench.send(real);
    model.step(message, bench.now);
    if (wasOver) check(effects.length === 0, "R3: an ended or quarantined run takes no message");
    if (stale) {
      check(
        effects.every(({ kind }) => kind === "cancel_child" && message.kind === "call_started"),
        "R1: a stale message changes nothing",
      );
    }
    this.#checkEffects(message, effects, before);
    this.#checkTransitions(before);
    this.checkState();
  }

  /** Rebuilds the run from its rows: it must be the same one. */
  reload(): void {
    if (this.isOver) return;
    const states = stringify(this.bench.states());
    const effects = this.bench.reload();
    const after = stringify(this.bench.states());
    check(after === states, `a reload gives ${after}, not ${states}`);
    const ready = effects.filter(({ kind }) => kind === "ready").length;
    check(this.isOver || ready === this.bench.queued().length, "a reload makes ready what is queued, once");
    const waits = effects.filter(({ kind }) => kind === "wait").length;
    check(this.isOver || waits === this.#openWaits(), "a reload begins what is waited for, once");
    check(!effects.some(({ kind }) => kind === "ended"), "a reload ends nothing");
    this.checkState();
  }

  #openWaits(): number {
    let open = 0;
    for (const { state, node, open: waits } of this.model.taskRuns)
      if (node.kind === "wait") open += state === "waiting" ? 1 : 0;
      else if (!isEndState(state)) open += waits.size;
    return open;
  }

  /** Answers everything with success until the run is over. */
  drain(): void {
    for (let left = 3_000; !this.isOver; left -= 1) {
      check(left > 0, `the run does not end: ${stringify(this.bench.states())}`);
      this.send({ kind: "start" });
      for (const taskRun of this.model.taskRuns) {
        if (!this.isOver) this.#answer(taskRun);
      }
    }
    check(this.#endings === (this.bench.run.state === "quarantined" ? 0 : 1), "a run ends once");
    check(this.#held.size === 0, `released exactly once per dispatch: ${[...this.#held].join()} are held`);
  }

  #answer(taskRun: Model["taskRuns"][number]): void {
    const name = { node: taskRun.node.id, item: taskRun.path.join(".") };
    const token = tokenOf(this.model, taskRun);
    const output = { value: [1] };
    if (taskRun.state === "queued") this.send({ kind: "dispatch", ...name });
    else if (taskRun.state === "running")
      this.send({ kind: "result", token, outcome: { kind: "succeeded", output }, random: 0 });
    else if (taskRun.state === "waiting" && taskRun.node.kind !== "call") {
      const outcome = { kind: "value", value: output } as const;
      const [occurrence, waitName] = [...taskRun.open][0]?.split(" ") ?? ["1", ""];
      const which = { name: waitName!, occurrence: Number(occurrence) };
      const { generation } = this.model;
      this.send({ kind: "wait_ended", ...name, generation, ...which, outcome, position: 9 });
    } else if (taskRun.state === "waiting") {
      const ended = { childRunId: "c", state: "succeeded", random: 0, reason: undefined } as const;
      this.send({ kind: "child_ended", token, ...ended, output });
    } else if (taskRun.state === "retrying") {
      this.bench.now = Math.max(this.bench.now, taskRun.resumeAt);
      this.send({ kind: "retry_due", ...name, generation: this.model.generation });
    }
  }

  /** Messages about queued task runs come from the queue's owner only; a late one can't be. */
  #realise(message: Message): RunMessage | undefined {
    if (message.kind !== "dispatch" && message.kind !== "cached" && message.kind !== "refuse") return message;
    const name = `${message.node}[${message.item}]`;
    if (!this.#ready.has(name) || this.isOver) return undefined;
    const taskRun = this.bench.get(name);
    if (message.kind === "dispatch") return { kind: "dispatch", taskRun, worker: "w" };
    if (message.kind === "refuse") return { kind: "refuse", taskRun, error: message.error };
    return { kind: "cached", taskRun, output: { value: message.output } };
  }

  #isCurrent(token: DispatchName): boolean {
    const taskRun = this.model.find(token.node, token.item);
    if (!taskRun || !isUnderWay(taskRun)) return false;
    return taskRun.dispatch === token.dispatch && token.generation === this.model.generation;
  }

  #picture(): Picture {
    return new Map(
      [...taskRunsBelow(this.bench.run.root)].map((taskRun) => [
        nameOf(taskRun),
        { state: taskRun.state, row: stringify(rowOf(taskRun)) },
      ]),
    );
  }

  // --- effects

  #checkEffects(message: Message, effects: readonly RunEffect[], before: Picture): void {
    if (message.kind === "cached" || message.kind === "refuse")
      this.#ready.delete(`${message.node}[${message.item}]`);
    const rows = effects.flatMap((effect) => (effect.kind === "task_run" ? [nameOf(effect.taskRun)] : []));
    check(new Set(rows).size === rows.length, "at most one row per task run and decision");
    for (const effect of effects) this.#follow(effect);
    const coded = effects.flatMap((effect) =>
      effect.kind === "code" || effect.kind === "record" ? [nameOf(effect.taskRun)] : [],
    );
    this.#checkRows(new Set([...rows, ...coded]), before);
    const queued = [...taskRunsBelow(this.bench.run.root)]
      .filter(({ state }) => state === "queued" && this.bench.run.state !== "quarantined")
      .map(nameOf);
    check(
      stringify([...this.#ready].sort()) === stringify(queued.sort()),
      `ready and queued differ: ${[...this.#ready].join()} and ${queued.join()}`,
    );
  }

  #follow(effect: RunEffect): void {
    switch (effect.kind) {
      case "ready":
        check(!this.#ready.has(nameOf(effect.taskRun)), "made ready once");
        this.#ready.add(nameOf(effect.taskRun));
        return;
      case "unready":
        check(this.#ready.delete(nameOf(effect.taskRun)), "only what is ready becomes unready");
        return;
      case "send":
        check(this.#ready.delete(nameOf(effect.taskRun)), "only what is ready is sent");
        this.#held.add(`${nameOf(effect.taskRun)}#${effect.taskRun.dispatch}`);
        return;
      case "released": {
        const name = `${nameOf(effect.taskRun)}#${effect.dispatch}`;
        check(!this.#released.has(name), `${name} is released once`);
        this.#released.add(name);
        const isCall = effect.taskRun.node.definition.kind === "call";
        check(this.#held.delete(name) || isCall, "only what was dispatched is released");
        return;
      }
      case "attempt":
        this.edges.dispatch.add(`running → ${effect.record.state}`);
        return;
      case "ended":
        this.#endings += 1;
        return;
      default:
    }
  }

  /** A row that is written is the one that a reload needs: what changed was said. */
  #checkRows(written: ReadonlySet<string>, before: Picture): void {
    for (const taskRun of taskRunsBelow(this.bench.run.root)) {
      const name = nameOf(taskRun);
      if (written.has(name)) continue;
      const isFresh = taskRun.state === "pending" || (taskRun.state === "queued" && taskRun.dispatch === 0);
      check(
        isFresh || before.get(name)?.row === stringify(rowOf(taskRun)),
        `the change of ${name} has an effect`,
      );
    }
  }

  // --- transitions

  #checkTransitions(before: Picture): void {
    const { run } = this.bench;
    for (const taskRun of taskRunsBelow(run.root)) {
      const from = before.get(nameOf(taskRun))?.state ?? "pending";
      const to = taskRun.state;
      if (from === to) continue;
      check(!isEndState(from), `P1: ${nameOf(taskRun)} left ${from} for ${to}`);
      this.edges.taskRun.add(`${from} → ${to}`);
      if ((from === "running" || from === "waiting") && isEndState(to))
        this.edges.dispatch.add(`running → ${to}`);
    }
    if (this.#runState !== run.state) this.edges.run.add(`${this.#runState} → ${run.state}`);
    this.#runState = run.state;
  }

  #runState = "queued";

  // --- state

  checkState(): void {
    const { bench, model } = this;
    const { run } = bench;
    const real = [...taskRunsBelow(run.root)].map((taskRun) => {
      const { state, attempt, dispatch, losses, revoked, childRunId } = taskRun;
      const open = isEndState(state) ? [] : [...(taskRun.code?.open.keys() ?? [])].sort();
      return stringify([nameOf(taskRun), state, attempt, dispatch, losses, revoked, childRunId, open]);
    });
    const wanted = model.taskRuns.map((taskRun) => {
      const { node, path, state, attempt, dispatch, losses, revoked, childRunId, open } = taskRun;
      return stringify([
        `${node.id}[${path.join(".")}]`,
        state,
        attempt,
        dispatch,
        losses,
        revoked,
        childRunId,
        isEndState(state) ? [] : [...open].sort(),
      ]);
    });
    check(
      stringify(real.sort()) === stringify(wanted.sort()),
      `the machine and the model differ after ${stringify(this.sent.at(-1))}:\n${difference(real, wanted)}`,
    );
    check(run.state === model.state, `the run is ${run.state}, the model ${model.state}`);
    const output = withoutTexts(run.output?.value);
    check(
      output === withoutTexts(model.output),
      `the output is ${output}, not ${withoutTexts(model.output)}`,
    );
    checkScope(run.root);
    this.#checkCounts();
    const open = real.length > 0 && run.root.open > 0;
    check(
      isRunEnded(run.state) || run.state === "queued" || run.state === "quarantined" || open,
      "P3: it is over",
    );
  }

  #checkCounts(): void {
    const { counts, root } = this.bench.run;
    for (const state of ["queued", "running", "waiting", "retrying"] as const) {
      const found = [...taskRunsBelow(root)].filter((taskRun) => taskRun.state === state).length;
      check(counts[state] === found, `counts.${state} is ${counts[state]}, found ${found}`);
    }
  }
}

/** The model does not word its errors. */
const withoutTexts = (value: unknown): string =>
  JSON.stringify([value], (key, inner: unknown) => (key === "message" || key === "name" ? undefined : inner));

function difference(real: readonly string[], wanted: readonly string[]): string {
  const only = (some: readonly string[], others: readonly string[]): string =>
    some.filter((line) => !others.includes(line)).join("\n  ");
  return `machine\n  ${only(real, wanted)}\nmodel\n  ${only(wanted, real)}`;
}

/** S1–S3 by recount. */
function checkScope(scope: Scope): void {
  for (const [index, tally] of scope.tallies ?? []) {
    const found = { open: 0, succeeded: 0, failed: 0, upstreamFailed: 0, skipped: 0, cancelled: 0 };
    for (const taskRun of taskRunsBelow(scope))
      if (taskRun.node.index === index) found[fieldOf(taskRun, scope.depth)] += 1;
    check(stringify(found) === stringify(tally), `S1: ${stringify(tally)}, found ${stringify(found)}`);
  }
  let open = scope.taskRuns.filter((taskRun) => !isEndState(taskRun.state)).length;
  for (const expansion of scope.expansions) {
    const { items, placeholders, state } = expansion;
    const isOpen = (item: Scope): boolean => [...taskRunsBelow(item)].some(({ state }) => !isEndState(state));
    const openItems = items.filter(isOpen);
    if (state === "pending" || openItems.length > 0) open += 1;
    check(state === "expanded" ? placeholders.length === 0 : items.length === 0, "S3: placeholders or items");
    check(
      state !== "closed" || placeholders.every(({ state }) => isEndState(state)),
      "S3: a closed one is over",
    );
    check(expansion.openItems === openItems.length, "open items are counted");
    check(
      expansion.activeItems === openItems.filter(({ active }) => active).length,
      "active items are counted",
    );
    const limit = expansion.region.definition.concurrency ?? Infinity;
    check(expansion.activeItems <= limit, "concurrency holds");
    items.forEach(checkScope);
  }
  check(scope.open === open, `S2: ${scope.open}, found ${open}`);
}

function fieldOf(taskRun: TaskRun, level: number) {
  if (!isEndState(taskRun.state)) return "open";
  const seen = outcomeSeenFrom(taskRun.scope, level, taskRun.state);
  return seen === "upstream_failed" ? "upstreamFailed" : seen;
}

/** Tells one story to its end. */
export function tell(
  definition: PipelineDefinition,
  story: readonly number[],
  edges: Edges,
  reloads: boolean,
): Lockstep {
  const tape = new Tape(story);
  const pair = new Lockstep(definition, edges);
  pair.checkState();
  while (!tape.isOver && !pair.isOver) {
    pair.bench.now += tape.of([100, 0, 50]);
    pair.send(makeMessage(tape, pair.model, pair.sent));
    if (reloads && tape.chance(1, 2)) pair.reload();
  }
  pair.drain();
  pair.sent.slice().forEach((message) => pair.send(message));
  return pair;
}

/** Every node can be found by its name, at every place it stands in. */
export function checkNames(pair: Lockstep): void {
  const { root, graph } = pair.bench.run;
  for (const vertex of graph.order.filter(isNode))
    for (const taskRun of taskRunsBelow(root))
      if (taskRun.node === vertex)
        check(findTaskRun(root, vertex, taskRun.item) === taskRun, "names are exact");
}
