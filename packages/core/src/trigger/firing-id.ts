import type { FiringName } from "./firing.ts";

/** `3.1207.1` and the key behind it, where there is one: unique below its pipeline. */
export function firingId({ version, occurrence, revision, key }: Omit<FiringName, "pipeline">): string {
  return `${version}.${occurrence}.${revision}${key === "" ? "" : `.${key}`}`;
}
