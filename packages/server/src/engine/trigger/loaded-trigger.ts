/** Triggers in memory and their rows. */
import {
  compileCondition,
  dueOf,
  never,
  type DecidedFiring as DecidedFiringOf,
  type HeldTrigger,
  type KeyState,
  type Program,
} from "@millrace/core";
import type { TriggerKeyRow, TriggerRow } from "@millrace/store";

export interface LoadedTrigger extends HeldTrigger {
  row: TriggerRow;
  program: Program | undefined;
}

export type DecidedFiring = DecidedFiringOf<LoadedTrigger>;

export function loadTrigger(row: TriggerRow): LoadedTrigger {
  return { row, program: programOf(row), keys: new Map() };
}

export function programOf({ definition, pipeline }: TriggerRow): Program | undefined {
  return definition && compileCondition(definition.condition, pipeline);
}

export function restoreKey(row: TriggerKeyRow): KeyState {
  return {
    key: row.key,
    instance: { key: row.key, state: row.state as object },
    firings: row.firings,
    touchedAt: row.touchedAt,
  };
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
