/**
 * Deliberate faults: each breaks one promise of the engine or its store, and some seed must see it. A mutant that
 * survives means that the simulator would not see such a bug either.
 */
import { engineMutants } from "./engine-mutants.ts";
import { moveMutants } from "./move-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { probeMutants } from "./probe-mutants.ts";
import { shapeMutants } from "./shape-mutants.ts";
import { triggerMutants } from "./trigger-mutants.ts";
import { waitMutants } from "./wait-mutants.ts";

export const mutants: readonly Mutant[] = [
  ...engineMutants,
  ...triggerMutants,
  ...waitMutants,
  ...shapeMutants,
  ...probeMutants,
  ...moveMutants,
];
