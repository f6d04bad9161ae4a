/** How long events are kept: each type belongs to one of four classes. */

/** By name, the number that stands in the database. */
export const retentionClasses = { short: 1, normal: 2, long: 3, audit: 4 } as const;

export type RetentionClass = keyof typeof retentionClasses;

export const retentionClassNames = Object.keys(retentionClasses) as readonly RetentionClass[];

/** Longest prefix first. What stands nowhere here, every event from outside included, is `normal`. */
const classOfPrefix: readonly (readonly [prefix: string, name: RetentionClass])[] = [
  // Signs of life: only their last ones are of interest.
  ["millrace.worker.", "short"],
  ["millrace.source.", "short"],
  ["millrace.progress.", "short"],
  // What data exists and where it came from is asked for months later.
  ["millrace.asset.", "long"],
  // Who decided and changed what.
  ["millrace.approval.", "audit"],
  ["millrace.trigger.", "audit"],
];

/** The class of a type. Runs and nodes (`millrace.run.`, `millrace.node.`) are `normal`, as their history is. */
export function retentionClassOf(type: string): RetentionClass {
  if (!type.startsWith("millrace.")) return "normal";
  return classOfPrefix.find(([prefix]) => type.startsWith(prefix))?.[1] ?? "normal";
}

/** Days that a class is kept, where history is kept for `historyDays`. */
export function retentionDaysOf(name: RetentionClass, historyDays: number): number {
  const days = { short: Math.min(3, historyDays), normal: historyDays, long: 180, audit: 400 }[name];
  return name === "short" ? days : Math.max(days, historyDays);
}
