/** The assets of all active deployments, at hand: what is told of one is judged in the turn in which it is heard. */
import type { AssetDefinition } from "@millrace/core";

export class AssetBook {
  #assets: ReadonlyMap<string, AssetDefinition> = new Map();

  find(name: string): AssetDefinition | undefined {
    return this.#assets.get(name);
  }

  names(): Iterable<string> {
    return this.#assets.keys();
  }

  /** Those that may have an age, and which. */
  *withFreshness(): Iterable<{ readonly name: string; readonly maxAgeMs: number }> {
    for (const { name, freshness } of this.#assets.values())
      if (freshness) yield { name, maxAgeMs: freshness.maxAgeMs };
  }

  /** What is deployed from now on. */
  replace(definitions: readonly AssetDefinition[]): void {
    this.#assets = new Map(definitions.map((definition) => [definition.name, definition]));
  }
}
