/**
 * What only some simulations have: which ones, the seed says, so that each is seen with and without each other one. A kept seed
 * that is older than a part names those that it has, and goes the way that it went.
 */
import { seededRandom, type SeededRandom } from "@millrace/testkit";
import { hashOf } from "./hash.ts";

export const allParts = [
  /** Steps that fail, and sleeps until an instant. */
  "steps",
  /** Functions and nodes that ask people, and people who answer. */
  "approvals",
  /** Functions, nodes and a trigger that listen to what probes look at. */
  "probes",
  /** People who move runs that wait to other bundles. */
  "moves",
] as const;

export type Part = (typeof allParts)[number];
export type Parts = ReadonlySet<Part>;

/** Each with a chance of its own. */
export function partsOf(seed: number): Parts {
  return new Set(allParts.filter((part) => seededRandom(hashOf(`${seed} has ${part}`)).chance(0.75)));
}

/** What a part draws from. */
export function partRandom(seed: number, part: Part): SeededRandom {
  return seededRandom(hashOf(`${seed} ${part}`));
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
