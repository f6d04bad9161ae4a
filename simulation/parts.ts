/**
 * What only some simulations have: which ones, the seed says, so that each is seen with and without each other one. A kept seed
 * that is older than a part names those that it has, and goes the way that it went.
 */
import { seededRandom } from "@millrace/testkit";

export const allParts = [
  /** Steps that fail, and sleeps until an instant. */
  "steps",
] as const;

export type Part = (typeof allParts)[number];
export type Parts = ReadonlySet<Part>;

/** From a stream of its own. */
export function partsOf(seed: number): Parts {
  const random = seededRandom(seed * 2 ** 8 + 0x70);
  return new Set(allParts.filter(() => random.chance(0.75)));
}

/** A list of names, or `none`. Throws for others. */
export function parseParts(text: string): Parts {
  if (text === "none") return new Set();
  return new Set(
    text.split(",").map((name) => {
      const part = allParts.find((one) => one === name);
      if (!part) throw new Error(`"${name}" is no part: expected none, or some of ${allParts.join(",")}`);
      return part;
    }),
  );
}
