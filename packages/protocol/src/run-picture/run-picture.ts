/** What a follower of a run knows of it: changed only by the server's events, read by those who draw it. */
import { valueAt, type PipelineDefinition, type Template } from "@millrace/core";
import type { LogEntry, RunEvent, RunSummary, TaskRunState, TaskRunView } from "../index.ts";
import { outlineOf, type OutlineRow } from "./outline.ts";

export { outlineOf, parentsOf, type OutlineRow } from "./outline.ts";

/** A node with all its items taken together. */
export interface NodePicture {
  readonly id: string;
  readonly row: OutlineRow | undefined;
  readonly state: TaskRunState;
  /** Of a node in a fan-out: how many items there are, and how many are in which state. */
  readonly items:
    | {
        readonly total: number;
        readonly ended: number;
        readonly counts: StateCounts;
        /** What the first queued one waits for. */
        readonly queuedFor: string | undefined;
      }
    | undefined;
  /** The only task run, or the one that matters most: the first failed one. */
  readonly taskRun: TaskRunView | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
}

export type StateCounts = ReadonlyMap<TaskRunState, number>;

const logLinesKept = 5;

export class RunPicture {
  run: RunSummary;
  readonly definition: PipelineDefinition | undefined;
  readonly #nodes = new Map<string, NodeGroup>();
  readonly #rows: readonly OutlineRow[];
  readonly #logs = new Map<string, LogEntry[]>();

  constructor(run: RunSummary, definition: PipelineDefinition | undefined) {
    this.run = run;
    this.definition = definition;
    this.#rows = definition ? outlineOf(definition) : [];
    for (const row of this.#rows) this.#nodes.set(row.id, new NodeGroup(row.id, row));
  }

  apply(event: RunEvent): void {
    switch (event.kind) {
      case "snapshot":
        this.run = event.detail.run;
        for (const node of event.detail.nodes) this.#put(node);
        return;
      case "run":
      case "end":
        if (event.run.generation > this.run.generation) this.#forget();
        this.run = event.run;
        return;
      case "node":
        this.#put(event.node);
        return;
      case "progress":
        this.#nodes.get(event.node)?.progress(event.item, event.fraction, event.message);
        return;
      case "log":
        this.#keepLog(event.entry);
        return;
    }
  }

  /** In the outline's order; nodes that the definition does not know stand at the end. */
  nodes(): NodePicture[] {
    return [...this.#nodes.values()].map((group) => group.picture(this.#itemsExpected(group.row)));
  }

  /** All that is known of a node, in the order in which it came. */
  taskRuns(id: string): Iterable<TaskRunView> {
    return this.#nodes.get(id)?.taskRuns() ?? [];
  }

  taskRun(id: string, item: string): TaskRunView | undefined {
    return this.#nodes.get(id)?.taskRun(item);
  }

  node(id: string): NodePicture | undefined {
    const group = this.#nodes.get(id);
    return group?.picture(this.#itemsExpected(group.row));
  }

  /** The last log lines of a task run, oldest first. */
  lastLogs(taskRun: TaskRunView): readonly LogEntry[] {
    return this.#logs.get(keyOf(taskRun.id, taskRun.item)) ?? [];
  }

  /** How many items a fan-out will have, when its lists are known: the server tells of items as they begin. */
  #itemsExpected(row: OutlineRow | undefined): number | undefined {
    const region = row?.node.region;
    if (!region || region.parent) return undefined;
    const lengths = region.definition.over.map((list) => this.#lengthOf(list));
    if (lengths.some((length) => length === undefined)) return undefined;
    const known = lengths as number[];
    return region.definition.combine === "cross" ? known.reduce((all, length) => all * length, 1) : known[0];
  }

  #lengthOf(list: Template): number | undefined {
    if (list.kind === "array") return list.items.length;
    const found =
      list.kind === "value"
        ? list.value
        : list.kind === "output"
          ? valueAt(this.#nodes.get(list.node)?.only?.output ?? null, list.path)
          : undefined;
    return Array.isArray(found) ? found.length : undefined;
  }

  #put(taskRun: TaskRunView): void {
    let group = this.#nodes.get(taskRun.id);
    if (!group) {
      group = new NodeGroup(taskRun.id, undefined);
      this.#nodes.set(taskRun.id, group);
    }
    group.put(taskRun);
    // What succeeded needs no explanation, and ten thousand items' logs would not fit.
    if (taskRun.state === "succeeded") this.#logs.delete(keyOf(taskRun.id, taskRun.item));
  }

  #keepLog(entry: LogEntry): void {
    const key = keyOf(entry.node, entry.item);
    const kept = this.#logs.get(key) ?? [];
    if (kept[0] && kept[0].attempt !== entry.attempt) kept.length = 0;
    kept.push(entry);
    if (kept.length > logLinesKept) kept.shift();
    this.#logs.set(key, kept);
  }

  #forget(): void {
    this.#nodes.clear();
    this.#logs.clear();
    for (const row of this.#rows) this.#nodes.set(row.id, new NodeGroup(row.id, row));
  }
}

/** A task run with its times as numbers: they are looked at again with each change of its node. */
interface Item {
  readonly taskRun: TaskRunView;
  readonly startedAt: number;
  readonly endedAt: number;
}

class NodeGroup {
  readonly #id: string;
  readonly row: OutlineRow | undefined;
  readonly #items = new Map<string, Item>();
  readonly #counts = new Map<TaskRunState, number>();
  #failed: TaskRunView | undefined;
  /** Until something changes. */
  #drawn: { readonly picture: NodePicture; readonly itemsExpected: number | undefined } | undefined;

