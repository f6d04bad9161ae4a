/** Which partitions a trigger's runs are for: what a person may name who starts one by hand. */
import { operandsOf, type Condition } from "../condition/condition.ts";
import type { MatchPartition } from "../condition/match.ts";
import { MillraceError } from "../error/millrace-error.ts";
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

/** The partition that a text names. Throws MILLRACE_PARTITION_UNKNOWN with what would be right. */
export function partitionForTrigger(
  condition: Condition | undefined,
  text: string,
  pipeline: string,
): MatchPartition {
  const definitions = condition ? partitionsOfCondition(condition) : [];
  const all = definitions.map(compilePartitions);
  for (const partitions of all) {
    const read = partitions.read(text);
    if (read.fault !== undefined) continue;
    const window = partitions.windowOf(read.key);
    return { key: read.key, ...(window ? { window } : {}) };
  }
  const [first] = all;
  if (first) requirePartition(first, text, `The pipeline "${pipeline}"`);
  throw new MillraceError("MILLRACE_PARTITION_UNKNOWN", {
    message: `The pipeline "${pipeline}" has no partitions: its trigger is about none.`,
    advice: "Start it without a partition, or give it a trigger over an asset with partitions.",
    fields: { pipeline, partition: text.slice(0, 200) },
  });
}
