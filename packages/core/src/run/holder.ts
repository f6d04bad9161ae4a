/** Names and ranks under which task runs hold and wait for things. */
import type { TaskRun } from "./state.ts";

/** Names the task run's attempts of one generation: what holds its limits, and its idempotency key. */
export function holderOf(runId: string, { node, item, generation }: TaskRun): string {
  return `${runId}/${node.definition.id}/${item}/${generation}`;
}

/** One step of priority is worth a minute of waiting. */
const priorityMs = 60_000;

/** Priority as time: the smaller goes first, and nothing starves. */
export function rankOf(readyAt: number, priority: number): number {
  return readyAt - priority * priorityMs;
}