  constructor(id: string, row: OutlineRow | undefined) {
    this.#id = id;
    this.row = row;
  }

  put(taskRun: TaskRunView): void {
    this.#drawn = undefined;
    const depth = this.row?.node.depth ?? 0;
    if (depth > 0 && taskRun.item !== "" && this.#items.has("")) this.#remove("");
    this.#remove(taskRun.item);
    const { startedAt, endedAt } = taskRun;
    this.#items.set(taskRun.item, {
      taskRun,
      startedAt: startedAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(startedAt),
      endedAt: endedAt === undefined ? 0 : Date.parse(endedAt),
    });
    this.#counts.set(taskRun.state, (this.#counts.get(taskRun.state) ?? 0) + 1);
    if (taskRun.state === "failed" && this.#failed === undefined) this.#failed = taskRun;
    else if (this.#failed?.item === taskRun.item) {
      this.#failed = taskRun.state === "failed" ? taskRun : this.#first("failed");
    }
  }

  progress(item: string, fraction: number, message: string | undefined): void {
    const found = this.#items.get(item);
    if (!found) return;
    this.#drawn = undefined;
    const progress = { fraction, ...(message === undefined ? {} : { message }) };
    this.#items.set(item, { ...found, taskRun: { ...found.taskRun, progress } });
  }

  get only(): TaskRunView | undefined {
    return this.#items.get("")?.taskRun;
  }

  taskRun(item: string): TaskRunView | undefined {
    return this.#items.get(item)?.taskRun;
  }

  *taskRuns(): Iterable<TaskRunView> {
    for (const { taskRun } of this.#items.values()) yield taskRun;
  }

  picture(itemsExpected: number | undefined): NodePicture {
    if (!this.#drawn || this.#drawn.itemsExpected !== itemsExpected)
      this.#drawn = { picture: this.#draw(itemsExpected), itemsExpected };
    return this.#drawn.picture;
  }

  #draw(itemsExpected: number | undefined): NodePicture {
    const isMapped = (this.row?.node.depth ?? 0) > 0 || this.#items.size > 1;
    const { only } = this;
    const ended = endStates.reduce((sum, state) => sum + (this.#counts.get(state) ?? 0), 0);
    return {
      id: this.#id,
      row: this.row,
      state: this.#state(ended, Math.max(this.#items.size, itemsExpected ?? 0)),
      items:
        isMapped && only === undefined
          ? {
              total: this.#items.size,
              ended,
              counts: new Map(this.#counts),
              queuedFor: this.#first("queued")?.reason?.message,
            }
          : undefined,
      taskRun: this.#failed ?? only ?? this.#first("retrying") ?? this.#items.values().next().value?.taskRun,
      ...this.#span(ended, itemsExpected ?? 0),
    };
  }

  #state(ended: number, total: number): TaskRunState {
    if (this.#items.size === 0) return "pending";
    const has = (state: TaskRunState): boolean => (this.#counts.get(state) ?? 0) > 0;
    if (ended < total) {
      if (ended > 0 || has("running")) return has("running") || !has("retrying") ? "running" : "retrying";
      return (["retrying", "queued", "waiting"] as const).find(has) ?? "pending";
    }
    return (["failed", "cancelled", "upstream_failed", "succeeded"] as const).find(has) ?? "skipped";
  }

  #span(ended: number, expected: number): { startedAt: number | undefined; endedAt: number | undefined } {
    let startedAt = Number.POSITIVE_INFINITY;
    let endedAt = 0;
    for (const item of this.#items.values()) {
      startedAt = Math.min(startedAt, item.startedAt);
      endedAt = Math.max(endedAt, item.endedAt);
    }
    const hasEnded = endedAt > 0 && ended >= Math.max(this.#items.size, expected);
    return {
      startedAt: Number.isFinite(startedAt) ? startedAt : undefined,
      endedAt: hasEnded ? endedAt : undefined,
    };
  }

  #first(state: TaskRunState): TaskRunView | undefined {
    if ((this.#counts.get(state) ?? 0) === 0) return undefined;
    for (const { taskRun } of this.#items.values()) if (taskRun.state === state) return taskRun;
    return undefined;
  }

  #remove(item: string): void {
    const old = this.#items.get(item);
    if (!old) return;
    this.#items.delete(item);
    const { state } = old.taskRun;
    this.#counts.set(state, (this.#counts.get(state) ?? 1) - 1);
  }
}

const endStates: readonly TaskRunState[] = ["succeeded", "failed", "upstream_failed", "skipped", "cancelled"];

function keyOf(node: string, item: string): string {
  return `${node}\n${item}`;
}
