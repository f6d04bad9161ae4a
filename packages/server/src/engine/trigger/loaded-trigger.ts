/** A trigger in memory: its row, its compiled condition, and the states that it has at hand. */
import {
  beginInstance,
  compileCondition,
  dueOf,
  never,
  type ConditionInstance,
  type Program,
} from "@millrace/core";
import type { TriggerKeyRow, TriggerRow } from "@millrace/store";

/** The state of one key. */
export interface KeyState {
  readonly key: string;
  instance: ConditionInstance;
  /** The number of its last firing. */
  firings: number;
  touchedAt: number;
  /** The instant at which it is looked at next, as far as that is known. */
  notedDue?: number | undefined;
}

export interface LoadedTrigger {
  row: TriggerRow;
  /** Absent where the pipeline has no trigger any more. */
  program: Program | undefined;
  /** The one that was touched longest ago first. */
  readonly keys: Map<string, KeyState>;
}

export function loadTrigger(row: TriggerRow): LoadedTrigger {
  return { row, program: programOf(row), keys: new Map() };
}

export function programOf({ definition, pipeline }: TriggerRow): Program | undefined {
  return definition && compileCondition(definition.condition, pipeline);
}

/** An event alone leaves nothing behind: its firings are named by their positions. */
export function isStateless({ program }: LoadedTrigger): boolean {
  return program?.condition.kind === "event";
}

export function restoreKey(row: TriggerKeyRow): KeyState {
  return {
    key: row.key,
    instance: { key: row.key, state: row.state as object },
    firings: row.firings,
    touchedAt: row.touchedAt,
  };
}

/** `position`: of the entry that begins it. Numbers of firings go on from there, so that none is given twice. */
export function beginKey(program: Program, key: string, at: number, position: number): KeyState {
  return { key, instance: beginInstance(program, key, at), firings: position, touchedAt: at };
}

export function keyRow({ row, program }: LoadedTrigger, state: KeyState): TriggerKeyRow {
  const due = program ? dueOf(program, state.instance) : never;
  return {
    workspace: row.workspace,
    pipeline: row.pipeline,
    key: state.key,
    shard: row.shard,
    state: state.instance.state,
    firings: state.firings,
    dueAt: due === never ? undefined : due,
    touchedAt: state.touchedAt,
  };
}
