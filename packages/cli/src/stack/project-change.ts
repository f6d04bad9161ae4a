/** What a deploy changed, pipeline by pipeline and node by node: what only moved to another line is no change. */
import { canonicalJson, type Json, type PipelineDefinition } from "@millrace/core";
import type { DeployResponse, PipelineChangeView } from "@millrace/protocol";

type Definitions = ReadonlyMap<string, PipelineDefinition>;

/** `before`: absent where what ran before is known by name alone. */
export function pipelineChanges(
  response: DeployResponse,
  before: Definitions | undefined,
  after: Definitions | undefined,
): PipelineChangeView[] {
  const { added, changed, retired } = response;
  return [
    ...added.map((name) => ({ ...nothing, name, kind: "added" as const })),
    ...changed.flatMap((name) => {
      const [old, now] = [before?.get(name), after?.get(name)];
      if (!old || !now) return [{ ...nothing, name, kind: "changed" as const }];
      return isSame(old, now) ? [] : [changeOf(old, now)];
    }),
    ...retired.map((name) => ({ ...nothing, name, kind: "retired" as const })),
  ];
}

const nothing = { addedNodes: [], changedNodes: [], removedNodes: [], isTriggerChanged: false };

function changeOf(old: PipelineDefinition, now: PipelineDefinition): PipelineChangeView {
  const before = new Map(old.nodes.map((node) => [node.id, node]));
  const after = new Set(now.nodes.map(({ id }) => id));
  return {
    name: now.name,
    kind: "changed",
    addedNodes: now.nodes.filter(({ id }) => !before.has(id)).map(({ id }) => id),
    changedNodes: now.nodes
      .filter((node) => before.has(node.id) && !isSame(before.get(node.id), node))
      .map(({ id }) => id),
    removedNodes: old.nodes.filter(({ id }) => !after.has(id)).map(({ id }) => id),
    isTriggerChanged: !isSame(old.trigger, now.trigger),
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return canonicalJson(placeless(one)) === canonicalJson(placeless(other));
}

/** Without the lines at which things are declared. */
function placeless(value: unknown): Json {
  return JSON.parse(
    JSON.stringify(value ?? null, (key, part: unknown) =>
      key === "source" && isPlace(part) ? undefined : part,
    ),
  ) as Json;
}

function isPlace(value: unknown): boolean {
  return typeof value === "object" && value !== null && "file" in value && "line" in value;
}
