import type { Condition } from "@millrace/core";

/** Whether runs that this condition starts may be for a partition, so that a person may name one as well. */
export function hasPartitions(condition: Condition | undefined): boolean {
  if (condition === undefined) return false;
  switch (condition.kind) {
    case "event":
    case "schedule":
    case "window":
      return false;
    case "reached":
      return true;
    case "updated":
      return (
        condition.target !== undefined || condition.assets.some(({ partitions }) => partitions !== undefined)
      );
    case "all":
    case "any":
    case "at_least":
    case "sequence":
      return condition.of.some(hasPartitions);
    default:
      return hasPartitions(condition.of);
  }
}
