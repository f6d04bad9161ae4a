/** What a deployment changes in triggers, for the event log: nothing where the trigger is the same (C3). */
import {
  canonicalTrigger,
  triggerChanged,
  triggerPaused,
  triggerResumed,
  type Json,
  type PipelineDefinition,
  type ProjectDefinition,
} from "@millrace/core";
import type { DeployedPipeline, DeploymentState, OutboxNews } from "@millrace/store";

/** `held`: pipelines that are paused with this deployment. */
export function triggerNews(
  definition: ProjectDefinition,
  state: DeploymentState,
  held: readonly string[] = [],
): OutboxNews[] {
  const before = rowsOf(definition, state);
  const news: OutboxNews[] = [];
  for (const pipeline of definition.pipelines) {
    const isHeld = held.includes(pipeline.name);
    news.push(...newsOf(isHeld ? { ...pipeline, paused: true } : pipeline, before.get(pipeline.name)));
    before.delete(pipeline.name);
  }
  for (const { name, definition: gone, retired } of before.values())
    if (gone.trigger && !retired) news.push({ type: triggerChanged, subject: name, data: { trigger: null } });
  return news;
}

/** Pipelines that have a trigger now and had none. */
export function newTriggers(definition: ProjectDefinition, state: DeploymentState): string[] {
  const before = rowsOf(definition, state);
  return definition.pipelines.flatMap(({ name, trigger }) => {
    const row = before.get(name);
    return trigger && (!row || row.retired || !row.definition.trigger) ? name : [];
  });
}

function rowsOf(definition: ProjectDefinition, state: DeploymentState): Map<string, DeployedPipeline> {
  return new Map(
    state.pipelines.filter(({ project }) => project === definition.project).map((row) => [row.name, row]),
  );
}

function newsOf(pipeline: PipelineDefinition, before: DeployedPipeline | undefined): OutboxNews[] {
  const { name: subject, trigger } = pipeline;
  const paused = before?.pausedByOperator ? before.paused : pipeline.paused;
  const old = before?.retired ? undefined : before?.definition.trigger;
  const isSame = trigger ? old && canonicalTrigger(old) === canonicalTrigger(trigger) : !old;
  if (!isSame) {
    const data = { trigger: (trigger ?? null) as unknown as Json, paused };
    return [{ type: triggerChanged, subject, data }];
  }
  if (!trigger || before?.paused === paused) return [];
  return [{ type: paused ? triggerPaused : triggerResumed, subject, data: {} }];
}
