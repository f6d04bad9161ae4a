import type { FiringView, SimulatedFiring } from "@millrace/protocol";

/** A firing as it was simulated, as it came, or both. */
export interface Beside {
  readonly name: string;
  readonly at: string;
  readonly key: string | undefined;
  readonly partition: string | undefined;
  readonly simulated: SimulatedFiring | undefined;
  readonly real: FiringView | undefined;
}

/**
 * Newest first, from `from` on. What is decided at the same time for the same key and partition is one firing: counters of
 * occurrences begin anew in a simulation.
 */
export function besideEachOther(
  simulated: readonly SimulatedFiring[],
  real: readonly FiringView[],
  from: number,
): Beside[] {
  const rows = new Map<string, Beside>();
  const counts = new Map<string, number>();
  const nameOf = (side: string, { at, key, partition }: SimulatedFiring | FiringView): string => {
    const name = `${at} ${key ?? ""} ${partition ?? ""}`;
    const count = (counts.get(`${side} ${name}`) ?? 0) + 1;
    counts.set(`${side} ${name}`, count);
    return `${name} ${count}`;
  };
  for (const firing of simulated) {
    const name = nameOf("simulated", firing);
    const { at, key, partition } = firing;
    rows.set(name, { name, at, key, partition, simulated: firing, real: undefined });
  }
  for (const firing of real) {
    if (Date.parse(firing.at) < from) continue;
    const name = nameOf("real", firing);
    const { at, key, partition } = firing;
    const known = rows.get(name) ?? { name, at, key, partition, simulated: undefined };
    rows.set(name, { ...known, real: firing });
  }
  return [...rows.values()].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}
