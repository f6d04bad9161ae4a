/** Partitions in words. */
import { unreachable } from "../assert.ts";
import { describeSchedule } from "../schedule/describe.ts";
import type { PartitionsDefinition } from "./definition.ts";

/** `windows (every day at 00:00, UTC)`, `3 keys`, `day and region`. */
export function describePartitions(definition: PartitionsDefinition): string {
  switch (definition.kind) {
    case "time":
      return `windows (${describeSchedule(definition.every)})`;
    case "static":
      return definition.keys.length === 1 ? "1 key" : `${definition.keys.length} keys`;
    case "dynamic":
      return "keys as they come";
    case "tuple":
      return Object.keys(definition.of).join(" and ");
    default:
      return unreachable(definition);
  }
}
