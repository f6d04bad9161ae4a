/** Which partitions a trigger's runs are for: what a person may name who starts one by hand. */
import { operandsOf, type Condition } from "../condition/condition.ts";
import type { MatchPartition } from "../condition/match.ts";
import { MillraceError } from "../error/millrace-error.ts";
import type { PipelineDefinition } from "../graph/definition.ts";
import type { Json } from "../json.ts";
import { canonicalPartitions } from "../partition/parse.ts";
import type { PartitionsDefinition } from "../partition/definition.ts";
import { compilePartitions, requirePartition } from "../partition/partitions.ts";

/** All kinds of partitions that firings of a condition may be about, each once. */
export function partitionsOfCondition(condition: Condition): PartitionsDefinition[] {
  const found = new Map<string, PartitionsDefinition>();
  const walk = (one: Condition): void => {
    const definitions =
      one.kind === "reached"
        ? [one.target]
        : one.kind !== "updated"
          ? []
          : one.target || one.when === "complete"
            ? [one.target]
            : one.assets.map(({ partitions }) => partitions);
    for (const definition of definitions)
      if (definition) found.set(canonicalPartitions(definition), definition);
    // Nobody runs for what must not have come.
    for (const operand of one.kind === "unless" ? [one.of] : operandsOf(one)) walk(operand);
  };
  walk(condition);
  return [...found.values()];
}

/** The partition that a text names; nothing where the condition is about none like it. */
export function findPartition(condition: Condition | undefined, text: string): MatchPartition | undefined {
  for (const definition of condition ? partitionsOfCondition(condition) : []) {
    const partitions = compilePartitions(definition);
    const read = partitions.read(text);
    if (read.fault !== undefined) continue;
    const window = partitions.windowOf(read.key);
    return { key: read.key, ...(window ? { window } : {}) };
  }
  return undefined;
}

/** The partition that a text names. Throws MILLRACE_PARTITION_UNKNOWN with what would be right. */
export function partitionForTrigger(
  condition: Condition | undefined,
  text: string,
  pipeline: string,
): MatchPartition {
  const found = findPartition(condition, text);
  if (found) return found;
  const [first] = condition ? partitionsOfCondition(condition) : [];
  if (first) requirePartition(compilePartitions(first), text, `The pipeline "${pipeline}"`);
  throw new MillraceError("MILLRACE_PARTITION_UNKNOWN", {
    message: `The pipeline "${pipeline}" has no partitions: its trigger is about none.`,
    advice: "Start it without a partition, or give it a trigger over an asset with partitions.",
    fields: { pipeline, partition: text.slice(0, 200) },
  });
}

/**
 * Whether a run of this pipeline needs a partition: all firings of its condition are about one, and a template of its graph reads
 * it.
 */
export function needsPartition({ trigger, nodes, regions, output }: PipelineDefinition): boolean {
  if (!trigger || !isAlwaysAboutPartition(trigger.condition)) return false;
  return readsPartition({ nodes, regions, output } as unknown as Json);
}

function isAlwaysAboutPartition(condition: Condition): boolean {
  switch (condition.kind) {
    case "reached":
      return true;
    case "updated":
      if (condition.target) return true;
      return (
        condition.when === "each" && condition.assets.every(({ partitions }) => partitions !== undefined)
      );
    case "unless":
      return isAlwaysAboutPartition(condition.of);
    case "any":
      return condition.of.every(isAlwaysAboutPartition);
    default:
      return false;
  }
}

/** Templates stand in many places of a definition; each that reads the partition looks like this. */
function readsPartition(json: Json | undefined): boolean {
  if (json === null || json === undefined || typeof json !== "object") return false;
  const { kind, path } = json as { readonly kind?: Json; readonly path?: Json };
  if (kind === "firing" && Array.isArray(path) && path[0] === "partition") return true;
  return Object.values(json).some((member: Json) => readsPartition(member));
}
