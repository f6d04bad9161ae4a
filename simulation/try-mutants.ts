/** Runs every mutant over seeds until one sees it. */
import type { Mutant } from "./mutant.ts";
import { simulate } from "./simulation.ts";

/** Seeds that hold without a mutant, tried one after the other. */
export const mutantSeeds: readonly number[] = [3, 4, 6, 5, 11, 7, 100, 112, 1, 9, 8];
/** Virtual hours of each. */
export const mutantHours = 0.1;

export interface MutantVerdict {
  readonly mutant: Mutant;
  /** The seed that saw it, or nothing: it survived. */
  readonly seed: number | undefined;
  readonly rule: string;
}

export async function tryMutant(
  mutant: Mutant,
  seeds: readonly number[],
  hours: number,
): Promise<MutantVerdict> {
  const parts = new Set(mutant.parts);
  for (const seed of seeds) {
    const takeOut = mutant.apply();
    const wrapStore = mutant.wrapStore ? { wrapStore: mutant.wrapStore } : {};
    try {
      const { violations } = await simulate({ seed, hours, parts, stopsEarly: true, ...wrapStore });
      if (violations[0]) return { mutant, seed, rule: violations[0].rule };
    } catch (error) {
      return { mutant, seed, rule: `broke: ${String(error)}` };
    } finally {
      takeOut();
    }
  }
  return { mutant, seed: undefined, rule: "" };
}
